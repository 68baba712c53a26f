"""SIDD's validation and benchmark blocks: 32 blocks of 256 x 256 from each of 40 scenes.

``ValidationNoisyBlocksRaw.mat`` and ``ValidationGtBlocksRaw.mat`` hold one array each,
[40, 32, 256, 256], normalised to 0..1; ``BenchmarkNoisyBlocksRaw.mat`` has no truth. Where the
benchmark's full frames were downloaded instead (``SIDD_Benchmark_Data``), its blocks are cut out
at the rows of ``BenchmarkBlocks32.mat``: (row, column, height, width), counted from 1. Neither
says which scene a block comes from: the 40 scenes follow each other in the order of their names.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from fa_mobile.bayer import cfa_at
from fa_mobile.datasets.matlab import open_array
from fa_mobile.datasets.sample import Dataset, Entry, Sample
from fa_mobile.datasets.sidd import CLIPPED, SceneNoise, iso_level, metadata_beside
from fa_mobile.datasets.sidd_metadata import CAMERA_CFA, parse_scene
from fa_mobile.datasets.sidd_scenes import BENCHMARK_SCENES
from fa_mobile.errors import UserError
from fa_mobile.sensor import SensorProfile

BLOCKS: Final = 32
FRAMES: Final = "SIDD_Benchmark_Data"
POSITIONS: Final = "BenchmarkBlocks32.mat"
_WHAT: Final = "allowed is [40, 32, H, W], one row for each scene; get the file again"


def open_validation(folder: Path, profile: SensorProfile | None = None) -> Dataset:
    """The validation blocks with their truth."""
    return _open_blocks(folder, profile, "sidd-validation", "Validation", truth=True)


def open_benchmark(folder: Path, profile: SensorProfile | None = None) -> Dataset:
    """The benchmark's blocks, for a submission."""
    if (folder / "BenchmarkNoisyBlocksRaw.mat").is_file():
        return _open_blocks(folder, profile, "sidd-benchmark", "Benchmark", truth=False)
    if not ((folder / FRAMES).is_dir() and (folder / POSITIONS).is_file()):
        raise UserError(
            f"{folder} holds neither BenchmarkNoisyBlocksRaw.mat nor {FRAMES}/ with {POSITIONS}; "
            "give the folder of SIDD's benchmark"
        )
    noise = SceneNoise(folder, profile)
    positions = _positions(folder / POSITIONS)
    entries = (
        Entry(name, partial(_cut, folder, index, positions, noise), len(positions))
        for index, name in enumerate(BENCHMARK_SCENES)
    )
    return Dataset("sidd-benchmark", tuple(entries), (noise.note, CLIPPED))


def _open_blocks(
    folder: Path, profile: SensorProfile | None, name: str, stem: str, *, truth: bool
) -> Dataset:
    kinds = ("Noisy", "Gt") if truth else ("Noisy",)
    paths = [folder / f"{stem}{kind}BlocksRaw.mat" for kind in kinds]
    for path in paths:
        if not path.is_file():
            raise UserError(f"{folder} has no {path.name}; give the folder of SIDD's blocks")
    noise, blocks = SceneNoise(folder, profile), _Blocks(paths)
    entries = (
        Entry(scene, partial(_samples, folder, index, blocks, noise), BLOCKS)
        for index, scene in enumerate(BENCHMARK_SCENES)
    )
    return Dataset(name, tuple(entries), (noise.note, CLIPPED))


class _Blocks:
    """Files of blocks, read scene by scene where their version allows it (7.3), else once."""

    def __init__(self, paths: list[Path]) -> None:
        self._paths = paths
        self._whole: dict[Path, npt.NDArray[Any]] = {}

    def of_scene(self, index: int) -> list[npt.NDArray[Any]]:
        """[32, H, W] of each file."""
        parts = [self._read(path, index) for path in self._paths]
        for path, part in zip(self._paths, parts, strict=True):
            if part.shape != parts[0].shape:
                raise UserError(
                    f"{path} holds blocks of {list(part.shape)} and {self._paths[0].name} of "
                    f"{list(parts[0].shape)}; get both again"
                )
        return parts

    def _read(self, path: Path, index: int) -> npt.NDArray[Any]:
        if path in self._whole:
            return np.asarray(self._whole[path][index])
        with open_array(path, path.stem, 4) as array:
            if array.shape[:2] != (len(BENCHMARK_SCENES), BLOCKS):
                raise UserError(f"{path} holds an array of {list(array.shape)}; {_WHAT}")
            if isinstance(array, np.ndarray):
                self._whole[path] = array
            return array[index, :, :, :]


def _samples(folder: Path, index: int, blocks: _Blocks, noise: SceneNoise) -> Iterator[Sample]:
    """The blocks of one scene."""
    scene = parse_scene(BENCHMARK_SCENES[index])
    metadata = metadata_beside(folder / FRAMES, scene)
    parts = blocks.of_scene(index)
    for block in range(BLOCKS):
        noisy, *truth = (np.ascontiguousarray(part[block], np.float32) for part in parts)
        yield Sample(
            name=f"{scene.name}/{block + 1:02d}",
            camera=scene.camera,
            level=iso_level(scene.iso),
            noisy=noisy,
            truth=truth[0] if truth else None,
            cfa=metadata.cfa or CAMERA_CFA[scene.camera],
            noise=noise.of(scene, metadata),
            color=metadata.color,
            place=(index, block),
        )


def _cut(
    folder: Path, index: int, positions: npt.NDArray[np.int64], noise: SceneNoise
) -> Iterator[Sample]:
    scene = parse_scene(BENCHMARK_SCENES[index])
    metadata = metadata_beside(folder / FRAMES, scene)
    cfa = metadata.cfa or CAMERA_CFA[scene.camera]
    path = folder / FRAMES / scene.name / f"{scene.number}_NOISY_RAW_010.MAT"
    with open_array(path, "x", 2) as frame:
        for block, (row, col, height, width) in enumerate(positions):
            top, left = int(row) - 1, int(col) - 1
            if top + height > frame.shape[0] or left + width > frame.shape[1]:
                raise UserError(
                    f"{path} is {list(frame.shape)}, too small for block {block + 1} of "
                    f"{POSITIONS}; get both again"
                )
            cut = frame[top : top + int(height), left : left + int(width)]
            yield Sample(
                name=f"{scene.name}/{block + 1:02d}",
                camera=scene.camera,
                level=iso_level(scene.iso),
                noisy=np.ascontiguousarray(cut, np.float32),
                truth=None,
                cfa=cfa_at(cfa, top, left),
                noise=noise.of(scene, metadata),
                color=metadata.color,
                place=(index, block),
            )


def _positions(path: Path) -> npt.NDArray[np.int64]:
    with open_array(path, "BenchmarkBlocks32", 2) as array:
        rows = np.asarray(array[:, :], np.float64)
    if rows.shape != (BLOCKS, 4) or not (np.isfinite(rows) & (rows >= 1) & (rows <= 1e5)).all():
        raise UserError(
            f"{path} holds {list(rows.shape)} numbers; allowed are {BLOCKS} rows of (row, column, "
            "height, width) counted from 1; get the file again"
        )
    return np.asarray(rows, np.int64)
