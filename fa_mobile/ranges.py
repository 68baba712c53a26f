"""int8 ranges of activations, moved one by one to where a measured cost is least.

An observer draws a range from the values alone: it ends where cutting the largest costs as much,
squared, as resolving the rest more coarsely. But large values belong to strong edges, where an
error is small beside what is there, and coarse steps are noise on smooth areas, where nothing else
is. Which counts for more is seen only in the output.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Protocol

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
    scale = (high - low) / (highest - lowest)
    return scale, min(max(lowest - round(low / scale), lowest), highest)


def covered(scale: float, zero_point: int, lowest: int, highest: int) -> Ends:
    """The ends of the range that ``scale`` and ``zero_point`` make of ``lowest``..``highest``."""
    return (lowest - zero_point) * scale, (highest - zero_point) * scale
