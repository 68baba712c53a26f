"""DNG files at the level of TIFF tags: what LibRaw hides or rounds, and an encoder.

LibRaw decodes the samples; levels, noise and colour are read here from the tags, in full
precision (DNG 1.4 specification). Files are untrusted: whatever is wrong with them ends in a
:class:`UserError`.
"""

from __future__ import annotations

import io
import logging
import math
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import tifffile

from fa_mobile.bayer import CfaPattern, red_offset
from fa_mobile.errors import UserError
from fa_mobile.noise import NoiseParameters

if TYPE_CHECKING:
    from fa_mobile.raw_io import RawFrame

MIN_SIDE: Final = 22
"""LibRaw takes no DNG with a shorter side."""
MAX_SIDE: Final = 65535
PHOTOMETRIC_CFA: Final = 32803
PHOTOMETRIC_LINEAR: Final = 34892
_D65: Final = 21
_SRGB_MATRIX: Final = (3.2406, -1.5372, -0.4986, -0.9689, 1.8758, 0.0415, 0.0557, -0.204, 1.057)
"""XYZ (D65) to linear sRGB: stands in where a frame has no colour matrix."""
_BYTE, _ASCII, _SHORT, _LONG, _RATIONAL, _UNDEFINED, _SRATIONAL, _DOUBLE = 1, 2, 3, 4, 5, 7, 10, 12

Cells = tuple[float, float, float, float]
"""One value for each position of the 2 x 2 cell, row by row, from the origin of the mosaic."""


@dataclass(frozen=True, kw_only=True)
class TiffTags:
    """What the tags of a TIFF-based RAW file say; None (or empty) where they say nothing.

    The fields from ``photometric`` to ``white_level`` are read of a DNG only.
    """

    is_dng: bool
    make: str = ""
    model: str = ""
    iso: float | None = None
    photometric: int | None = None
    cfa_dim: tuple[int, int] | None = None
    """CFARepeatPatternDim: rows, columns."""
    cfa_codes: tuple[int, ...] = ()
    """CFAPattern: 0 red, 1 green, 2 blue, row by row."""
    active_area: tuple[int, int, int, int] | None = None
    """Top, left, bottom, right of the samples that are image."""
    missing_bytes: int = 0
    """Bytes of image data that the tags promise and the file lacks."""
    black_cells: Cells | None = None
    white_level: float | None = None
    noise: NoiseParameters | None = None
    color_matrix: tuple[float, ...] | None = None
    as_shot_neutral: tuple[float, float, float] | None = None


