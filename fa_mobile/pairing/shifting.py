"""Moving a mosaic without breaking its colour filter: whole cells, then a part within planes."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy import ndimage

from fa_mobile.bayer import PlaneWindow
from fa_mobile.pairing.guide import Planes

_ORDER: Final = 3
"""Of the spline that interpolates; fifth order rings more where a plane is undersampled."""
_BORDER: Final = 3
"""Plane pixels at each side that the spline makes up from what lies beyond the frame."""


def overlap(height: int, width: int, shift: tuple[float, float]) -> PlaneWindow:
    """Where a frame of ``height`` x ``width``, moved by ``shift``, covers one that stays.

    Without the border that interpolation needs; nothing wraps around. Empty (0 high or wide) where
    nothing is left.
    """
    edges = []
    for side, part in zip((height, width), shift, strict=True):
        first = max(int(np.ceil(part)) + _BORDER, 0)
        last = min(side + int(np.floor(part)) - _BORDER, side)
        edges.append((first, max(last - first, 0)))
    (top, rows), (left, cols) = edges
    return PlaneWindow(top, left, rows, cols)


def move_planes(planes: Planes, shift: tuple[float, float]) -> Planes:
    """Move a packed mosaic by ``shift`` plane pixels (rows, columns); the same size.

    The shift is split in whole plane pixels, which are even steps of the mosaic and keep its
    colours, and a rest of at most half of one, which a cubic spline interpolates within
    each plane: a sample never meets one of another colour. Planes are undersampled, so fine
    detail is a little wrong afterwards; meant for the clean frame, since interpolating a noisy one
    would change its noise. What comes from beyond the frame repeats the border (:func:`overlap`).
    """
    whole = np.round(shift).astype(int)
    rest = np.asarray(shift) - whole
    finer = np.stack([ndimage.shift(p, rest, order=_ORDER, mode="nearest") for p in planes])
    height, width = planes.shape[1:]
    rows = (np.arange(height) - whole[0]).clip(0, height - 1)
    cols = (np.arange(width) - whole[1]).clip(0, width - 1)
    return np.asarray(finer[:, rows[:, None], cols], np.float32)
