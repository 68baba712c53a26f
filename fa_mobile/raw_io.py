"""RAW frames: reading through LibRaw, bare dumps, DNG writing, normalising and previews."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import rawpy
from PIL import Image

from fa_mobile.bayer import CFA_PATTERNS, CfaPattern, pad_to_phase
from fa_mobile.dng import (
    MIN_SIDE,
    PHOTOMETRIC_CFA,
    Cells,
    TiffTags,
    cell_order,
    clean_text,
    encode_dng,
    read_tags,
)
from fa_mobile.errors import UserError
from fa_mobile.files import replace_file
from fa_mobile.noise import NoiseParameters
from fa_mobile.sensor import SensorProfile

_SRGB_GAMMA: Final = (2.4, 12.92)
_WHAT_TO_GIVE: Final = (
    "allowed are complete RAW files of a 2 x 2 Bayer sensor that LibRaw opens (DNG, CR2, NEF, "
    "ARW, ...)"
)


@dataclass(frozen=True, eq=False)
class RawFrame:
    """One exposure as the sensor reported it.

    Raises:
        UserError: when a field contradicts its description.
    """

    mosaic: npt.NDArray[np.uint16]
    """[H, W], DN, at least 2 x 2; values above ``white_level`` are saturated."""
    cfa: CfaPattern
    """The pattern at the origin of ``mosaic``."""
    black_level: tuple[float, float, float, float]
    """DN of black in R, Gr, Gb, B order, 0 <= black < white."""
    white_level: float
    """DN of saturation, at most 65535."""
    iso: float | None = None
    noise: NoiseParameters | None = None
    """Noise of the signal normalised to 0..1, one pair for all colours."""
    make: str = ""
    """Printable ASCII, like ``model``."""
    model: str = ""
    color_matrix: tuple[float, ...] | None = None
    """XYZ (D65) to camera RGB, 9 values row-major: DNG's ColorMatrix1."""
    as_shot_neutral: tuple[float, float, float] | None = None
    """Camera RGB of a neutral in this light, > 0."""

    def __post_init__(self) -> None:
        mosaic = self.mosaic
        if mosaic.dtype != np.uint16 or mosaic.ndim != 2 or min(mosaic.shape) < 2:
            raise UserError(
                f"a mosaic of {mosaic.dtype} {mosaic.shape} was given; allowed is uint16 [H, W] "
                "of at least 2 x 2 samples; convert it"
            )
        if self.cfa not in CFA_PATTERNS:
            raise UserError(
                f"cfa={self.cfa!r} was given; allowed are {', '.join(CFA_PATTERNS)}; name the "
                "pattern of the sample at the origin"
            )
        # A negated comparison also catches NaN.
        if len(self.black_level) != 4 or not (
            all(0 <= black < self.white_level for black in self.black_level)
            and self.white_level <= 65535
        ):
            raise UserError(
                f"black_level={self.black_level}, white_level={self.white_level} were given; "
                "allowed are four black levels (R, Gr, Gb, B) with 0 <= black < white <= 65535 "
                "DN; give the levels of the sensor"
            )
        if self.iso is not None and not 0 < self.iso < math.inf:
            raise UserError(
                f"iso={self.iso} was given; allowed is above 0; leave it out if unknown"
            )
        for name in ("make", "model"):
            text = getattr(self, name)
            if text != clean_text(text):
                raise UserError(
                    f"{name}={text!r} was given; allowed is printable ASCII without spaces around "
                    "it; shorten it"
                )
        _require_finite("noise", self.noise, 2, lowest=0)
        if self.noise is not None and not self.noise.a > 0:
            raise UserError(f"noise={self.noise} was given; allowed is a > 0, b >= 0; measure it")
        _require_finite("color_matrix", self.color_matrix, 9, lowest=-1e3)
        _require_finite("as_shot_neutral", self.as_shot_neutral, 3, lowest=1e-3)


