"""At which DN a frame is clipped: the ends of the file's range, or a pile-up inside them."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from fa_mobile.calibration.regions import Planes

_PILE: Final = 50
"""Samples that a pile-up has at least; fewer tell nothing and cost nothing."""
_BEYOND: Final = 0.1
_STEEP: Final = 4.0


class Limits(NamedTuple):
    """DN at and below (above) which a sample only says that the signal was there or beyond."""

    low: int
    high: int


def limits_of(planes: Planes, black: float, white: float) -> Limits:
    """Find where a frame is clipped.

    Below, at black where samples pile up there with next to none underneath, else at DN 0: a
    file that keeps its pedestal. Above, where samples pile up short of white (a sensor that
    saturates before its file does), else at white. Taking too narrow a range is harmless: the
    likelihood then counts samples as "there or beyond", which is true of them all the same.

    Args:
        planes: [4, h, w] DN.
        black: the highest of the black levels, DN.
        white: DN.
    """
    top = round(white)
    counts = np.bincount(np.minimum(planes, top).ravel(), minlength=top + 1)
    floor = round(black)
    low = floor if _piled(counts[floor], counts[:floor].sum(), counts[floor + 1]) else 0
    high = top
    tail = np.flatnonzero(np.cumsum(counts[::-1]) >= _PILE)
    if len(tail):
        last = top - int(tail[0])
        before = counts[max(last - 8, floor + 1) : last]
        steady = int(before.max()) if len(before) else 0
        if last > floor + 1 and _piled(counts[last], counts[last + 1 :].sum(), steady):
            high = last
    return Limits(low, high)


def _piled(at: int, beyond: int, inside: int) -> bool:
    return bool(at >= _PILE and beyond < _BEYOND * at and at > _STEEP * inside)
