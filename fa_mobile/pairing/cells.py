"""Means over cells of a mosaic, in which pairs are compared where noise would hide a pixel."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

CELL: Final = 8
"""Side in plane pixels: 16 x 16 mosaic pixels, over whose 256 samples noise is 16 times less."""

Cells = npt.NDArray[np.float32]
"""[..., rows, columns] of cells; what is left at the right and bottom is not looked at."""


def blocks(planes: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """[..., h, w] to [..., h // 8, w // 8, 64]: the samples of each cell."""
    rows, cols = planes.shape[-2] // CELL, planes.shape[-1] // CELL
    cut = planes[..., : rows * CELL, : cols * CELL]
    split = cut.reshape(*planes.shape[:-2], rows, CELL, cols, CELL)
    return np.moveaxis(split, -3, -2).reshape(*planes.shape[:-2], rows, cols, CELL * CELL)


def means(planes: npt.NDArray[Any]) -> Cells:
    """The mean of each cell."""
    return np.asarray(blocks(planes).mean(axis=-1), np.float32)
