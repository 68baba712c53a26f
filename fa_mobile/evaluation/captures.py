"""Simulated captures of photos: one place makes them, the same for every subject.

Synthetic noise. A capture may be noisier or cleaner than its denoiser is told
(:func:`with_noise`): a profile is never quite right.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from fa_mobile.errors import UserError
from fa_mobile.sensor import SensorProfile
from fa_mobile.simulation import simulate_rggb
from fa_mobile.training.sources import read_photo

GAINS: Final = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
CROP: Final = 512


class NoiseScale(NamedTuple):
    """Factors on the profile's a and b with which captures are made; the denoiser has 1, 1."""

    a: float = 1.0
    b: float = 1.0


AS_PROFILED: Final = NoiseScale()
"""Captures with the very noise that denoisers expect."""


class Capture(NamedTuple):
    """What the sensor reads, whole DN, and the clean signal in DN: [H, W] RGGB both."""

    gain: float
    mosaic: npt.NDArray[np.uint16]
    truth: npt.NDArray[np.float32]


def with_noise(profile: SensorProfile, scale: NoiseScale) -> SensorProfile:
    """The profile of a sensor whose noise is ``scale`` times what ``profile`` says, at every gain.

    Raises:
        UserError: for factors that are not finite, an a of 0 or less, or a negative b.
    """
    if not (math.isfinite(scale.a) and math.isfinite(scale.b) and scale.a > 0 and scale.b >= 0):
        raise UserError(
            f"noise factors a={scale.a:g} and b={scale.b:g} were given; allowed are finite "
            "numbers, a above 0 and b from 0 (1.3 is 30 % more variance than the profile says)"
        )
    if scale == AS_PROFILED:
        return profile
    changes = {
        "a_linear": [scale.a * c for c in profile.a_linear],
        "b_quadratic": [scale.b * c for c in profile.b_quadratic],
    }
    return SensorProfile.model_validate(profile.model_dump() | changes)


def captures(
    path: Path, profile: SensorProfile, gains: Iterable[float], seed: int, *, least_side: int = 2
) -> Iterator[Capture]:
    """A capture of a photo's central 512 x 512 at each gain.

    Raises:
        UserError: for a photo that cannot be read or has a side below ``least_side``.
    """
    photo = central_crop(read_photo(path))
    if min(photo.shape[:2]) < least_side:
        raise UserError(
            f"{path} is {photo.shape[1]} x {photo.shape[0]}; what is to be measured needs "
            f"{least_side} x {least_side} at least: leave the photo out, or measure raw-psnr only"
        )
    for gain in gains:
        made = simulate_rggb(photo, profile, gain, seed)
        yield Capture(gain, made.noisy, made.truth)


def central_crop(photo: npt.NDArray[np.uint8], side: int = CROP) -> npt.NDArray[np.uint8]:
    """The central ``side`` x ``side`` of a photo, or all of it where it is smaller."""
    top, left = (max(length - side, 0) // 2 for length in photo.shape[:2])
    return photo[top : top + side, left : left + side]
