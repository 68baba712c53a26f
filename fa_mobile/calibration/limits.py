"""At which DN a frame is clipped: the ends of the file's range, or a pile-up inside them."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from fa_mobile.calibration.regions import Planes

_PILE: Final = 50
"""Samples that a pile-up has at least; fewer tell nothing and cost nothing."""
_BEYOND: Final = 0.1
_STEEP: Final = 4.0
_NEAR: Final = 8
"""DN next to an end that tell whether samples stop there or thin out."""


class Limits(NamedTuple):
    """DN at and below (above) which a sample only says that the signal was there or beyond."""

    low: int
    high: int


def limits_of(planes: Planes, black: float, white: float) -> Limits:
    """Find where a frame is clipped.

    Below, at black where samples lie there and next to none just underneath, else at DN 0: a
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
    # Just underneath: dead pixels of a file that is clipped at black lie at DN 0 all the same.
    low = floor if _ends(counts[floor], counts[max(floor - _NEAR, 0) : floor].sum()) else 0
    high = top
    tail = np.flatnonzero(np.cumsum(counts[::-1]) >= _PILE)
    if len(tail):
        last = top - int(tail[0])
        before = counts[max(last - _NEAR, floor + 1) : last]
        steady = int(before.max()) if len(before) else 0
        steep = counts[last] > _STEEP * steady
        if last > floor + 1 and steep and _ends(counts[last], counts[last + 1 :].sum()):
            high = last
    return Limits(low, high)


def _ends(at: int, beyond: int) -> bool:
    return bool(at >= _PILE and beyond < _BEYOND * at)
