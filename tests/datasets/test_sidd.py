"""SIDD's full frames and what its metadata say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fa_mobile import isp
from fa_mobile.datasets.sample import Sample, Skipped
from fa_mobile.datasets.sidd_metadata import parse_scene, read_metadata
from fa_mobile.datasets.sidd_scenes import BENCHMARK_SCENES
from fa_mobile.datasets.table import format_named
from fa_mobile.errors import UserError
from fa_mobile.sensor import SensorProfile
from tests.datasets import makers

S6, IP = "0001_001_S6_00100_00060_3200_L", "0031_001_IP_01600_02000_3200_N"
SIDD = format_named("sidd")


def read(folder: Path, profile: SensorProfile | None = None) -> tuple[list[Sample], list[Skipped]]:
    items = list(SIDD.open(folder, profile))
    return [i for i in items if isinstance(i, Sample)], [i for i in items if isinstance(i, Skipped)]


def test_pairs_as_the_authors_store_them(tmp_path: Path) -> None:
    truth = makers.clean(20, 30)
    makers.sidd_scene(tmp_path / "Data", S6, truth)
    makers.sidd_scene(tmp_path / "Data", IP, truth, cfa="RGGB", inner=True)
    (first, second), skipped = read(tmp_path)
    assert not skipped
    assert first.name == f"{S6}/0001_NOISY_RAW_010" and first.camera == "S6"
    assert (first.level, second.level) == (("ISO 100", 100), ("ISO 1600", 1600))
    assert first.truth is not None and np.array_equal(first.truth, truth)
    assert np.array_equal(first.noisy, makers.noisy(truth))
    assert (first.cfa, second.cfa) == ("GRBG", "RGGB")
    assert first.noise == second.noise == makers.NOISE
    assert first.color is not None
    assert np.allclose(first.color.rgb_to_camera, isp.srgb_to_camera(makers.MATRIX))
    assert (first.color.red_gain, first.color.blue_gain) == (2.0, 1.6)


def test_pattern_of_the_camera_where_metadata_have_none(tmp_path: Path) -> None:
    makers.sidd_scene(tmp_path, S6, makers.clean(8, 8), cfa="RRBB")
    assert read(tmp_path)[0][0].cfa == "GRBG"


@pytest.mark.parametrize("pair", [tuple(makers.NOISE), (9.0, 9.0, *makers.NOISE, 9.0, 9.0)])
def test_noise_profile_of_one_plane_or_three(tmp_path: Path, pair: tuple[float, ...]) -> None:
    folder = makers.sidd_scene(tmp_path, S6, makers.clean(8, 8), noise=pair)
    assert read_metadata(folder / "0001_METADATA_RAW_010.MAT").noise == makers.NOISE


def test_where_the_noise_comes_from(tmp_path: Path, profile: SensorProfile) -> None:
    makers.sidd_scene(tmp_path, S6, makers.clean(8, 8), noise=None)
    makers.sidd_scene(tmp_path, IP, makers.clean(8, 8))
    samples, (skipped,) = read(tmp_path)
    assert [sample.camera for sample in samples] == ["IP"]
    assert "nothing says the noise of S6 at ISO 100" in skipped.reason
    assert "--profile" in skipped.reason
    # A profile is one sensor's: the first camera's.
    (sample,), (skipped,) = read(tmp_path, profile)
    assert sample.camera == "S6" and sample.noise == profile.noise(1.0)
    assert "taken by IP" in skipped.reason and "sensors are mixed" in skipped.reason
    makers.sidd_levels(tmp_path, [S6])
    samples, skips = read(tmp_path)
    assert not skips and samples[0].noise == makers.NOISE
    (tmp_path / "noise_level_functions.csv").write_text("a,b\n1,2\n")
    with pytest.raises(UserError, match="noise_level_functions.csv cannot be read.*columns"):
        SIDD.open(tmp_path)


def test_bad_files_lose_their_own_sample_only(tmp_path: Path) -> None:
    names = [f"00{n:02d}_001_S6_00100_00060_3200_L" for n in range(1, 8)]
    folders = [makers.sidd_scene(tmp_path, name, makers.clean(8, 8)) for name in names]
    (folders[0] / "0001_GT_RAW_010.MAT").unlink()
    (folders[1] / "0002_METADATA_RAW_010.MAT").unlink()
    whole = (folders[2] / "0003_NOISY_RAW_010.MAT").read_bytes()
    (folders[2] / "0003_NOISY_RAW_010.MAT").write_bytes(whole[: len(whole) // 2])
    (folders[3] / "0004_METADATA_RAW_010.MAT").write_bytes(b"no MATLAB file at all")
    (folders[4] / "0005_GT_RAW_010.MAT").unlink()
    makers.write_array73(folders[4] / "0005_GT_RAW_010.MAT", "x", makers.clean(8, 6))
    (folders[5] / "0006_NOISY_RAW_010.MAT").unlink()
    makers.write_array73(
        folders[5] / "0006_NOISY_RAW_010.MAT", "x", np.full((8, 8), np.nan, np.float32)
    )
    samples, skipped = read(tmp_path)
    assert [sample.name[:4] for sample in samples] == ["0007"]
    for entry, part in zip(
        skipped,
        ("has no 0001_GT_RAW_010.MAT", "has no 0002_METADATA", "0003_NOISY_RAW_010.MAT is damaged",
         "0004_METADATA_RAW_010.MAT is damaged", "(8, 6)", "NaN"),
        strict=True,
    ):  # fmt: skip
        assert part in entry.reason and "\n" not in entry.reason, entry


def test_names_of_scenes(tmp_path: Path) -> None:
    scene = parse_scene(S6)
    assert (scene.number, scene.camera, scene.iso) == ("0001", "S6", 100)
    for name in ("0001", S6.replace("S6", "X9"), S6.replace("00100", "00000"), S6 + "x"):
        with pytest.raises(UserError, match=r"allowed (is|are)"):
            parse_scene(name)
    assert len(set(BENCHMARK_SCENES)) == 40 and list(BENCHMARK_SCENES) == sorted(BENCHMARK_SCENES)
    for name in BENCHMARK_SCENES:
        parse_scene(name)
    with pytest.raises(UserError, match="holds no SIDD scene"):
        SIDD.open(tmp_path)
    with pytest.raises(UserError, match="is no folder; sidd needs one with scene folders"):
        SIDD.open(tmp_path / "none")
