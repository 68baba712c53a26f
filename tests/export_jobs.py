"""Captures of a photo and jobs for exports small enough for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fa_mobile.isp import random_color, unprocess
from fa_mobile.noise import NoiseParameters, add_noise
from fa_mobile.nsma import NoiseSubrangeModelArray, subrange
from fa_mobile.sensor import SensorProfile
from fa_mobile.targets.base import CalibrationSample, ExportJob

TILE = 128
SIZE = (TILE, TILE)
TOLERANCE_DN = 1e-2

Array = npt.NDArray[np.float32]


def capture(profile: SensorProfile, a: float, seed: int, size: tuple[int, int]) -> Array:
    """A noisy mosaic of a photo, [1, 1, H, W] in DN."""
    return sample(profile, a, seed, size).raw


def sample(profile: SensorProfile, a: float, seed: int, size: tuple[int, int]) -> CalibrationSample:
    """A crop of a photo, unprocessed, with noise ``a`` and its ``b`` on the profile's line."""
    from skimage import data

    rng = np.random.default_rng(seed)
    photo = data.astronaut().astype(np.float32) / 255
    top, left = (2 * int(rng.integers(0, (512 - side) // 2 + 1)) for side in size)
    clean = unprocess(photo, random_color(rng))[top : top + size[0], left : left + size[1]]
    noise = NoiseParameters(a, profile.line_b(a))
    noisy = add_noise(clean, noise, rng, low=profile.pedestal, levels=profile.span[0])
    raw, truth = (
        (signal * profile.span[0] + profile.black_level[0]).astype(np.float32)[None, None]
        for signal in (noisy, clean)
    )
    return CalibrationSample(raw, *noise, truth=truth)


def calibration(array: NoiseSubrangeModelArray) -> list[list[CalibrationSample]]:
    profile, edges = array.spec.profile, array.spec.edges
    return [
        [
            sample(profile, float(a), seed, (TILE, TILE))
            for seed, a in enumerate(np.geomspace(*subrange(profile.a_range, edges, member), 3))
        ]
        for member in range(array.spec.members)
    ]


def job(array: NoiseSubrangeModelArray, folder: Path, **changes: Any) -> ExportJob:
    given: dict[str, Any] = {
        "array": array, "precision": "fp32", "selector": "gain", "tile": TILE,
        "calibration": (), "folder": folder, "report": lambda line: None,
    }  # fmt: skip
    return ExportJob(**(given | changes))
