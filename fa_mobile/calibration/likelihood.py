"""How likely counted samples are under the clipped, rounded heteroscedastic model.

Foi 2009 ("Clipped noisy images: Heteroskedastic modeling and practical denoising") and Azzari and
Foi 2014 treat a sample at an end of the range as censored: the signal was there or beyond. Here
every sample is: DN k says that the signal lay between k - 1/2 and k + 1/2, and the lowest (the
highest) DN that it lay anywhere below (above). So rounding and clipping are exact, also where
the noise is far below one DN.

Signals are normalised, 0 at black and 1 at white.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from fa_mobile.noise import NoiseParameters

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.intp]

_LEAST_VARIANCE: Final = 1e-12
_NEWTON_STEPS: Final = 12
_DENSITY: Final = 1 / np.sqrt(2 * np.pi)


@dataclass(frozen=True, eq=False)
class Counted(ABC):
    """Samples counted in cells, each cell in one group that shares a mean."""

    counts: Array
    """[C]."""
    groups: Index
    """[C], of each cell."""
    strays: Array
    """[C, 3]: probability of the cell for an outlier of each kind: anywhere, at the high end, at
    the low end."""
    intensity: Array
    """[G]: mean signal of each group."""
    spent: Array
    """[G]: degrees of freedom that fitting the group's mean took."""

    @abstractmethod
    def probabilities(self, noise: NoiseParameters) -> Array:
        """[C]: of each cell under the noise, without outliers."""


@dataclass(frozen=True, eq=False)
class IntervalCounts(Counted):
    """Samples of one frame, by the surface's level and the DN."""

    lower: Array
    """[C], normalised: where the cell begins; -inf at the low end."""
    upper: Array
    levels: Index
    """[C]: each cell's place in what follows."""
    observed: Array
    """[L]: mean of what the sensor reports there, clipped as it is."""
    low: Array
    """[L]: where the signal is clipped, which differs with the colours' black levels."""
    high: Array

    def probabilities(self, noise: NoiseParameters) -> Array:
        mean = unclipped_mean(self.observed, noise, self.low, self.high)
        sigma = deviation(mean, noise)[self.levels]
        at = mean[self.levels]
        return between((self.lower - at) / sigma, (self.upper - at) / sigma)


@dataclass(frozen=True, eq=False)
class DifferenceCounts(Counted):
    """Differences of two frames of one scene, by block and DN.

    The difference of two rounded signals, whose place between two DN is anywhere, is spread by a
    triangle of two DN about the signals' difference.
    """

    first: Array
    """[C]: the least difference of the cell, DN."""
    last: Array
    """[C]: the largest, DN."""
    shift: Array
    """[G]: mean difference (the light changed), DN."""
    span: Array
    """[G]: white - black, DN."""

    def probabilities(self, noise: NoiseParameters) -> Array:
        sigma = np.sqrt(2.0) * deviation(self.intensity, noise) * self.span
        wide = sigma[self.groups]
        first, last = (end - self.shift[self.groups] for end in (self.first, self.last))
        # Twice integrated over the triangle; within a cell the terms between cancel.
        total = _ramp((last + 1) / wide) - _ramp(last / wide)
        total -= _ramp(first / wide) - _ramp((first - 1) / wide)
        return np.asarray(np.maximum(wide * total, 0.0), np.float64)

    def of(self, groups: Sequence[bool]) -> DifferenceCounts:
        """The counts of some groups only, [G] True where one stays."""
        stays = np.asarray(groups, bool)
        cells = stays[self.groups]
        return DifferenceCounts(
            counts=self.counts[cells],
            groups=(np.cumsum(stays) - 1)[self.groups[cells]],
            strays=self.strays[cells],
            intensity=self.intensity[stays],
            spent=self.spent[stays],
            first=self.first[cells],
            last=self.last[cells],
            shift=self.shift[stays],
            span=self.span[stays],
        )


def deviation(signal: Array, noise: NoiseParameters) -> Array:
    """Standard deviation at a signal; below black it is black's."""
    return np.sqrt(np.maximum(noise.a * np.maximum(signal, 0) + noise.b, _LEAST_VARIANCE))


def between(lower: Array, upper: Array) -> Array:
    """Standard normal probability of an interval, without cancellation in the upper tail."""
    flip = lower > 0
    start = np.where(flip, -upper, lower)
    end = np.where(flip, -lower, upper)
    return np.asarray(ndtr(end) - ndtr(start), np.float64)


def unclipped_mean(observed: Array, noise: NoiseParameters, low: Array, high: Array) -> Array:
    """The signal whose mean after clipping to low..high is ``observed``, by Newton's method."""
    mean = observed.copy()
    margin = 1e-6 * (high - low)
    target = np.clip(observed, low + margin, high - margin)
    for _ in range(_NEWTON_STEPS):
        sigma = deviation(mean, noise)
        start, end = (low - mean) / sigma, (high - mean) / sigma
        below, above, inside = ndtr(start), ndtr(-end), between(start, end)
        at_start, at_end = _bell(start), _bell(end)
        got = low * below + high * above + mean * inside + sigma * (at_start - at_end)
        slope = inside + (at_start - at_end) * np.where(mean > 0, noise.a / (2 * sigma), 0)
        step = (target - got) / np.maximum(slope, 0.05)
        mean = mean + np.clip(step, -sigma, sigma)
        if np.abs(step).max(initial=0) < 1e-9:
            break
    return mean


def _bell(z: Array) -> Array:
    return np.asarray(_DENSITY * np.exp(-z * z / 2), np.float64)


def _ramp(z: Array) -> Array:
    """The integral of the normal distribution function."""
    # Written for -|z|, where both terms are small; the rest is exact.
    tail = _bell(z) - np.abs(z) * ndtr(-np.abs(z))
    return np.asarray(tail + np.maximum(z, 0), np.float64)
