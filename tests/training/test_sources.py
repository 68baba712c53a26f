"""Photos and RAW files as sources of clean mosaics: what is taken, skipped and named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fa_mobile.errors import UserError
from fa_mobile.raw_io import write_dng
from fa_mobile.sensor import load_profile
from fa_mobile.simulation import simulate
from fa_mobile.training.pipeline import (
    load_data,
)
from fa_mobile.training.sources import (
    FlatSource,
    PhotoSource,
    RawSource,
    enlarge,
    load_photos,
    load_raws,
    photo_paths,
    raw_paths,
)
from tests.training.small import photo


def test_unusable_files_are_skipped_and_named(tmp_path: Path) -> None:
    Image.fromarray(photo(0)).save(tmp_path / "good.png")
    Image.fromarray(photo(1, 40, 40)).save(tmp_path / "small.png")
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8 no photo")
    (tmp_path / "notes.txt").write_text("no photo")
    sources, skipped = load_photos(photo_paths([tmp_path]), 32)
    assert len(sources) == 1
    assert len(skipped) == 2
    assert "broken.jpg is not a readable photo" in skipped[0] and "too small" in skipped[1]
    with pytest.raises(UserError, match="images to train on"):
        load_data([tmp_path], [], 4096)


def test_soft_patches_are_photos_enlarged() -> None:
    """Their detail is that of fewer pixels: less from pixel to pixel, as much in all."""
    rough = np.random.default_rng(1).integers(0, 256, (128, 128, 3), np.uint8)
    sharp, soft = (PhotoSource(rough, share) for share in (0.0, 1.0))

    def roughness(source: PhotoSource) -> float:
        mosaics = [source.sample(np.random.default_rng(i), 64) for i in range(20)]
        greens = [(m[::2, 1::2], m[1::2, ::2]) for m in mosaics]  # diagonal neighbours
        return float(np.mean([np.abs(one - other).mean() / one.std() for one, other in greens]))

    assert roughness(soft) < 0.8 * roughness(sharp)


def test_without_a_share_nothing_is_enlarged() -> None:
    """And the draws are those of before, so that runs without it can be repeated."""
    given, plain = PhotoSource(photo(4), 0.0), PhotoSource(photo(4))
    for seed in range(3):
        expected = plain.sample(np.random.default_rng(seed), 32)
        np.testing.assert_array_equal(given.sample(np.random.default_rng(seed), 32), expected)


@pytest.mark.parametrize("side", [11, 32])
def test_enlarging_keeps_the_mean_and_the_range(side: int) -> None:
    image = np.random.default_rng(2).random((side, side, 3), np.float32)
    out = enlarge(image, 32)
    assert out.shape == (32, 32, 3) and out.dtype == np.float32
    assert out.min() >= 0 and out.max() <= 1
    np.testing.assert_allclose(out.mean(axis=(0, 1)), image.mean(axis=(0, 1)), atol=0.02)


def test_raw_files_are_sources(tmp_path: Path) -> None:
    frame = simulate(photo(3), load_profile("imx258"), 1, 0).noisy
    write_dng(tmp_path / "clean.dng", frame)
    (tmp_path / "broken.dng").write_bytes(b"II*\0")
    sources, skipped = load_raws([tmp_path / "clean.dng", tmp_path / "broken.dng"], 32)
    assert len(sources) == 1 and len(skipped) == 1
    patch = sources[0].sample(np.random.default_rng(0), 32)
    assert patch.shape == (32, 32) and patch.min() >= 0 and patch.max() <= 1


def test_raw_files_bring_their_colour_or_are_skipped(tmp_path: Path) -> None:
    frame = simulate(photo(3), load_profile("imx258"), 1, 0).noisy
    write_dng(tmp_path / "clean.dng", frame)
    (source,), skipped = load_raws([tmp_path / "clean.dng"], 32, need_color=True)
    color = source.draw(np.random.default_rng(0), 32).color
    red, _, blue = load_profile("imx258").as_shot_neutral
    assert color.red_gain == pytest.approx(1 / red, rel=1e-4)
    assert color.blue_gain == pytest.approx(1 / blue, rel=1e-4)
    assert color.rgb_to_camera.sum(axis=1) == pytest.approx([1, 1, 1], abs=1e-4)
    assert not skipped
    singular = replace(frame, color_matrix=(1.0, 1.0, 1.0) * 3)
    write_dng(tmp_path / "gray.dng", singular)
    assert not load_raws([tmp_path / "gray.dng"], 32)[1]
    sources, skipped = load_raws([tmp_path / "gray.dng"], 32, need_color=True)
    assert not sources and "gray.dng: states no colour" in skipped[0]


def test_of_a_folder_of_raw_files_the_short_exposures_are_left_out(tmp_path: Path) -> None:
    for name in ("Sony/short/b.ARW", "Sony/long/b.ARW", "Sony/long/a.ARW", "other/short/c.dng"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "Sony" / "list.txt").write_text("")
    found = [str(path.relative_to(tmp_path)) for path in raw_paths([tmp_path])]
    assert found == ["Sony/long/a.ARW", "Sony/long/b.ARW", "other/short/c.dng"]
    with pytest.raises(UserError, match="no clean RAW file"):
        raw_paths([tmp_path / "Sony" / "short"])
    with pytest.raises(UserError, match="was not found"):
        raw_paths([tmp_path / "none.dng"])


def test_flat_colours_are_flat_and_mostly_dark() -> None:
    rng = np.random.default_rng(0)
    patches = [FlatSource().sample(rng, 16) for _ in range(200)]
    for patch in patches:
        assert patch.dtype == np.float32 and patch.min() > 0 and patch.max() <= 1
        assert all(np.ptp(patch[row::2, column::2]) == 0 for row in (0, 1) for column in (0, 1))
        assert patch[0, 1] == patch[1, 0]
    assert np.median([patch[0, 1] for patch in patches]) < 0.1


def test_raw_source_keeps_the_pattern() -> None:
    codes = np.tile(np.array([[0.1, 0.2], [0.3, 0.4]], np.float32), (20, 24))
    rng = np.random.default_rng(0)
    for _ in range(30):
        patch = RawSource(codes).sample(rng, 16)
        ratio = patch[::2, ::2].mean() / patch[1::2, 1::2].mean()
        assert ratio == pytest.approx(0.25)  # red stays at the origin, blue opposite