def _require_finite(
    name: str, values: tuple[float, ...] | None, count: int, *, lowest: float
) -> None:
    """Refuse other counts, NaN and what does not fit in a DNG's rationals."""
    if values is not None and (len(values) != count or not all(lowest <= v <= 1e3 for v in values)):
        raise UserError(
            f"{name}={tuple(values)} was given; allowed are {count} numbers of {lowest:g} to 1000, "
            "or None; leave it out if unknown"
        )


def read_raw(path: Path) -> RawFrame:
    """Read the visible area of a Bayer RAW file.

    LibRaw decodes the samples. Black, white, noise and colour of a DNG come from its tags, which
    LibRaw rounds or leaves out; where a tag is missing, LibRaw's value stands in. Orientation is
    not applied: the frame is as the sensor was read out.

    Raises:
        UserError: when the file is missing, cut off, not RAW, or not a 2 x 2 Bayer mosaic.
    """
    if not path.is_file():
        raise UserError(f"{path} was not found (or is no file); {_WHAT_TO_GIVE}; check the path")
    try:
        tags = read_tags(path)
        if tags is not None and tags.is_dng:
            _refuse_by_tags(tags)
        with rawpy.imread(str(path)) as raw:
            return _decode(raw, tags)
    except UserError as error:
        raise UserError(f"{path}: {error}") from error
    except rawpy.LibRawFileUnsupportedError as error:
        raise UserError(
            f"{path} is not a RAW file that LibRaw knows; {_WHAT_TO_GIVE}; give the RAW file of "
            "the camera or convert it to DNG"
        ) from error
    except (
        rawpy.LibRawError,
        rawpy.NotSupportedError,
        OSError,
        MemoryError,
        RuntimeError,  # rawpy: a filter layout that it has no pattern for
    ) as error:
        raise UserError(
            f"{path} cannot be decoded, it is cut off, damaged or not RAW ({_reason(error)}); "
            f"{_WHAT_TO_GIVE}; copy the file again from its source"
        ) from error


def _reason(error: BaseException) -> str:
    if isinstance(error, OSError):
        return error.strerror or str(error)
    text = error.args[0] if error.args else type(error).__name__
    return text.decode("ascii", "replace") if isinstance(text, bytes) else str(text)


def _refuse_by_tags(tags: TiffTags) -> None:
    """Refuse what LibRaw would decode as something that it is not."""
    if tags.photometric != PHOTOMETRIC_CFA:
        raise _not_mosaic(f"a DNG of PhotometricInterpretation {tags.photometric} (linear or RGB)")
    if tags.cfa_dim is not None and tags.cfa_dim != (2, 2):
        raise _not_bayer(*tags.cfa_dim)
    if tags.cfa_codes and sorted(tags.cfa_codes) != [0, 1, 1, 2]:
        raise _not_mosaic(f"a mosaic of the colours {tags.cfa_codes}")
    if tags.missing_bytes:
        raise UserError(
            f"the file is cut off: {tags.missing_bytes} bytes of image data are missing; "
            f"{_WHAT_TO_GIVE}; copy the file again from its source"
        )


def _not_mosaic(given: str) -> UserError:
    return UserError(
        f"{given} was given, which is not a Bayer mosaic; {_WHAT_TO_GIVE}; give the RAW file "
        "before demosaicing"
    )


def _not_bayer(rows: int, cols: int) -> UserError:
    kind = {(4, 4): "Quad-Bayer", (6, 6): "X-Trans"}.get((rows, cols), "unknown")
    return UserError(
        f"a {rows} x {cols} colour filter array ({kind}) was given; allowed are 2 x 2 Bayer "
        f"patterns {', '.join(CFA_PATTERNS)}; convert (remosaic) the capture first"
    )


