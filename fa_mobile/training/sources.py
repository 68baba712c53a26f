"""Where clean mosaics come from: photos (unprocessed) and RAW files."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from fa_mobile import isp
from fa_mobile.bayer import augmented_crop, flat_mosaic, pad_to_phase
from fa_mobile.errors import UserError

if TYPE_CHECKING:
    from fa_mobile.raw_io import RawFrame

PHOTO_SUFFIXES: Final = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp")
HALVE_FROM: Final = 1600
"""Photos with a longer side than this are halved, which removes JPEG and demosaicing traces."""

ENLARGED: Final = (1.2, 3.0)
"""Factors by which soft patches are enlarged."""

RAW_SUFFIXES: Final = (".arw", ".cr2", ".dng", ".nef", ".orf", ".raf", ".rw2")

Mosaic = npt.NDArray[np.float32]

_SMALLEST_DETERMINANT: Final = 1e-3
UNKNOWN_COLOR: Final = isp.ColorPipeline(np.eye(3, dtype=np.float32), 1.0, 1.0, 1.0)
"""Of RAW files that do not state theirs: shown as they are."""


class CleanPatch(NamedTuple):
    """A clean RGGB mosaic [size, size] in 0..1, and the colour with which to render it."""

    mosaic: Mosaic
    color: isp.ColorPipeline


class Source(ABC):
    """One image to draw clean RGGB patches from."""

    @property
    @abstractmethod
    def area(self) -> int:
        """Pixels to draw from; the probability of the source."""

    @property
    def has_color(self) -> bool:
        """Whether patches come with the colour of their camera."""
        return True

    @abstractmethod
    def draw(self, rng: np.random.Generator, size: int) -> CleanPatch:
        """A patch of ``size`` x ``size`` mosaic pixels, ``size`` even."""

    def sample(self, rng: np.random.Generator, size: int) -> Mosaic:
        """The mosaic of :meth:`draw`."""
        return self.draw(rng, size).mosaic


class PhotoSource(Source):
    """A photo kept as linear sRGB; each patch gets a camera, an exposure and flips of its own.

    Args:
        photo: sRGB [H, W, 3].
        soft_share: of the patches are enlarged, see :func:`enlarge`.
    """

    def __init__(self, photo: npt.NDArray[np.uint8], soft_share: float = 0.0) -> None:
        self._soft_share = soft_share
        linear = isp.linearize_photo(photo.astype(np.float32) / 255)
        if max(photo.shape[:2]) > HALVE_FROM:
            linear = halve(linear)
        self._linear = np.round(linear * 65535).astype(np.uint16)

    @property
    def area(self) -> int:
        return int(self._linear.shape[0] * self._linear.shape[1])

    def draw(self, rng: np.random.Generator, size: int) -> CleanPatch:
        height, width = self._linear.shape[:2]
        side = size
        if self._soft_share and rng.random() < self._soft_share:
            side = math.ceil(size / rng.uniform(*ENLARGED))
        top, left = rng.integers(0, height - side + 1), rng.integers(0, width - side + 1)
        crop = self._linear[top : top + side, left : left + side]
        flip_rows, flip_cols, transpose = rng.integers(0, 2, 3)
        crop = crop[:: -1 if flip_rows else 1, :: -1 if flip_cols else 1]
        if transpose:
            crop = crop.transpose(1, 0, 2)
        linear = enlarge(np.divide(crop, 65535, dtype=np.float32), size) * _exposure(rng)
        color = isp.random_color(rng)
        return CleanPatch(isp.unprocess_linear(linear, color), color)


class FlatSource(Source):
    """Flat colours, most of them dark: near-neutrals as a random camera sees them.

    Photos show too little of what is flat and dark for its tint to weigh much in a loss.
    """

    LEVELS: Final = (0.003, 1.0)
    """Of green; their logarithm is uniform."""
    _WEAKEST: Final = 0.5

    @property
    def area(self) -> int:
        return 1

    def draw(self, rng: np.random.Generator, size: int) -> CleanPatch:
        color = isp.random_color(rng)
        level = np.exp(rng.uniform(*np.log(self.LEVELS)))
        red, green, blue = level * rng.uniform(self._WEAKEST, 1, 3)
        planes = (red / color.red_gain, green, green, blue / color.blue_gain)
        return CleanPatch(flat_mosaic(planes, size), color)


class RawSource(Source):
    """A clean RAW frame, normalised and RGGB; patches get a Bayer-preserving augmentation."""

    def __init__(self, mosaic: Mosaic, color: isp.ColorPipeline = UNKNOWN_COLOR) -> None:
        self._mosaic = mosaic
        self._color = color

    @property
    def area(self) -> int:
        return int(self._mosaic.size)

    @property
    def has_color(self) -> bool:
        return self._color is not UNKNOWN_COLOR

    def draw(self, rng: np.random.Generator, size: int) -> CleanPatch:
        height, width = self._mosaic.shape
        flip_rows, flip_cols, transpose = (bool(v) for v in rng.integers(0, 2, 3))
        top = 2 * int(rng.integers(0, (height - size - 1) // 2 + 1))
        left = 2 * int(rng.integers(0, (width - size - 1) // 2 + 1))
        crop = augmented_crop(
            self._mosaic, top, left, size,
            flip_rows=flip_rows, flip_cols=flip_cols, transpose=transpose,
        )  # fmt: skip
        mosaic = np.asarray(np.clip(np.multiply(crop, _exposure(rng)), 0, 1), np.float32)
        return CleanPatch(mosaic, self._color)


def _exposure(rng: np.random.Generator) -> np.float32:
    """Darken a third of the patches by up to two stops, so that shadows are well covered."""
    return np.float32(2.0 ** rng.uniform(-2, 0)) if rng.random() < 1 / 3 else np.float32(1)


def enlarge(image: npt.NDArray[np.float32], size: int) -> npt.NDArray[np.float32]:
    """A square [s, s, 3] of linear light, s at most ``size``, brought to [size, size, 3].

    So a photo is as soft as what a phone's lens throws on pixels of a micrometre, or what another
    camera's demosaicing left: photos that were made smaller are sharper than any capture.
    """
    if image.shape[0] == size:
        return image

    def enlarged(plane: Mosaic) -> Mosaic:
        given = Image.fromarray(np.ascontiguousarray(plane))
        return np.asarray(given.resize((size, size), Image.Resampling.BICUBIC))

    planes = [enlarged(image[..., channel]) for channel in range(3)]
    # Bicubic weights overshoot beside edges.
    return np.asarray(np.clip(np.stack(planes, axis=-1), 0, 1), np.float32)


def halve(image: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Average 2 x 2 blocks of [H, W, C] (odd last rows and columns are dropped)."""
    height, width = image.shape[0] & ~1, image.shape[1] & ~1
    blocks = image[:height, :width].reshape(height // 2, 2, width // 2, 2, -1)
    return np.asarray(blocks.mean(axis=(1, 3)), np.float32)


def read_photo(path: Path) -> npt.NDArray[np.uint8]:
    """An 8-bit sRGB photo [H, W, 3].

    Raises:
        UserError: when the file is not an image that Pillow reads.
    """
    try:
        with Image.open(path) as image:
            return np.asarray(image.convert("RGB"))
    except (UnidentifiedImageError, OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise UserError(f"{path} is not a readable photo: {error}") from error


def photo_paths(folders: Iterable[Path]) -> list[Path]:
    """Photos below the folders, sorted by name, so that a split is the same everywhere.

    Raises:
        UserError: when a folder does not exist or none holds a photo.
    """
    paths: list[Path] = []
    for folder in folders:
        if not folder.is_dir():
            raise UserError(f"photo folder {folder} does not exist; give a folder of photos")
        paths += [p for p in folder.rglob("*") if p.suffix.lower() in PHOTO_SUFFIXES]
    if not paths:
        raise UserError(
            f"no photo ({', '.join(PHOTO_SUFFIXES)}) lies in the given folders; "
            "give a folder of photos"
        )
    return sorted(paths, key=lambda path: path.name)


def load_photos(
    paths: Sequence[Path], size: int, soft_share: float = 0.0
) -> tuple[list[Source], list[str]]:
    """Sources from photos, and one line for each file that was skipped (unreadable, too small)."""
    sources: list[Source] = []
    skipped = []
    for path in paths:
        try:
            photo = read_photo(path)
        except UserError as error:
            skipped.append(str(error))
            continue
        if min(photo.shape[:2]) < 2 * size:
            skipped.append(f"{path}: {photo.shape[1]} x {photo.shape[0]} is too small")
            continue
        sources.append(PhotoSource(photo, soft_share))
    return sources, skipped


def raw_paths(given: Iterable[Path]) -> list[Path]:
    """RAW files: those given, and those below the folders given, sorted within each.

    A folder named ``short`` with a ``long`` beside it is left out: in the layout of SID
    (C. Chen et al., "Learning to See in the Dark", CVPR 2018) it holds the noisy exposures.

    Raises:
        UserError: when a path does not exist or a folder holds no RAW file.
    """
    paths: list[Path] = []
    for path in given:
        if not path.exists():
            raise UserError(f"{path} was not found; give a clean RAW file or a folder of them")
        if not path.is_dir():
            paths.append(path)
            continue
        found = sorted(p for p in path.rglob("*") if p.suffix.lower() in RAW_SUFFIXES)
        clean = [p for p in found if not _is_short_exposure(p)]
        if not clean:
            raise UserError(
                f"no clean RAW file ({', '.join(RAW_SUFFIXES)}) lies in {path}; give a folder of "
                "them, such as Sony/long of SID"
            )
        paths += clean
    return paths


def _is_short_exposure(path: Path) -> bool:
    return path.parent.name == "short" and path.parent.with_name("long").is_dir()


def _color_of(frame: RawFrame) -> isp.ColorPipeline:
    """The colour that a frame states, at its own exposure; ``UNKNOWN_COLOR`` where it does not."""
    if frame.color_matrix is None or frame.as_shot_neutral is None:
        return UNKNOWN_COLOR
    red, green, blue = frame.as_shot_neutral
    matrix = isp.srgb_to_camera(frame.color_matrix)
    # A matrix of zeros, or of equal rows, has no way back to sRGB.
    if not np.isfinite(matrix).all() or abs(np.linalg.det(matrix)) < _SMALLEST_DETERMINANT:
        return UNKNOWN_COLOR
    return isp.ColorPipeline(matrix, green / red, green / blue, brightness=1.0)


def load_raws(
    paths: Sequence[Path], size: int, *, need_color: bool = False
) -> tuple[list[Source], list[str]]:
    """Sources from clean RAW files, and one line for each file that was skipped.

    Args:
        paths: files; each is held in memory, 4 bytes a pixel.
        size: of the patches to draw, in mosaic pixels.
        need_color: skip files that do not state their camera's colour.
    """
    from fa_mobile.raw_io import normalize, read_raw

    sources: list[Source] = []
    skipped = []
    for path in paths:
        try:
            frame = read_raw(path)
        except UserError as error:
            skipped.append(str(error))
            continue
        mosaic, _ = pad_to_phase(normalize(frame), frame.cfa)
        if min(mosaic.shape) < size + 2:
            skipped.append(f"{path}: {mosaic.shape[1]} x {mosaic.shape[0]} is too small")
            continue
        source = RawSource(np.asarray(mosaic, np.float32), _color_of(frame))
        if need_color and not source.has_color:
            skipped.append(
                f"{path}: states no colour (matrix and white balance), which this loss needs"
            )
            continue
        sources.append(source)
    return sources, skipped
