"""DND: crops, patterns and noise from MATLAB 7.3 structures."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from fa_mobile.datasets.sample import Sample, Skipped
from fa_mobile.datasets.table import format_named
from fa_mobile.errors import UserError
from fa_mobile.sensor import SensorProfile
from tests.datasets import makers

DND = format_named("dnd")


def test_crops_of_all_images(tmp_path: Path) -> None:
    mosaics = makers.dnd(tmp_path)
    dataset = DND.open(tmp_path)
    samples = [item for item in dataset if isinstance(item, Sample)]
    assert len(dataset) == len(samples) == 1000
    assert [s.name for s in samples[:21:20]] == ["0001_01", "0002_01"]
    one = samples[45]  # image 3, crop 6: rows 6..13 and columns 2..9 from 1
    assert one.place == (2, 5) and one.noisy.dtype == np.float32
    assert np.array_equal(one.noisy, mosaics[2][5:13, 1:9])
    assert one.noise == pytest.approx((3 * makers.NOISE.a, makers.NOISE.b))
    assert one.truth is None


@pytest.mark.parametrize(
    ("pattern", "cfa"),
    [(((1, 2), (2, 3)), "RGGB"), (((2, 1), (3, 2)), "GRBG"), (((2, 3), (1, 2)), "GBRG"),
     (((3, 2), (2, 1)), "BGGR")],
)  # fmt: skip
def test_patterns_are_those_of_matlab(tmp_path: Path, pattern: object, cfa: str) -> None:
    makers.dnd(tmp_path, pattern)  # type: ignore[arg-type]
    first, second = [s for s, _ in zip(DND.open(tmp_path), range(2), strict=False)]
    assert isinstance(first, Sample) and isinstance(second, Sample)
    # The first crop begins at row 1, column 2 (from 1): one column on in the pattern.
    swapped = {"RGGB": "GRBG", "GRBG": "RGGB", "GBRG": "BGGR", "BGGR": "GBRG"}
    assert first.cfa == swapped[cfa]
    turned = {"RGGB": "GBRG", "GRBG": "BGGR", "GBRG": "RGGB", "BGGR": "GRBG"}
    assert second.cfa == turned[cfa]  # row 2, column 3: one row on


def test_bad_input(tmp_path: Path, profile: SensorProfile) -> None:
    with pytest.raises(UserError, match=r"info.mat was not found"):
        DND.open(tmp_path)
    (tmp_path / "info.mat").write_bytes(b"no")
    with pytest.raises(UserError, match=r"info.mat is not a MATLAB 7.3"):
        DND.open(tmp_path)
    makers.dnd(tmp_path)
    with pytest.raises(UserError, match="DND states its own noise"):
        DND.open(tmp_path, profile)
    (tmp_path / "images_raw" / "0001.mat").unlink()
    (tmp_path / "images_raw" / "0002.mat").write_bytes(b"no")
    makers.write_array73(
        tmp_path / "images_raw" / "0003.mat", "Inoisy", np.zeros((10, 30), np.float32)
    )
    makers.write_array73(tmp_path / "images_raw" / "0004.mat", "other", makers.clean(24, 30))
    with h5py.File(tmp_path / "info.mat", "r+") as file:
        file[file["info/camera"][0, 4]]["pattern"][...] = 1.0
        file[file["info/nlf"][0, 5]]["a"][...] = -1.0
        file[file["info/boundingboxes"][0, 6]][2, 0] = 1e9
    items = list(DND.open(tmp_path))
    skipped = [item for item in items if isinstance(item, Skipped)]
    assert len([item for item in items if isinstance(item, Sample)]) == 1000 - sum(
        entry.samples for entry in skipped
    )
    for entry, part in zip(
        skipped,
        ("0001.mat was not found", "0002.mat is not a MATLAB 7.3", "allowed are rows 1..10",
         "no variable or field 'Inoisy'", "not a Bayer one", "noise a=-1",
         "allowed are rows 1..24"),
        strict=True,
    ):  # fmt: skip
        assert part in entry.reason and "\n" not in entry.reason
    assert skipped[0].samples == 20