def _decode(raw: rawpy.RawPy, tags: TiffTags | None) -> RawFrame:
    pattern = raw.raw_pattern
    if pattern is None or raw.raw_type != rawpy.RawType.Flat or pattern.shape == (1, 1):
        raise _not_mosaic("a file with a full colour (or gray) value in every sample")
    if pattern.shape != (2, 2):
        raise _not_bayer(*pattern.shape)
    tags = tags or TiffTags(is_dng=False)
    top, left, bottom, right = _area(raw, tags)
    # raw_pattern begins at the frame with margins; the area may begin at another colour.
    cells = [pattern[(top + row) % 2, (left + col) % 2] for row in (0, 1) for col in (0, 1)]
    letters = raw.color_desc.decode("ascii", "replace")
    name = "".join(letters[color] for color in cells)
    cfa = next((known for known in CFA_PATTERNS if known == name), None)
    if cfa is None:
        raise _not_mosaic(f"a mosaic of the colours {name}")
    by_color = raw.black_level_per_channel
    black = (
        float(by_color[cells[0]]),
        float(by_color[cells[1]]),
        float(by_color[cells[2]]),
        float(by_color[cells[3]]),
    )
    return RawFrame(
        mosaic=np.array(raw.raw_image[top:bottom, left:right], np.uint16),
        cfa=cfa,
        black_level=cell_order(tags.black_cells or black, cfa),
        white_level=float(tags.white_level or raw.white_level),
        iso=tags.iso or _libraw_iso(raw),
        noise=tags.noise,
        make=tags.make,
        model=tags.model,
        color_matrix=tags.color_matrix or _libraw_matrix(raw),
        as_shot_neutral=tags.as_shot_neutral or _libraw_neutral(raw),
    )


def _area(raw: rawpy.RawPy, tags: TiffTags) -> tuple[int, int, int, int]:
    """Top, left, bottom, right of the image in LibRaw's frame with margins.

    LibRaw drops a row or column of a DNG's ActiveArea that begins at an odd place, and with it
    the origin that BlackLevel refers to; so the tag decides.
    """
    sizes = raw.sizes
    if tags.active_area is None:
        bottom, right = sizes.top_margin + sizes.height, sizes.left_margin + sizes.width
        return sizes.top_margin, sizes.left_margin, bottom, right
    top, left, bottom, right = tags.active_area
    height, width = raw.raw_image.shape
    if not (0 <= top < bottom <= height and 0 <= left < right <= width):
        raise UserError(
            f"ActiveArea {tags.active_area} was given; allowed is an area inside the {height} x "
            f"{width} samples; copy the file again from its source"
        )
    return tags.active_area


def _libraw_iso(raw: rawpy.RawPy) -> float | None:
    iso = float(raw.other.iso_speed)
    return iso if 0 < iso < math.inf else None


def _libraw_matrix(raw: rawpy.RawPy) -> tuple[float, ...] | None:
    matrix = np.asarray(raw.rgb_xyz_matrix)[:3]
    return tuple(float(value) for value in matrix.flat) if matrix.any() else None


def _libraw_neutral(raw: rawpy.RawPy) -> tuple[float, float, float] | None:
    red, green, blue = (float(gain) for gain in raw.camera_whitebalance[:3])
    if not all(0 < gain < math.inf for gain in (red, green, blue)):
        return None
    return green / red, 1.0, green / blue


def read_headerless(
    path: Path,
    *,
    shape: tuple[int, int],
    cfa: CfaPattern,
    black_level: tuple[float, float, float, float],
    white_level: float,
) -> RawFrame:
    """Read a bare dump: H * W little-endian uint16 DN, row by row, nothing else.

    Args:
        path: the dump.
        shape: H, W.
        cfa: the pattern at the origin.
        black_level: DN, R, Gr, Gb, B order.
        white_level: DN.

    Raises:
        UserError: when the file is missing, has another size, or the levels are impossible.
    """
    height, width = shape
    if min(shape) < 2:
        raise UserError(
            f"a shape of {height} x {width} was given; allowed are at least 2 x 2 samples; give "
            "the rows and columns of the dump"
        )
    if not path.is_file():
        raise UserError(
            f"{path} was not found (or is no file); allowed is a dump of uint16 samples; check "
            "the path"
        )
    try:
        given = path.stat().st_size
        if given != 2 * height * width:
            raise UserError(
                f"{path} has {given} bytes; allowed are exactly {2 * height * width} for "
                f"{height} x {width} samples of 2 bytes; check the shape, and that nothing is "
                "packed or padded"
            )
        mosaic = np.fromfile(path, "<u2", height * width).reshape(shape).astype(np.uint16)
    except OSError as error:
        raise UserError(
            f"{path} cannot be read ({error.strerror or error}); allowed is a readable dump of "
            "uint16 samples; check its permissions"
        ) from error
    return RawFrame(mosaic, cfa, black_level, white_level)