def read_tags(path: Path) -> TiffTags | None:
    """The tags of a TIFF-based RAW file, or None where the file is no TIFF.

    Raises:
        UserError: when the tags of a TIFF are damaged.
        OSError: when the file cannot be read.
    """
    try:
        with _quiet(), tifffile.TiffFile(path) as tiff:
            return _collect(tiff, path.stat().st_size)
    except (tifffile.TiffFileError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        return None
    except Exception as error:
        # tifffile meets a damaged file with whatever Python raises where it stumbles.
        raise UserError(
            f"the TIFF tags are damaged ({type(error).__name__}: {error}); allowed are complete "
            "files as the camera wrote them; copy the file again from its source"
        ) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep tifffile from logging every odd tag of a maker's file to standard error."""
    logger = logging.getLogger("tifffile")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(level)


def _collect(tiff: tifffile.TiffFile, file_size: int) -> TiffTags:
    first: Any = tiff.pages.first
    is_dng = 50706 in first.tags
    tags = TiffTags(is_dng=is_dng, make=_text(first, 271), model=_text(first, 272), iso=_iso(first))
    if not is_dng:
        return tags
    page = _raw_page(first)
    if page.photometric != PHOTOMETRIC_CFA:  # demosaiced: its levels have one value per colour
        return replace(tags, photometric=int(page.photometric))
    dim = _numbers(page, 33421)
    area = [int(edge) for edge in _numbers(page, 50829)]
    white = _numbers(page, 50717)
    neutral = _numbers(first, 50728)
    return replace(
        tags,
        photometric=int(page.photometric),
        cfa_dim=(int(dim[0]), int(dim[1])) if len(dim) == 2 else None,
        cfa_codes=tuple(int(code) for code in _numbers(page, 33422)),
        active_area=(area[0], area[1], area[2], area[3]) if len(area) == 4 else None,
        missing_bytes=_missing_bytes(page, file_size),
        black_cells=_black_cells(page),
        white_level=white[0] if white else None,
        noise=_noise(page) or _noise(first),
        color_matrix=_color_matrix(first),
        as_shot_neutral=(neutral[0], neutral[1], neutral[2])
        if len(neutral) == 3 and all(0 < value < math.inf for value in neutral)
        else None,
    )


def _raw_page(first: Any) -> Any:
    """The IFD of the full-size mosaic: IFD 0 or one of its SubIFDs, where IFD 0 is a preview."""
    pages = [first, *(first.pages or ())]
    full = [page for page in pages if (_numbers(page, 254) or (0.0,))[0] == 0] or pages
    return next((page for page in full if page.photometric == PHOTOMETRIC_CFA), full[0])


def _numbers(page: Any, code: int) -> tuple[float, ...]:
    """The values of a numeric tag, rationals divided; empty where the tag is missing."""
    tag = page.tags.get(code)
    if tag is None:
        return ()
    value = tag.value
    items = tuple(value) if isinstance(value, bytes | tuple | list) else (value,)
    if tag.dtype in (_RATIONAL, _SRATIONAL):
        items = tuple(n / d for n, d in zip(items[::2], items[1::2], strict=True))
    return tuple(float(item) for item in items)


def _text(page: Any, code: int) -> str:
    tag = page.tags.get(code)
    value = tag.value if tag is not None else ""
    return clean_text(value) if isinstance(value, str) else ""


def clean_text(text: str) -> str:
    """``text`` as a DNG holds it: printable ASCII, nothing around it."""
    kept = (char if char.isascii() and char.isprintable() else "?" for char in text.strip("\0 "))
    return "".join(kept).strip()


def _iso(first: Any) -> float | None:
    exif_tag = first.tags.get(34665)
    exif = exif_tag.value if exif_tag is not None else None
    found = [
        exif.get(name) if isinstance(exif, dict) else None
        for name in ("ISOSpeed", "PhotographicSensitivity", "ISOSpeedRatings")
    ]
    for value in (*found, _numbers(first, 34855) or None):
        number = value[0] if isinstance(value, tuple) and value else value
        # 65535 is EXIF's "does not fit"; ISOSpeed, which has room, comes before it.
        if isinstance(number, int | float) and 0 < number < math.inf:
            return float(number)
    return None


def _missing_bytes(page: Any, file_size: int) -> int:
    """How much image data is missing: LibRaw fills what a cut-off DNG lacks, without a word."""
    ends = [
        offset + count for offset, count in zip(page.dataoffsets, page.databytecounts, strict=False)
    ]
    missing = max([0, *(end - file_size for end in ends)])
    if page.compression == 1:
        row = (page.imagewidth * page.bitspersample * page.samplesperpixel + 7) // 8
        missing = max(missing, row * page.imagelength - sum(page.databytecounts))
    return int(missing)


def _black_cells(page: Any) -> Cells | None:
    """BlackLevel by position in the 2 x 2 cell; it repeats from the origin of the ActiveArea."""
    levels = _numbers(page, 50714)
    if not levels:
        return None
    rows, cols = (int(side) for side in _numbers(page, 50713) or (1, 1))
    if len(levels) == 1:
        rows = cols = 1
    # Twice the pattern has even sides, so that every sample of one parity can be averaged.
    tiled = np.tile(np.reshape(levels, (rows, cols)), (2, 2))
    # Deltas per column and per row are corrections of a fraction of a DN; their mean is kept.
    deltas = [_numbers(page, code) for code in (50715, 50716)]
    extra = math.fsum(math.fsum(delta) / len(delta) for delta in deltas if delta)
    means = [float(tiled[row::2, col::2].mean()) + extra for row in (0, 1) for col in (0, 1)]
    return means[0], means[1], means[2], means[3]


def _noise(page: Any) -> NoiseParameters | None:
    """NoiseProfile: the pair of green, or the only one; None where it describes no noise."""
    values = _numbers(page, 51041)
    planes = _numbers(page, 50710) or (0.0, 1.0, 2.0)
    at = 2 * planes.index(1.0) if len(values) > 2 and 1.0 in planes else 0
    pair = values[at : at + 2]
    if len(pair) != 2 or not (0 < pair[0] < math.inf and 0 <= pair[1] < math.inf):
        return None
    return NoiseParameters(*pair)


def _color_matrix(first: Any) -> tuple[float, ...] | None:
    """The matrix for D65 where there is one, else the first."""
    found = []
    for matrix_code, illuminant_code in ((50721, 50778), (50722, 50779)):
        matrix = _numbers(first, matrix_code)
        if len(matrix) == 9 and all(map(math.isfinite, matrix)):
            found.append((_numbers(first, illuminant_code) != (_D65,), matrix))
    return min(found, key=lambda item: item[0])[1] if found else None


def cell_order(levels: Cells, cfa: CfaPattern) -> Cells:
    """R, Gr, Gb, B order to the cell order of a mosaic of pattern ``cfa``.

    Its own inverse, because the position of red is at most one step away.
    """
    top, left = red_offset(cfa)
    at = [2 * ((row + top) % 2) + (col + left) % 2 for row in (0, 1) for col in (0, 1)]
    return levels[at[0]], levels[at[1]], levels[at[2]], levels[at[3]]


def encode_dng(frame: RawFrame) -> bytes:
    """``frame`` as an uncompressed 16-bit CFA DNG 1.4 file.

    The ISO is rounded to a whole number, as EXIF holds it.

    Raises:
        UserError: when LibRaw could not read the file: a side outside 22..65535, or a white
            level that is not whole.
    """
    height, width = frame.mosaic.shape
    if not MIN_SIDE <= min(height, width) <= max(height, width) <= MAX_SIDE:
        raise UserError(
            f"a mosaic of {height} x {width} samples cannot become a DNG: allowed are sides of "
            f"{MIN_SIDE} to {MAX_SIDE}, which RAW readers accept; use another crop"
        )
    if frame.white_level != int(frame.white_level):
        raise UserError(
            f"white_level={frame.white_level} cannot become a DNG: allowed are whole DN; round it"
        )
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer, byteorder="<") as writer:
        writer.write(
            frame.mosaic,
            photometric=PHOTOMETRIC_CFA,
            subfiletype=0,
            compression=None,
            rowsperstrip=height,
            software="fa-mobile",
            metadata=None,
            extratags=_extra_tags(frame),
        )
    return _with_exif(buffer.getvalue(), frame.iso) if frame.iso is not None else buffer.getvalue()


