"""Flat regions of a frame to counted samples: what the estimator reads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from fa_mobile.bayer import PlaneWindow
from fa_mobile.calibration.likelihood import Array, IntervalCounts
from fa_mobile.calibration.limits import Limits
from fa_mobile.calibration.regions import Planes
from fa_mobile.calibration.surface import BLOCK, fit_surface, whole_blocks
from fa_mobile.raw_io import RawFrame

MOST_CLIPPED: Final = 0.5
"""Share of samples at an end of the range beyond which a region says next to nothing."""
MOST_UNEVEN: Final = 1.5
"""Variance of block means, over what noise explains, beyond which a region is not flat.

The excess adds a twenty-fifth of itself (the samples of a block) to the variance: 2 %.
"""
_CHANCE: Final = 5.0
"""Standard deviations that chance may add to that in regions of few blocks."""
_ROUNDING_STEPS: Final = 0.1
"""DN by which rounding may move block means where the noise is below one DN."""
_SLOPE_STEP: Final = 0.1
"""Step of the surface's levels, in standard deviations: adds 0.1 % to the variance at most."""
_BIN: Final = 8
"""Bins per standard deviation where the noise is many DN wide; costs 0.1 % of the precision."""
_MOST_LEVELS: Final = 256

Why = Literal["saturated", "black", "uneven"]


class Point(NamedTuple):
    """Mean and variance of one region in one colour, normalised: a dot of the scatter."""

    channel: int
    """0..3: R, Gr, Gb, B."""
    mean: float
    variance: float
    """Of the samples as they are, rounding's share taken out; too small where clipped."""
    clipped: float
    """Share of the samples at an end of the range."""
    samples: int


@dataclass(frozen=True, eq=False)
class Sample:
    """A region in one colour: its point, and its samples counted by level and DN."""

    point: Point
    counts: Array
    level: npt.NDArray[np.intp]
    lower: Array
    upper: Array
    observed: Array
    limits: tuple[float, float]
    """Where the signal is clipped, normalised."""
    strays: Array
    spent: int


def region_samples(
    planes: Planes, region: PlaneWindow, frame: RawFrame, limits: Limits
) -> list[Sample | Why]:
    """The four colours of a region, or why a colour cannot be used."""
    return [
        _sample(part, channel, frame.black_level[channel], frame.white_level, limits)
        for channel, part in enumerate(region.of(planes))
    ]


def _sample(
    part: npt.NDArray[np.uint16], channel: int, black: float, white: float, limits: Limits
) -> Sample | Why:
    low, high = limits
    data = np.clip(whole_blocks(part), low, high)
    at_low, at_high = float((data == low).mean()), float((data == high).mean())
    if at_high > MOST_CLIPPED:
        return "saturated"
    if at_low > MOST_CLIPPED:
        return "black"
    surface = fit_surface(data)
    chance = 1 + _CHANCE * (2 * BLOCK**2 / data.size) ** 0.5
    allowed = (
        max(MOST_UNEVEN, chance) + BLOCK**2 * (_ROUNDING_STEPS / max(surface.spread, 1e-3)) ** 2
    )
    if surface.unevenness > allowed:
        return "uneven"
    span = white - black
    levels, level = _levels(surface.values, _SLOPE_STEP * max(surface.spread, 0.5))
    width = max(1, int(surface.spread / _BIN))
    # Bin 0 is the low end, bin "last" the high end; those between are "width" DN wide.
    last = -(-(high - low - 1) // width) + 1
    bins = 1 + (data.astype(np.int64) - low - 1) // width
    bins[data == low] = 0
    bins[data == high] = last
    codes, counts = np.unique(level * (last + 1) + bins, return_counts=True)
    bin_of = codes % (last + 1)
    first = low + 1 + (bin_of - 1) * width
    lower = np.where(bin_of == 0, -np.inf, (first - 0.5 - black) / span)
    lower[bin_of == last] = (high - 0.5 - black) / span
    upper = np.where(bin_of == last, np.inf, (np.minimum(first + width, high) - 0.5 - black) / span)
    upper[bin_of == 0] = (low + 0.5 - black) / span
    held = np.where((bin_of == 0) | (bin_of == last), 1, np.minimum(first + width, high) - first)
    strays = np.stack([held / (high - low + 1), bin_of == last, bin_of == 0], axis=1)
    mean = float(surface.values.mean() - black) / span
    variance = (surface.spread**2 - 1 / 12) / span**2
    return Sample(
        point=Point(channel, mean, variance, max(at_low, at_high), int(data.size)),
        counts=counts.astype(np.float64),
        level=(codes // (last + 1)).astype(np.intp),
        lower=lower,
        upper=upper,
        observed=(levels - black) / span,
        limits=((low - black) / span, (high - black) / span),
        strays=strays.astype(np.float64),
        spent=surface.parameters,
    )


def _levels(values: Array, step: float) -> tuple[Array, npt.NDArray[np.int64]]:
    """The surface in steps: the level of each step, and the step of each sample."""
    lowest, highest = float(values.min()), float(values.max())
    count = min(_MOST_LEVELS, int((highest - lowest) / step) + 1)
    width = (highest - lowest) / count
    if width == 0:
        return np.array([lowest]), np.zeros(values.shape, np.int64)
    index = np.minimum((values - lowest) / width, count - 1).astype(np.int64)
    return np.asarray(lowest + (np.arange(count) + 0.5) * width, np.float64), index


def interval_counts(samples: Sequence[Sample]) -> IntervalCounts:
    """Join samples, each a group of its own."""
    cells = [len(sample.counts) for sample in samples]
    levels = [len(sample.observed) for sample in samples]
    before = np.concatenate([[0], np.cumsum(levels)[:-1]])

    def joined(parts: Iterable[Array]) -> Array:
        return np.concatenate(list(parts))

    return IntervalCounts(
        counts=joined(s.counts for s in samples),
        groups=np.repeat(np.arange(len(samples)), cells),
        strays=joined(s.strays for s in samples),
        intensity=np.array([s.point.mean for s in samples]),
        spent=np.array([float(s.spent) for s in samples]),
        lower=joined(s.lower for s in samples),
        upper=joined(s.upper for s in samples),
        levels=np.concatenate([s.level + n for s, n in zip(samples, before, strict=True)]),
        observed=joined(s.observed for s in samples),
        low=np.repeat([s.limits[0] for s in samples], levels),
        high=np.repeat([s.limits[1] for s in samples], levels),
    )