def write_dng(path: Path, frame: RawFrame) -> None:
    """Write ``frame`` as an uncompressed 16-bit DNG 1.4 that :func:`read_raw` gives back.

    A frame without colour gets the sRGB matrix and the neutral 1, 1, 1.

    Raises:
        UserError: when the place cannot be written (then nothing is left there), a side is
            outside 22..65535 or the white level is not whole.
    """
    data = encode_dng(frame)
    with replace_file(path) as partial:
        partial.write_bytes(data)


def normalize(frame: RawFrame) -> npt.NDArray[np.float32]:
    """float32 [H, W]: 0 at the black level of each colour, 1 at white.

    Clipped to 1 above; noise below black stays negative.
    """
    out = np.empty(frame.mosaic.shape, np.float32)
    black: Cells = cell_order(frame.black_level, frame.cfa)
    for index, level in enumerate(black):
        at = (slice(index // 2, None, 2), slice(index % 2, None, 2))
        out[at] = (frame.mosaic[at].astype(np.float32) - np.float32(level)) / np.float32(
            frame.white_level - level
        )
    return np.minimum(out, np.float32(1), out=out)


def render_preview(
    frame: RawFrame, *, max_side: int | None = None, brightness: float = 1.0
) -> npt.NDArray[np.uint8]:
    """What a RAW converter shows: sRGB uint8 [h, w, 3], developed by LibRaw.

    As-shot white balance and no automatic exposure, so that a noisy and a denoised frame are
    shown alike.

    Args:
        frame: any size.
        max_side: the longer side is scaled down to this; None keeps every pixel.
        brightness: exposure factor, > 0.

    Raises:
        UserError: when the frame cannot be encoded or an argument is out of range.
    """
    if not 0 < brightness < math.inf or (max_side is not None and max_side < 1):
        raise UserError(
            f"brightness={brightness}, max_side={max_side} were given; allowed are a brightness "
            "above 0 and a side of at least 1 pixel; choose others"
        )
    height, width = frame.mosaic.shape
    top = left = 0
    if min(height, width) < MIN_SIDE:
        padded, (top, left) = pad_to_phase(frame.mosaic, frame.cfa, minimum=(MIN_SIDE, MIN_SIDE))
        frame = replace(frame, mosaic=padded.astype(np.uint16), cfa="RGGB")
    with rawpy.imread(io.BytesIO(encode_dng(frame))) as raw:
        rgb = raw.postprocess(
            use_camera_wb=True,
            no_auto_bright=True,
            # 0: the white level of the file holds, whatever the brightest sample.
            adjust_maximum_thr=0.0,
            bright=brightness,
            gamma=_SRGB_GAMMA,
            output_color=rawpy.ColorSpace.sRGB,
            output_bps=8,
        )
    image = Image.fromarray(rgb[top : top + height, left : left + width])
    if max_side is not None:
        image.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)
    return np.array(image, np.uint8)


def gain_of(frame: RawFrame, profile: SensorProfile) -> float:
    """The gain that ``frame`` was taken at: its ISO over the profile's ISO at gain 1.

    Raises:
        UserError: when the frame does not say its ISO.
    """
    if frame.iso is None:
        raise UserError(
            f"the RAW frame of {frame.make} {frame.model} has no ISO in its metadata; allowed "
            f"is an ISO, from which profile {profile.name} (ISO {profile.base_iso:g} at gain 1) "
            "derives the gain; give --gain"
        )
    return frame.iso / profile.base_iso