def _extra_tags(frame: RawFrame) -> list[tuple[int | str, int, int, Any, bool]]:
    """The tags of :func:`encode_dng` in the form of tifffile: code, type, count, value, once."""
    codes = cell_order((0, 1, 1, 2), frame.cfa)
    black = cell_order(frame.black_level, frame.cfa)
    whole = all(level == int(level) for level in black)
    matrix = frame.color_matrix or _SRGB_MATRIX
    neutral = frame.as_shot_neutral or (1.0, 1.0, 1.0)
    camera = f"{frame.make} {frame.model}".strip() or "unknown camera"
    entries: list[tuple[int | str, int, Any]] = [
        (271, _ASCII, frame.make),
        (272, _ASCII, frame.model),
        (274, _SHORT, [1]),  # Orientation: as stored
        (33421, _SHORT, [2, 2]),  # CFARepeatPatternDim
        (33422, _BYTE, [int(code) for code in codes]),  # CFAPattern
        (50706, _BYTE, [1, 4, 0, 0]),  # DNGVersion
        (50707, _BYTE, [1, 1, 0, 0]),  # DNGBackwardVersion: nothing here is newer
        (50708, _ASCII, camera),  # UniqueCameraModel
        (50710, _BYTE, [0, 1, 2]),  # CFAPlaneColor
        (50711, _SHORT, [1]),  # CFALayout: rectangular
        (50713, _SHORT, [2, 2]),  # BlackLevelRepeatDim
        (50714, _LONG, [int(v) for v in black]) if whole else (50714, _RATIONAL, _ratios(black)),
        (50717, _LONG, [int(frame.white_level)]),  # WhiteLevel
        (50721, _SRATIONAL, _ratios(matrix)),  # ColorMatrix1
        (50728, _RATIONAL, _ratios(neutral)),  # AsShotNeutral
        (50778, _SHORT, [_D65]),  # CalibrationIlluminant1
    ]
    if frame.noise is not None:
        entries.append((51041, _DOUBLE, [*frame.noise] * 3))  # NoiseProfile: R, G, B planes
    if frame.iso is not None:
        # By name: tifffile drops pointers to other IFDs that are given by number.
        entries.append(("ExifTag", _LONG, [0]))
    return [_entry(*entry) for entry in entries]


def _entry(code: int | str, dtype: int, value: Any) -> tuple[int | str, int, int, Any, bool]:
    if dtype == _ASCII:
        return code, dtype, 0, value, True
    count = len(value) // (2 if dtype in (_RATIONAL, _SRATIONAL) else 1)
    return code, dtype, count, value[0] if len(value) == 1 else tuple(value), True


def _ratios(values: tuple[float, ...]) -> list[int]:
    """Numerators and denominators, flat; 1e-9 exact or better and within 31 bits."""
    flat: list[int] = []
    for value in values:
        limit = min(10**6, (2**31 - 1) // (math.ceil(abs(value)) + 1))
        flat += Fraction(value).limit_denominator(limit).as_integer_ratio()
    return flat


def _with_exif(data: bytes, iso: float) -> bytes:
    """Append an EXIF IFD with the ISO speed and point the placeholder of IFD 0 at it."""
    speed = max(1, round(iso))
    entries = [
        struct.pack("<HHIHH", 34855, _SHORT, 1, min(speed, 65535), 0),
        struct.pack("<HHIHH", 34864, _SHORT, 1, 3, 0),  # SensitivityType: ISO speed
        struct.pack("<HHII", 34867, _LONG, 1, speed),  # ISOSpeed
        struct.pack("<HHI4s", 36864, _UNDEFINED, 4, b"0230"),  # ExifVersion
    ]
    ifd = struct.pack("<H", len(entries)) + b"".join(entries) + struct.pack("<I", 0)
    out = bytearray(data)
    out += b"\0" * (len(out) % 2)  # IFDs begin on a word
    (first_ifd,) = struct.unpack_from("<I", out, 4)
    (count,) = struct.unpack_from("<H", out, first_ifd)
    for at in range(first_ifd + 2, first_ifd + 2 + 12 * count, 12):
        if struct.unpack_from("<H", out, at) == (34665,):
            struct.pack_into("<I", out, at + 8, len(out))
    return bytes(out + ifd)
