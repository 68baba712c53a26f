"""Flat colours to capture: where the mean of what a denoiser makes of them must be right."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from fa_mobile.bayer import PACKED_CHANNELS
from fa_mobile.noise import NoiseParameters
from fa_mobile.sensor import SensorProfile

LEVELS: Final = tuple(float(level) for level in np.geomspace(0.003, 0.95, 15))
"""Of green, tinted."""
WHITES: Final = (0.4, 0.55, 0.7, 0.85, 1.0)
"""Of all colours alike: highlights, whose red and blue no tinted neutral reaches."""
_BOUND: Final = 0.001
"""Of the level."""
_DARK: Final = 0.002
"""Nearer to black than this an error counts as there, not relative to the level."""
_HIDDEN: Final = 0.002
"""Of the noise's standard deviation. Without it near-black colours, of which noise is cut off at
black, would pull at all that is a little brighter."""
Array = npt.NDArray[np.float64]
_TINTS: Final = (0.6, 1.4)
"""Factors on red and blue of a neutral in daylight."""


class Flat(NamedTuple):
    """A flat colour to capture: the truth by packed channel, and the noise."""

    truth: tuple[float, ...]
    noise: NoiseParameters
    white: bool

    def sigma(self, colour: int) -> float:
        """Standard deviation of the colour's noise."""
        return math.sqrt(self.noise.a * self.truth[colour] + self.noise.b)


def aim(truth: Array, noise: NoiseParameters) -> Array:
    """The error of a flat colour's mean that is aimed below, for each of its normalised levels."""
    hidden = _HIDDEN**2 * (noise.a * truth + noise.b)
    return np.asarray(np.sqrt((_BOUND * (truth + _DARK)) ** 2 + hidden))


def flats(
    profile: SensorProfile, a_range: tuple[float, float], gains: int, seed: int
) -> list[Flat]:
    """Tinted neutrals and whites, at every level and gain.

    Args:
        profile: of the sensor.
        a_range: of the member.
        gains: how many, spread over the range, both ends included.
        seed: of the tints.
    """
    rng = np.random.default_rng(seed)
    red, _, blue = profile.as_shot_neutral
    found = []
    for a in np.geomspace(*a_range, gains):
        noise = profile.noise(profile.gain_at(float(a)))
        for level, (warm, cold) in zip(
            LEVELS, rng.uniform(*_TINTS, (len(LEVELS), 2)).tolist(), strict=True
        ):
            truth = level * red * warm, level, level, level * blue * cold
            found.append(Flat(truth, noise, white=False))
        found += [Flat((level,) * len(PACKED_CHANNELS), noise, white=True) for level in WHITES]
    return found
