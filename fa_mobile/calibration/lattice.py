"""A grid through scattered centres: which belong to it, and which of its places are empty."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]

_NEAR: Final = 0.2
"""How far from its place in the grid a centre may lie, in grid steps."""
_FILLED: Final = 0.4
"""Share of an outer row's places that must have been found."""
_MOST_PLACES: Final = 400
_MOST_STARTS: Final = 30
"""Centres from which a grid is sought; a chart has many that will do."""


def fit_lattice(centres: Points, least: int) -> tuple[Points, float] | None:
    """Fit a grid in perspective.

    Args:
        centres: [N, 2] x, y, some of them not of the grid.
        least: centres that the grid must hold.

    Returns:
        The places [M, 2] of the whole grid, row by row, and the angle of its rows in radians; None
        where no grid holds enough.
    """
    best: npt.NDArray[np.int64] | None = None
    members: npt.NDArray[np.intp] | None = None
    for origin in range(0, len(centres), -(-len(centres) // _MOST_STARTS)):
        steps = _steps(centres, origin)
        if steps is None:
            continue
        index, kept = _walk(centres, origin, steps)
        if members is None or len(kept) > len(members):
            best, members = index, kept
    if best is None or members is None or len(members) < least:
        return None
    stays = _dense(best)
    best, members = best[stays], members[stays]
    if len(members) < least:
        return None
    low, high = best.min(axis=0), best.max(axis=0)
    columns, rows = (high - low + 1).tolist()
    if min(columns, rows) < 2 or columns * rows > _MOST_PLACES:
        return None
    warp, _ = cv2.findHomography((best - low).astype(np.float64), centres[members], 0)
    if warp is None:
        return None
    places = [(float(col), float(row)) for row in range(rows) for col in range(columns)]
    whole = cv2.perspectiveTransform(np.array([places], np.float64), warp)[0]
    along = whole[columns - 1] - whole[0]
    return np.asarray(whole, np.float64), float(np.arctan2(along[1], along[0]))


def _dense(index: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """[K]: False in outer rows and columns that hold few centres, strays of what lies around."""
    stays = np.ones(len(index), bool)
    while stays.any():
        low, high = index[stays].min(axis=0), index[stays].max(axis=0)
        sparse = [
            (axis, end)
            for axis in (0, 1)
            for end in (low[axis], high[axis])
            if (stays & (index[:, axis] == end)).sum() < _FILLED * (high - low + 1)[1 - axis]
        ]
        if not sparse:
            break
        axis, end = sparse[0]
        stays &= index[:, axis] != end
    return stays


def _steps(centres: Points, origin: int) -> Points | None:
    """[2, 2]: the steps to the nearest neighbours to the right and below, about at right angles."""
    away = np.delete(centres - centres[origin], origin, axis=0)
    away = away[np.argsort(np.hypot(*away.T))][:8]
    across = next((step for step in away if abs(step[0]) > 2 * abs(step[1])), None)
    down = next((step for step in away if abs(step[1]) > 2 * abs(step[0])), None)
    if across is None or down is None:
        return None
    return np.stack([across * np.sign(across[0]), down * np.sign(down[1])])


def _walk(
    centres: Points, origin: int, steps: Points
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.intp]]:
    """Grid places [K, 2] of the centres [K] that are reached from neighbour to neighbour.

    Each step starts at a centre itself, so that perspective does not add up.
    """
    places = {(0, 0): origin}
    taken = {origin}
    waiting = [(0, 0)]
    reach = _NEAR * float(min(np.hypot(*steps[0]), np.hypot(*steps[1])))
    while waiting:
        col, row = waiting.pop()
        for step_col, step_row in (
            (1, 0),
            (-1, 0),
            (0, 1),
            (0, -1),
            (2, 0),
            (-2, 0),
            (0, 2),
            (0, -2),
        ):
            place = (col + step_col, row + step_row)
            if place in places:
                continue
            wanted = centres[places[col, row]] + step_col * steps[0] + step_row * steps[1]
            off = np.hypot(*(centres - wanted).T)
            nearest = int(np.argmin(off))
            if off[nearest] < reach and nearest not in taken:
                places[place] = nearest
                taken.add(nearest)
                waiting.append(place)
    index = np.array(list(places), np.int64)
    return index, np.array(list(places.values()), np.intp)
