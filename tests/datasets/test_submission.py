"""Submissions read back as MATLAB would: names, types, shapes and order."""

from __future__ import annotations

import base64
import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat, whosmat

from fa_mobile.datasets.submission import DndSubmission, SiddSubmission
from fa_mobile.datasets.table import format_named
from fa_mobile.errors import UserError
from fa_mobile.evaluation.dataset_submit import submit
from fa_mobile.evaluation.subjects import Subject
from fa_mobile.noise import NoiseParameters
from fa_mobile.patches import to_dn, to_signal
from fa_mobile.sensor import SensorProfile
from tests.datasets import makers
from tests.datasets.test_table import sample


def darkening(profile: SensorProfile) -> Subject:
    """Halves the signal: what is written is known."""

    def by_noise(raw: np.ndarray, noise: NoiseParameters) -> np.ndarray:  # type: ignore[type-arg]
        half = to_signal(raw.astype(np.float32), profile) / 2
        return to_dn(half, profile)

    return Subject("half", lambda raw, gain: raw, profile, by_noise)  # type: ignore[arg-type,return-value]


def test_dnd(tmp_path: Path, profile: SensorProfile) -> None:
    """The kit: 1000 files of a crop, and 50 to upload with a cell array of 20 each."""
    mosaics = makers.dnd(tmp_path / "data")
    layout, out = format_named("dnd"), tmp_path / "out"
    assert submit(darkening(profile), layout.open(tmp_path / "data"), layout, out) == 1000
    crops = sorted(path.name for path in out.glob("*.mat"))
    assert crops == [f"{i:04d}_{b:02d}.mat" for i in range(1, 51) for b in range(1, 21)]
    assert whosmat(out / "0003_06.mat") == [("Idenoised_crop", (8, 8), "single")]
    crop = loadmat(out / "0003_06.mat")["Idenoised_crop"]
    assert crop == pytest.approx(mosaics[2][5:13, 1:9] / 2, abs=1e-5)

    bundled = sorted(path.name for path in (out / "bundled").iterdir())
    assert bundled == [f"{i:04d}.mat" for i in range(1, 51)]
    assert whosmat(out / "bundled" / "0003.mat") == [
        ("Idenoised", (1, 20), "cell"), ("israw", (1, 1), "logical"),
        ("eval_version", (1,), "char"),
    ]  # fmt: skip
    data = loadmat(out / "bundled" / "0003.mat")
    assert data["israw"].item() == 1 and data["eval_version"].item() == "1.0"
    for index in range(20):
        cell = data["Idenoised"][0, index]
        alone = loadmat(out / f"0003_{index + 1:02d}.mat")["Idenoised_crop"]
        assert cell.dtype == np.float32 and np.array_equal(cell, alone)


def test_sidd(tmp_path: Path, profile: SensorProfile) -> None:
    noisy = makers.sidd_blocks(tmp_path / "data", "Benchmark", side=8)
    makers.sidd_levels(tmp_path / "data")
    layout, out = format_named("sidd-benchmark"), tmp_path / "out"
    submit(darkening(profile), layout.open(tmp_path / "data"), layout, out)
    assert sorted(path.name for path in out.iterdir()) == ["SubmitRaw.csv", "SubmitRaw.mat"]
    assert whosmat(out / "SubmitRaw.mat") == [
        ("DenoisedBlocksRaw", (40, 32), "cell"), ("TimeMPRaw", (1, 1), "double"),
        ("OptionalData", (1, 1), "struct"),
    ]  # fmt: skip
    data = loadmat(out / "SubmitRaw.mat", squeeze_me=False)
    block = data["DenoisedBlocksRaw"][7, 11]
    assert block.dtype == np.float32 and block == pytest.approx(noisy[7, 11] / 2, abs=1e-5)
    assert data["TimeMPRaw"].item() > 0
    assert data["OptionalData"].dtype.names == ("MethodName", "Authors", "PaperTitle", "Venue")
    assert data["OptionalData"]["MethodName"][0, 0].item() == "half"
    with (out / "SubmitRaw.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["ID"] for row in rows] == [str(number) for number in range(1280)]
    sent = np.frombuffer(base64.b64decode(rows[7 * 32 + 11]["BLOCK"]), "<f4").reshape(8, 8)
    assert np.array_equal(sent, block)


def test_time_is_in_seconds_per_megapixel(tmp_path: Path) -> None:
    written = SiddSubmission(tmp_path, "method")
    for place in written.places():
        written.add(sample(place=place), makers.clean(8, 8), 2.0)
    written.finish()
    per_pixel = 2.0 / 64
    assert loadmat(tmp_path / "SubmitRaw.mat")["TimeMPRaw"].item() == per_pixel * 1024 * 1024


def test_results_are_clipped_and_holes_refused(tmp_path: Path) -> None:
    written = DndSubmission(tmp_path, "method")
    one = sample()
    written.add(one, np.linspace(-1, 2, 64, dtype=np.float32).reshape(8, 8), 0.0)
    crop = loadmat(tmp_path / "0001_01.mat")["Idenoised_crop"]
    assert crop.min() == 0 and crop.max() == 1
    with pytest.raises(UserError, match="no place left"):
        written.add(one, makers.clean(8, 8), 0.0)
    with pytest.raises(UserError, match="no place left"):
        written.add(replace(one, place=(50, 0)), makers.clean(8, 8), 0.0)
    with pytest.raises(UserError, match="999 of 1000 denoised crops are missing .*image 1, crop 2"):
        written.finish()


def test_a_missing_image_leaves_nothing_behind(tmp_path: Path, profile: SensorProfile) -> None:
    makers.dnd(tmp_path / "data")
    (tmp_path / "data" / "images_raw" / "0002.mat").unlink()
    layout = format_named("dnd")
    with pytest.raises(UserError, match="0002 cannot be read, and a submission with holes"):
        submit(darkening(profile), layout.open(tmp_path / "data"), layout, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["data"]
