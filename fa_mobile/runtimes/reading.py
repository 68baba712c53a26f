"""Reading tiles of a mosaic that is mirrored at its borders, without a padded copy of it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fa_mobile.bayer import CfaPattern, phase_pads
from fa_mobile.runtimes.tiling import Span, Tile

Mosaic = npt.NDArray[np.float32]
Rectangle = tuple[int, int, int, int]
"""(top, bottom, left, right), the ends excluded."""


class MirroredMosaic:
    """A mosaic [H, W] as :func:`fa_mobile.bayer.pad_to_phase` pads it, read tile by tile.

    Args:
        mosaic: [H, W], integers or floats; not copied.
        cfa, multiple, minimum: see :func:`fa_mobile.bayer.pad_to_phase`.
    """

    def __init__(
        self,
        mosaic: npt.NDArray[np.generic],
        cfa: CfaPattern,
        multiple: int,
        minimum: tuple[int, int],
    ) -> None:
        self._mosaic = mosaic
        self.dtype = mosaic.dtype
        height, width = mosaic.shape
        pads = phase_pads((height, width), cfa, multiple, minimum)
        self._rows, self._cols = (
            np.pad(np.arange(side), pad, mode="reflect")
            for side, pad in zip((height, width), pads, strict=True)
        )
        self.origin = pads[0][0], pads[1][0]
        """Row and column of the padded mosaic at which the mosaic itself starts."""
        self.shape = len(self._rows), len(self._cols)

    def read(self, tile: Tile, into: Mosaic) -> None:
        """Copy a tile of the padded mosaic into a float32 array of its size."""
        rows = self._rows[tile.rows.start : tile.rows.stop]
        cols = self._cols[tile.cols.start : tile.cols.stop]
        if _is_run(rows) and _is_run(cols):
            into[...] = self._mosaic[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1]
        else:
            into[...] = self._mosaic[np.ix_(rows, cols)]

    def written(self, tile: Tile) -> Rectangle:
        """(top, bottom, left, right) of what a tile decides in the mosaic, its padding left out."""
        height, width = self._mosaic.shape
        top, bottom = _written(tile.rows, self.origin[0], height)
        left, right = _written(tile.cols, self.origin[1], width)
        return top, bottom, left, right

    def keep(self, tile: Tile, result: Mosaic, out: npt.NDArray[np.generic]) -> None:
        """Put what a tile decides into ``out`` [H, W], rounded where that holds integers."""
        top, bottom, left, right = self.written(tile)
        row, col = top + self.origin[0] - tile.rows.start, left + self.origin[1] - tile.cols.start
        part = result[row : row + bottom - top, col : col + right - left]
        target = out[top:bottom, left:right]
        if np.issubdtype(out.dtype, np.integer):
            np.rint(part, out=target, casting="unsafe")  # in one pass, without an array between
        else:
            target[...] = part


def _is_run(indices: npt.NDArray[np.intp]) -> bool:
    """Whether the indices rise by one each: no mirroring among them."""
    return bool(indices[-1] - indices[0] == len(indices) - 1 and (np.diff(indices) == 1).all())


def _written(span: Span, before: int, length: int) -> tuple[int, int]:
    low = min(max(span.keep_start - before, 0), length)
    return low, max(low, min(span.keep_stop - before, length))


def whole_dn(values: npt.NDArray[np.floating], white: float) -> npt.NDArray[np.uint16]:
    """Float DN as a file holds them: clipped to 0..white, halves rounded to even."""
    return np.asarray(np.round(np.clip(values, 0, white)), np.uint16)
