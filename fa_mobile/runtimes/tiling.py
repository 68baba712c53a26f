"""Tiles with a halo: a frame of any size through a network of bounded input, without seams.

Every tile lies inside the frame and tiles at the border end at the border, so the network's own
zero padding acts where it would on the whole frame. Inside, a sample is kept only if it is at
least the halo away from the tile's inner edges: all that it depends on was in the tile, and the
tiled result equals the whole one.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Span:
    """One tile along one axis: reads [start, stop), keeps [keep_start, keep_stop)."""

    start: int
    stop: int
    keep_start: int
    keep_stop: int

    @property
    def size(self) -> int:
        """Samples that the tile reads."""
        return self.stop - self.start


@dataclass(frozen=True)
class Tile:
    """One tile: its rows and columns in the frame."""

    rows: Span
    cols: Span


def plan_axis(length: int, tile: int, halo: int, stride: int) -> list[Span]:
    """Cover 0..length with tiles of at most ``tile`` samples.

    Args:
        length: a multiple of ``stride``.
        tile: a multiple of ``stride``, more than 2 ``halo``.
        halo: samples around each sample that its result depends on; a multiple of half of
            ``stride``, so that overlapping tiles start on multiples of it.

    Raises:
        ValueError: for arguments that are not so.
    """
    if length <= 0 or length % stride or tile % stride or 2 * halo % stride:
        raise ValueError(
            f"length={length}, tile={tile}, halo={halo} were given; length, tile and twice the "
            f"halo must be multiples of the stride {stride}"
        )
    if length <= tile:
        return [Span(0, length, 0, length)]
    step = tile - 2 * halo
    if step <= 0:
        raise ValueError(f"tile={tile} was given; it must be more than twice the halo of {halo}")
    starts = [*range(0, length - tile, step), length - tile]
    cuts = [0, *(start + halo for start in starts[1:]), length]
    return [
        Span(start, start + tile, low, high)
        for start, low, high in zip(starts, cuts, cuts[1:], strict=False)
    ]


def plan_frame(
    height: int, width: int, tile: tuple[int, int], halo: int, stride: int
) -> list[Tile]:
    """Tiles in row-major order, of ``tile`` (rows, columns); see :func:`plan_axis`."""
    rows = plan_axis(height, tile[0], halo, stride)
    cols = plan_axis(width, tile[1], halo, stride)
    return [Tile(row, col) for row in rows for col in cols]
