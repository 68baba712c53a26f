"""DNG files that the project writes: read back equal, and by other readers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rawpy
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

from fa_mobile.bayer import CFA_PATTERNS, CfaPattern
from fa_mobile.errors import UserError
from fa_mobile.noise import NoiseParameters
from fa_mobile.raw_io import (
    read_raw,
    write_dng,
)
from tests.raw_files import assert_same, frame


@pytest.mark.parametrize("cfa", CFA_PATTERNS)
@pytest.mark.parametrize(
    ("height", "width"), [(33, 47), (22, 22), (23, 500), (480, 22), (64, 64), (101, 76)]
)
def test_dng_round_trip(tmp_path: Path, cfa: CfaPattern, height: int, width: int) -> None:
    original = frame(height, width, cfa)
    path = tmp_path / "a.dng"
    write_dng(path, original)
    assert_same(read_raw(path), original)
    assert [item.name for item in tmp_path.iterdir()] == ["a.dng"]


def test_dng_round_trip_of_a_whole_sensor(tmp_path: Path) -> None:
    original = frame(3120, 4208, "GBRG")
    write_dng(tmp_path / "a.dng", original)
    assert_same(read_raw(tmp_path / "a.dng"), original)


@settings(max_examples=40)
@given(
    bits=st.integers(10, 16),
    black=st.tuples(*[st.integers(0, 4 * 200).map(lambda quarter: quarter / 4)] * 4),
    iso=st.integers(1, 1_000_000),
    a=st.floats(1e-6, 1),
    b=st.floats(0, 0.1),
    cfa=st.sampled_from(CFA_PATTERNS),
)
def test_dng_round_trip_of_any_levels(
    tmp_path_factory: pytest.TempPathFactory,
    bits: int,
    black: tuple[float, float, float, float],
    iso: int,
    a: float,
    b: float,
    cfa: CfaPattern,
) -> None:
    white = 2**bits - 1
    mosaic = np.random.default_rng(bits).integers(0, white + 1, (24, 25)).astype(np.uint16)
    original = frame(
        cfa=cfa, mosaic=mosaic, black_level=black, white_level=white, iso=iso,
        noise=NoiseParameters(a, b),
    )  # fmt: skip
    path = tmp_path_factory.mktemp("dng") / "a.dng"
    write_dng(path, original)
    assert_same(read_raw(path), original)


def test_frame_without_metadata_gets_neutral_colour(tmp_path: Path) -> None:
    original = frame(
        iso=None, noise=None, make="", model="", color_matrix=None, as_shot_neutral=None
    )
    write_dng(tmp_path / "a.dng", original)
    got = read_raw(tmp_path / "a.dng")
    assert got.as_shot_neutral == (1, 1, 1)
    assert got.color_matrix is not None
    # The sRGB matrix takes D65 white to equal channels.
    white = np.reshape(got.color_matrix, (3, 3)) @ [0.9505, 1, 1.089]
    assert white == pytest.approx([1, 1, 1], abs=2e-3)
    assert_same(replace(got, color_matrix=None, as_shot_neutral=None), original)


@pytest.mark.parametrize(
    ("make", "model"),
    [("Canon", "Canon EOS 5D Mark IV"), ("NIKON CORPORATION", "NIKON D850"), ("FUJIFILM", "X-T3")],
)
def test_known_cameras_are_not_second_guessed(tmp_path: Path, make: str, model: str) -> None:
    original = frame(make=make, model=model)
    write_dng(tmp_path / "a.dng", original)
    assert_same(read_raw(tmp_path / "a.dng"), original)


def test_other_readers_find_the_tags(tmp_path: Path) -> None:
    path = tmp_path / "a.dng"
    original = frame(cfa="BGGR", iso=1600)
    write_dng(path, original)
    with tifffile.TiffFile(path) as tiff:
        tags = {tag.name: tag.value for tag in tiff.pages.first.tags.values()}
    assert tags["NewSubfileType"] == 0
    assert tags["PhotometricInterpretation"] == 32803
    assert tags["CFAPattern"] == bytes([2, 1, 1, 0])
    assert tags["DNGVersion"] == bytes([1, 4, 0, 0])
    assert tags["UniqueCameraModel"] == "Sony IMX258"
    assert tags["Software"] == "fa-mobile"
    assert tags["Orientation"] == 1
    # B, Gb, Gr, R: the order of the cells, from the origin.
    assert tags["BlackLevel"] == (631, 10, 62, 1, 123, 2, 60, 1)
    assert tags["WhiteLevel"] == 1023
    assert tags["CalibrationIlluminant1"] == 21
    assert original.noise is not None
    assert tags["NoiseProfile"] == (*original.noise,) * 3
    assert tags["ExifTag"]["ISOSpeedRatings"] == 1600
    with rawpy.imread(str(path)) as raw:
        assert raw.other.iso_speed == 1600
        assert raw.white_level == 1023


def test_iso_that_exif_of_16_bits_cannot_hold(tmp_path: Path) -> None:
    write_dng(tmp_path / "a.dng", frame(iso=102400))
    assert read_raw(tmp_path / "a.dng").iso == 102400


@pytest.mark.parametrize(("height", "width"), [(21, 64), (64, 21), (2, 2)])
def test_dng_too_small_for_libraw_is_refused(tmp_path: Path, height: int, width: int) -> None:
    with pytest.raises(UserError, match=rf"{height} x {width}.*allowed.*22 to 65535.*crop"):
        write_dng(tmp_path / "a.dng", frame(height, width))
    assert list(tmp_path.iterdir()) == []


def test_dng_white_level_must_be_whole(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"white_level=1022\.5.*whole"):
        write_dng(tmp_path / "a.dng", frame(white_level=1022.5))
    assert list(tmp_path.iterdir()) == []


def test_dng_in_an_impossible_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UserError, match=r"cannot write .*a\.dng"):
        write_dng(tmp_path / "file" / "a.dng", frame())
    assert [item.name for item in tmp_path.iterdir()] == ["file"]
