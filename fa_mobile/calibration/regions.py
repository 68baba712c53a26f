"""Where on a frame the scene is flat, and the frame as planes of one colour each."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from fa_mobile.bayer import PlaneWindow, pack, red_offset
from fa_mobile.errors import UserError
from fa_mobile.raw_io import RawFrame

Planes = npt.NDArray[np.uint16]
"""[4, h, w] DN, R, Gr, Gb, B."""

LEAST_SIDE: Final = 15
"""Rows and columns of the smallest region, in plane samples: enough to see a slope."""
_CELL: Final = 30
"""Rows and columns of the smallest cell of a flat field: enough to see a curved one."""


def planes_of(frame: RawFrame) -> Planes:
    """The mosaic as [4, h, w], R, Gr, Gb, B; what an incomplete cell holds at a border is left out.

    Raises:
        UserError: when no whole cell remains.
    """
    top, left = red_offset(frame.cfa)
    mosaic = frame.mosaic[top:, left:]
    height, width = mosaic.shape[0] & ~1, mosaic.shape[1] & ~1
    if min(height, width) < 2:
        raise UserError(
            f"a frame of {frame.mosaic.shape[1]} x {frame.mosaic.shape[0]} was given; allowed are "
            "frames with flat regions; give the whole frame"
        )
    return np.asarray(pack(mosaic[:height, :width]), np.uint16)


def grid_regions(height: int, width: int, *, columns: int = 12) -> list[PlaneWindow]:
    """A plane [height, width] cut into nearly square cells: the regions of a flat field.

    Raises:
        UserError: when the plane is too small.
    """
    if min(height, width) < 2 * _CELL:
        raise UserError(
            f"a flat field of {2 * width} x {2 * height} was given; allowed are at least "
            f"{4 * _CELL} samples a side; give the whole frame"
        )
    side = max(_CELL, -(-max(height, width) // columns))
    return [
        PlaneWindow(row * height // rows, col * width // cols, height // rows, width // cols)
        for rows, cols in [(max(1, height // side), max(1, width // side))]
        for row in range(rows)
        for col in range(cols)
    ]
