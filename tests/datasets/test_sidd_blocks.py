"""SIDD's blocks in files of both MATLAB versions, and cut out of full frames."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from fa_mobile.datasets.sample import Sample, Skipped
from fa_mobile.datasets.sidd_scenes import BENCHMARK_SCENES
from fa_mobile.datasets.table import format_named
from fa_mobile.errors import UserError
from fa_mobile.sensor import SensorProfile
from tests.datasets import makers

VALIDATION, BENCHMARK = format_named("sidd-validation"), format_named("sidd-benchmark")


@pytest.mark.parametrize("version", ["5", "7.3"])
def test_validation_blocks(tmp_path: Path, version: str) -> None:
    noisy = makers.sidd_blocks(tmp_path, "Validation", version=version)
    makers.sidd_levels(tmp_path)
    dataset = VALIDATION.open(tmp_path)
    samples = [item for item in dataset if isinstance(item, Sample)]
    assert len(samples) == len(dataset) == 1280
    one = samples[33]
    assert one.name == f"{BENCHMARK_SCENES[1]}/02" and one.camera == "GP" and one.cfa == "BGGR"
    assert one.level == ("ISO 10000", 10000) and one.place == (1, 1)
    assert np.array_equal(one.noisy, noisy[1, 1])
    assert one.truth is not None and np.array_equal(one.truth, makers.clean(16, 16, 2))
    assert one.noise == makers.NOISE


def test_benchmark_blocks_have_no_truth(tmp_path: Path) -> None:
    noisy = makers.sidd_blocks(tmp_path, "Benchmark", side=8)
    makers.sidd_levels(tmp_path)
    samples = [item for item in BENCHMARK.open(tmp_path) if isinstance(item, Sample)]
    assert len(samples) == 1280 and all(sample.truth is None for sample in samples)
    assert np.array_equal(samples[-1].noisy, noisy[39, 31]) and samples[-1].place == (39, 31)


def test_noise_of_scenes_like_it(tmp_path: Path) -> None:
    """The authors' table leaves the benchmark's scenes out."""
    makers.sidd_blocks(tmp_path, "Validation", side=4)
    rows = ["scene_instance_id,beta1_r,beta2_r,beta1_g,beta2_g,beta1_b,beta2_b"]
    rows += [f"00{n}_001_S6_00800_00350_3200_N,9,9,{a},0,9,9" for n, a in ((10, 3e-3), (11, 5e-3))]
    rows.append("0012_001_GP_00800_00350_3200_N,9,9,1,0,9,9")
    (tmp_path / "noise_level_functions.csv").write_text("\n".join(rows))
    items = list(VALIDATION.open(tmp_path))
    samples = [item for item in items if isinstance(item, Sample)]
    assert {sample.name[:4] for sample in samples} == {"0009", "0061"}  # the S6 at ISO 800
    assert samples[0].noise == pytest.approx((4e-3, 0))
    skipped = next(item for item in items if isinstance(item, Skipped))
    assert "nothing says the noise of GP at ISO 10000" in skipped.reason


def test_a_profile_serves_the_camera_of_the_first_scene(
    tmp_path: Path, profile: SensorProfile
) -> None:
    makers.sidd_blocks(tmp_path, "Validation", side=4)
    items = list(VALIDATION.open(tmp_path, profile))
    samples = [item for item in items if isinstance(item, Sample)]
    scenes = [name for name in BENCHMARK_SCENES if "_S6_" in name]
    assert {sample.camera for sample in samples} == {"S6"} and len(samples) == 32 * len(scenes)
    assert sum(item.samples for item in items if isinstance(item, Skipped)) == 1280 - len(samples)


def test_blocks_cut_out_of_full_frames(tmp_path: Path) -> None:
    """Positions count from 1; a block that begins at an odd row begins with another colour."""
    frames = tmp_path / "SIDD_Benchmark_Data"
    positions = np.array([(1 + 2 * b, 3, 8, 6) for b in range(31)] + [(4, 3, 8, 6)], np.float64)
    savemat(tmp_path / "BenchmarkBlocks32.mat", {"BenchmarkBlocks32": positions})
    for index, name in enumerate(BENCHMARK_SCENES[:2]):
        makers.sidd_scene(frames, name, makers.clean(80, 20, index), seed=index, cfa="GRBG")
    items = list(BENCHMARK.open(tmp_path))
    samples = [item for item in items if isinstance(item, Sample)]
    assert [s.place for s in samples] == [(scene, b) for scene in (0, 1) for b in range(32)]
    whole = makers.noisy(makers.clean(80, 20, 1), seed=1)
    assert np.array_equal(samples[33].noisy, whole[2:10, 2:8])
    assert samples[33].cfa == "GRBG"
    assert samples[63].cfa == "BGGR" and np.array_equal(samples[63].noisy, whole[3:11, 2:8])
    missing = [item for item in items if isinstance(item, Skipped)]
    assert sum(entry.samples for entry in missing) == 38 * 32
    assert "0024_NOISY_RAW_010.MAT was not found" in missing[0].reason


def test_bad_input(tmp_path: Path) -> None:
    for layout in (VALIDATION, BENCHMARK):
        with pytest.raises(UserError, match="give the folder of SIDD's"):
            layout.open(tmp_path)
    (tmp_path / "BenchmarkNoisyBlocksRaw.mat").write_bytes(b"cut off")
    entries = [item for item in BENCHMARK.open(tmp_path) if isinstance(item, Skipped)]
    assert sum(entry.samples for entry in entries) == 1280
    assert "BenchmarkNoisyBlocksRaw.mat is damaged" in entries[0].reason
    name = "BenchmarkNoisyBlocksRaw"
    savemat(tmp_path / f"{name}.mat", {name: np.zeros((39, 32, 4, 4), np.float32)})
    (entry, *_) = BENCHMARK.open(tmp_path)
    assert (
        isinstance(entry, Skipped) and "[39, 32, 4, 4]; allowed is [40, 32, H, W]" in entry.reason
    )
    (tmp_path / f"{name}.mat").unlink()
    (tmp_path / "SIDD_Benchmark_Data").mkdir()
    savemat(tmp_path / "BenchmarkBlocks32.mat", {"BenchmarkBlocks32": np.zeros((32, 4))})
    with pytest.raises(UserError, match="32 rows of .* counted from 1"):
        BENCHMARK.open(tmp_path)
