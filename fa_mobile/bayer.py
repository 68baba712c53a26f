"""Colour filter array (CFA) geometry: packing, pattern unification, Bayer-preserving augmentation.

Works on the last two axes of NumPy arrays and, where slicing is enough, of torch tensors.
Everything inside fa-mobile is RGGB with red at the origin; other Bayer patterns are brought
there by a shift of one row and/or column, so that one network serves all four
(J. Liu et al., "Learning Raw Image Denoising with Bayer Pattern Unification and Bayer
Preserving Augmentation", CVPRW 2019).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt

CfaPattern = Literal["RGGB", "GRBG", "GBRG", "BGGR"]
CFA_PATTERNS: Final[tuple[CfaPattern, ...]] = get_args(CfaPattern)
PACKED_CHANNELS: Final = ("R", "Gr", "Gb", "B")
"""Channel order of a packed mosaic: row-major positions of the 2 x 2 RGGB cell."""

_RED_AT: Final[dict[CfaPattern, tuple[int, int]]] = {
    "RGGB": (0, 0),
    "GRBG": (0, 1),
    "GBRG": (1, 0),
    "BGGR": (1, 1),
}


class PlaneWindow(NamedTuple):
    """A rectangle in samples of one packed plane (half the mosaic's), alike in all four planes."""

    top: int
    left: int
    height: int
    width: int

    def of(self, planes: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """This part of [..., h, w]."""
        return planes[..., self.top : self.top + self.height, self.left : self.left + self.width]


class CfaError(ValueError):
    """The colour filter array is not one of the four Bayer patterns."""


def parse_cfa(name: str) -> CfaPattern:
    """Return the Bayer pattern called ``name`` (any case).

    Raises:
        CfaError: for X-Trans, Quad-Bayer and anything else that is not a 2 x 2 Bayer pattern.
    """
    wanted = name.strip().upper()
    for pattern in CFA_PATTERNS:
        if wanted == pattern:
            return pattern
    compact = wanted.replace("-", "").replace("_", "").replace(" ", "")
    kind = {"XTRANS": "X-Trans", "QUADBAYER": "Quad-Bayer", "QUAD": "Quad-Bayer"}.get(compact, name)
    raise CfaError(
        f"colour filter array {kind!r} is not supported: allowed are {', '.join(CFA_PATTERNS)}; "
        "convert (remosaic) the capture to a 2 x 2 Bayer pattern first"
    )


def red_offset(cfa: CfaPattern) -> tuple[int, int]:
    """Row and column (0 or 1) of the red sample in the 2 x 2 cell of ``cfa``."""
    return _RED_AT[cfa]


def cfa_at(cfa: CfaPattern, row: int, col: int) -> CfaPattern:
    """The pattern at the origin of a crop that starts at (``row``, ``col``) of a ``cfa`` mosaic."""
    top, left = red_offset(cfa)
    red = (top - row) % 2, (left - col) % 2
    return next(pattern for pattern, at in _RED_AT.items() if at == red)


def _require_2d(mosaic: npt.NDArray[np.generic]) -> None:
    if mosaic.ndim != 2 or min(mosaic.shape) < 2:
        raise ValueError(
            f"a mosaic of shape {mosaic.shape} was given; allowed are two axes [H, W] "
            "of at least 2 samples each"
        )


def pad_to_phase(
    mosaic: npt.NDArray[np.generic],
    cfa: CfaPattern,
    multiple: int = 2,
    minimum: tuple[int, int] = (2, 2),
) -> tuple[npt.NDArray[np.generic], tuple[int, int]]:
    """Mirror-pad a mosaic [H, W] so that red is at the origin and both sides fit a network.

    Mirroring without repeating the edge sample (NumPy's ``reflect``) keeps every sample on its
    own colour: index -1 takes the value of index 1.

    Args:
        mosaic: [H, W], any dtype, in pattern ``cfa``.
        multiple: the padded sides are multiples of this even number.
        minimum: rows and columns that they are at least.

    Returns:
        The padded mosaic and (row, column) at which the input starts in it.
    """
    _require_2d(mosaic)
    pads = phase_pads((mosaic.shape[0], mosaic.shape[1]), cfa, multiple, minimum)
    # A pad longer than the image less one reflects back and forth, which keeps the colours too,
    # because the period 2 (side - 1) is even.
    padded = np.pad(mosaic, pads, mode="reflect")
    return padded, (pads[0][0], pads[1][0])


def phase_pads(
    shape: tuple[int, int], cfa: CfaPattern, multiple: int, minimum: tuple[int, int]
) -> list[tuple[int, int]]:
    """Samples to mirror (before, after) each axis; see :func:`pad_to_phase`."""
    if multiple < 2 or multiple % 2:
        raise ValueError(f"multiple={multiple} was given; allowed are even numbers from 2")
    pads = []
    for before, side, least in zip(red_offset(cfa), shape, minimum, strict=True):
        total = max(before + side, least)
        total += -total % multiple
        pads.append((before, total - before - side))
    return pads


def pack(mosaic: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    """[..., H, W] RGGB mosaic with even sides to [..., 4, H/2, W/2] in R, Gr, Gb, B order."""
    height, width = mosaic.shape[-2:]
    if height % 2 or width % 2:
        raise ValueError(
            f"a mosaic of {height} x {width} cannot be packed: both sides must be even; "
            "use pad_to_phase() first"
        )
    planes = [mosaic[..., row::2, col::2] for row in (0, 1) for col in (0, 1)]
    return np.stack(planes, axis=-3)


def unpack(planes: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    """[..., 4, h, w] packed planes to the [..., 2h, 2w] RGGB mosaic; inverse of :func:`pack`."""
    if planes.ndim < 3 or planes.shape[-3] != 4:
        raise ValueError(f"planes of shape {planes.shape} were given; allowed is [..., 4, h, w]")
    height, width = planes.shape[-2:]
    mosaic = np.empty((*planes.shape[:-3], 2 * height, 2 * width), planes.dtype)
    for index in range(4):
        mosaic[..., index // 2 :: 2, index % 2 :: 2] = planes[..., index, :, :]
    return mosaic


def flat_mosaic(values: Sequence[float], side: int) -> npt.NDArray[np.float32]:
    """RGGB mosaic [side, side], ``side`` even, of one value per packed channel (R, Gr, Gb, B)."""
    planes = np.asarray(values, np.float32)[:, None, None]
    return np.asarray(unpack(np.broadcast_to(planes, (4, side // 2, side // 2))), np.float32)


def mosaic_rgb(rgb: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """Sample an [..., H, W, 3] image with even sides through an RGGB filter, [..., H, W]."""
    height, width = rgb.shape[-3] & ~1, rgb.shape[-2] & ~1
    out = np.empty((*rgb.shape[:-3], height, width), rgb.dtype)
    for row, col, channel in ((0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 2)):
        out[..., row::2, col::2] = rgb[..., row:height:2, col:width:2, channel]
    return out


def augment_offsets(flip_rows: bool, flip_cols: bool) -> tuple[int, int]:
    """Rows and columns to skip before flipping so that the flipped crop is RGGB again.

    Flipping an even-sided RGGB crop moves red to the other end of its cell; starting the crop
    one sample later moves it back (Bayer-preserving augmentation).
    """
    return int(flip_rows), int(flip_cols)


def augmented_crop(
    mosaic: npt.NDArray[np.generic],
    top: int,
    left: int,
    size: int,
    *,
    flip_rows: bool = False,
    flip_cols: bool = False,
    transpose: bool = False,
) -> npt.NDArray[np.generic]:
    """An RGGB crop [size, size] of an RGGB mosaic, flipped and transposed, still RGGB.

    Args:
        mosaic: [H, W] RGGB.
        top, left: even; the crop needs one more row (column) than ``size`` where it is flipped.
        size: even.
        transpose: swap rows and columns; RGGB is symmetric, Gr and Gb change places.
    """
    if top % 2 or left % 2 or size % 2:
        raise ValueError(f"top={top}, left={left}, size={size} were given; all must be even")
    skip_row, skip_col = augment_offsets(flip_rows, flip_cols)
    rows = slice(top + skip_row, top + skip_row + size)
    cols = slice(left + skip_col, left + skip_col + size)
    crop = mosaic[rows, cols]
    if crop.shape != (size, size):
        raise ValueError(
            f"a crop of {size} at ({top}, {left}) leaves the mosaic of shape {mosaic.shape}; "
            "choose it further inside"
        )
    if flip_rows:
        crop = crop[::-1]
    if flip_cols:
        crop = crop[:, ::-1]
    return crop.T if transpose else crop
