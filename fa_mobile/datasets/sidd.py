"""SIDD's full frames: a folder per scene instance with noisy, true and metadata files.

A. Abdelhamed, S. Lin and M. S. Brown, CVPR 2018. ``NNNN_NOISY_RAW_0FF.MAT`` and
``NNNN_GT_RAW_0FF.MAT`` are MATLAB 7.3 files whose variable ``x`` is the mosaic, normalised to 0..1
and clipped there (black is subtracted), ``NNNN_METADATA_RAW_0FF.MAT`` is a MATLAB 5 file; FF counts
the frames of a scene (010, 011).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from fa_mobile.datasets.known_noise import ProfileNoise
from fa_mobile.datasets.matlab import open_array
from fa_mobile.datasets.sample import Dataset, Entry, Level, Sample, Signal
from fa_mobile.datasets.sidd_metadata import (
    CAMERA_CFA,
    NOTHING,
    Metadata,
    Scene,
    parse_scene,
    read_metadata,
    read_noise_levels,
)
from fa_mobile.errors import UserError
from fa_mobile.noise import NoiseParameters
from fa_mobile.sensor import SensorProfile

CLIPPED: Final = "the dataset's signal is clipped at black: its noise has no negative part there"


class SceneNoise:
    """The noise of a scene: the profile where one is given, else metadata, else the CSV.

    The CSV leaves out the 40 scenes of the benchmark; they have the median of what it says of the
    same camera at the same ISO speed.
    """

    def __init__(self, folder: Path, profile: SensorProfile | None) -> None:
        self._profile = ProfileNoise(profile)
        self._levels = read_noise_levels(folder)

    @property
    def note(self) -> str:
        """For results."""
        if self._profile.profile is not None:
            return self._profile.note
        return (
            "noise (of green) from NoiseProfile of the metadata; without metadata from "
            "noise_level_functions.csv, by scene or else by camera and ISO"
        )

    def of(self, scene: Scene, metadata: Metadata) -> NoiseParameters:
        """(a, b) of the 0..1 signal.

        Raises:
            UserError: when nothing says it.
        """
        known = metadata.noise or self._levels.get(scene.name) or self._alike(scene)
        if self._profile.profile is not None or known is None:
            return self._profile.at(scene.camera, scene.iso)
        return known

    def _alike(self, scene: Scene) -> NoiseParameters | None:
        """Of the same camera at the same ISO speed, where the CSV has such a scene."""
        listed = [(parse_scene(name), noise) for name, noise in self._levels.items()]
        same = [noise for other, noise in listed if other[2:] == scene[2:]]
        return NoiseParameters(*(float(v) for v in np.median(same, axis=0))) if same else None


def open_dataset(folder: Path, profile: SensorProfile | None = None) -> Dataset:
    """The pairs below ``folder`` (or its ``Data``), scene by scene.

    Raises:
        UserError: when there are none.
    """
    root = folder / "Data" if (folder / "Data").is_dir() else folder
    noisy = sorted(root.glob("*/*NOISY_RAW_*.MAT"))
    if not noisy:
        raise UserError(
            f"{folder} holds no SIDD scene (folders NNNN_..., each with *_NOISY_RAW_010.MAT); give "
            "the folder that holds them"
        )
    noise = SceneNoise(folder, profile)
    entries = (
        Entry(f"{path.parent.name}/{path.stem}", partial(_pair, path, noise)) for path in noisy
    )
    return Dataset("sidd", tuple(entries), (noise.note, CLIPPED))


def _pair(noisy: Path, noise: SceneNoise) -> Iterator[Sample]:
    scene = parse_scene(noisy.parent.name)
    metadata = read_metadata(_beside(noisy, "METADATA"))
    yield Sample(
        name=f"{scene.name}/{noisy.stem}",
        camera=scene.camera,
        level=iso_level(scene.iso),
        noisy=read_frame(noisy),
        truth=read_frame(_beside(noisy, "GT")),
        cfa=metadata.cfa or CAMERA_CFA[scene.camera],
        noise=noise.of(scene, metadata),
        color=metadata.color,
    )


def iso_level(iso: float) -> Level:
    """Samples of one ISO speed are reported together."""
    return Level(f"ISO {iso:g}", iso)


def read_frame(path: Path) -> Signal:
    """``x`` of a RAW file of SIDD: [H, W], normalised."""
    with open_array(path, "x", 2) as array:
        return np.ascontiguousarray(array[:, :], np.float32)


def metadata_beside(folder: Path, scene: Scene) -> Metadata:
    """Of the scene's folder below ``folder`` where it was downloaded, else nothing."""
    path = folder / scene.name / f"{scene.number}_METADATA_RAW_010.MAT"
    return read_metadata(path) if path.is_file() else NOTHING


def _beside(noisy: Path, kind: str) -> Path:
    path = noisy.with_name(noisy.name.replace("NOISY", kind))
    if not path.is_file():
        raise UserError(f"{noisy.parent.name} has no {path.name}; get the scene's files again")
    return path
