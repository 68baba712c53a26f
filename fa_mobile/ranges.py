"""int8 ranges of activations, moved one by one to where a measured cost is least.

Where a range should end is not told by its values alone: large ones belong to strong edges, where
an error is small beside what is there, and coarse steps are noise on smooth areas, where nothing
else is. Which counts for more is seen only in the output. So a few percentiles are tried for all
ranges together, and from the best each goes its own way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

PERCENTILES: Final = (100.0, 99.99, 99.9, 99.7, 99.5)
"""Where a search may start: the share of a tensor's values inside its range, in percent."""
USUAL_PERCENTILE: Final = 99.9
"""With it most members lose least: for where there is no time to try the others."""
SMALLEST_SCALE: Final = 2.0**-12
"""Of an activation; that of a dead tensor would be zero."""
_DRAWN: Final = 40_000
"""Values kept of a tensor in each capture."""
STEPS: Final = (0.84, 1.19)
"""Factors on a range's ends: narrower, or else wider."""
_MOST_STEPS: Final = 4

Ends = tuple[float, float]


class Range(Protocol):
    """The range of one activation tensor; 0 lies within it."""

    @property
    def ends(self) -> Ends: ...

    @ends.setter
    def ends(self, value: Ends) -> None: ...


class Seen:
    """The values that a tensor took, as far as a range needs them: a draw, and the extremes."""

    def __init__(self) -> None:
        self._rng = np.random.default_rng(0)
        self._drawn: list[npt.NDArray[np.float32]] = []
        self._extremes: list[float] = []

    def add(self, values: npt.NDArray[np.float32]) -> None:
        """Values of one capture, of any shape."""
        self._drawn.append(values.ravel()[self._rng.integers(0, values.size, _DRAWN)])
        self._extremes += [float(values.min()), float(values.max())]

    def ends(self, percentile: float) -> Ends:
        """The range with this share of the values inside, as many cut below as above."""
        if percentile == 100:
            return min(self._extremes), max(self._extremes)
        cut = (100 - percentile) / 2
        low, high = np.percentile(np.concatenate(self._drawn), (cut, 100 - cut))
        return float(low), float(high)


def start(ranges: Sequence[Range], seen: Sequence[Seen], percentile: float) -> None:
    """Give every range the ends at one percentile of what its tensor took."""
    for each, values in zip(ranges, seen, strict=True):
        each.ends = values.ends(percentile)


def best_start(
    ranges: Sequence[Range], seen: Sequence[Seen], cost: Callable[[], float]
) -> tuple[float, float]:
    """Give the ranges the percentile with which the cost is least; (percentile, that cost)."""
    costs = {}
    for percentile in PERCENTILES:
        start(ranges, seen, percentile)
        costs[percentile] = cost()
    best = min(costs, key=lambda percentile: costs[percentile])
    start(ranges, seen, best)
    return best, costs[best]


def search(
    ranges: Sequence[Range],
    cost: Callable[[], float],
    progress: Callable[[], None] | None = None,
) -> float:
    """One pass over the ranges: each takes steps for as long as the cost falls.

    Args:
        ranges: in the order in which they are searched; the last of a network first, whose error
            the most depend on.
        cost: of the network with the ranges as they are.
        progress: called after each range.

    Returns:
        The cost that is left, at most that of the ranges as given.
    """
    least = cost()
    for each in ranges:
        given = each.ends
        for step in STEPS:
            least = _walk(each, step, cost, least)
            if each.ends != given:
                break
        if progress is not None:
            progress()
    return least


def _walk(each: Range, step: float, cost: Callable[[], float], least: float) -> float:
    """Steps in one direction; the range stays where the cost was least, which is returned."""
    for _ in range(_MOST_STEPS):
        kept = each.ends
        each.ends = kept[0] * step, kept[1] * step
        now = cost()
        if now >= least:
            each.ends = kept
            return least
        least = now
    return least


def affine(ends: Ends, lowest: int, highest: int) -> tuple[float, int]:
    """(scale, zero point) of integers ``lowest``..``highest`` that cover ``ends``."""
    low, high = min(ends[0], 0.0), max(ends[1], 0.0)
    scale = max((high - low) / (highest - lowest), SMALLEST_SCALE)
    return scale, min(max(lowest - round(low / scale), lowest), highest)


def covered(scale: float, zero_point: int, lowest: int, highest: int) -> Ends:
    """The ends of the range that ``scale`` and ``zero_point`` make of ``lowest``..``highest``."""
    return (lowest - zero_point) * scale, (highest - zero_point) * scale
