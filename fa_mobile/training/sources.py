"""Where clean mosaics come from: photos (unprocessed) and RAW files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from fa_mobile import isp
from fa_mobile.bayer import augmented_crop, pad_to_phase
from fa_mobile.errors import UserError

PHOTO_SUFFIXES: Final = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp")
HALVE_FROM: Final = 1600
"""Photos with a longer side than this are halved, which removes JPEG and demosaicing traces."""

Mosaic = npt.NDArray[np.float32]


class Source(Protocol):
    """One image to draw clean RGGB patches from."""

    @property
    def area(self) -> int:
        """Pixels to draw from; the probability of the source."""

    def sample(self, rng: np.random.Generator, size: int) -> Mosaic:
        """A clean RGGB patch [size, size], 0..1."""


class PhotoSource:
    """A photo kept as linear sRGB; each patch gets a camera, an exposure and flips of its own."""

    def __init__(self, photo: npt.NDArray[np.uint8]) -> None:
        linear = isp.linearize_photo(photo.astype(np.float32) / 255)
        if max(photo.shape[:2]) > HALVE_FROM:
            linear = halve(linear)
        self._linear = np.round(linear * 65535).astype(np.uint16)

    @property
    def area(self) -> int:
        return int(self._linear.shape[0] * self._linear.shape[1])

    def sample(self, rng: np.random.Generator, size: int) -> Mosaic:
        height, width = self._linear.shape[:2]
        top, left = rng.integers(0, height - size + 1), rng.integers(0, width - size + 1)
        crop = self._linear[top : top + size, left : left + size]
        flip_rows, flip_cols, transpose = rng.integers(0, 2, 3)
        crop = crop[:: -1 if flip_rows else 1, :: -1 if flip_cols else 1]
        if transpose:
            crop = crop.transpose(1, 0, 2)
        linear = crop.astype(np.float32) / 65535 * _exposure(rng)
        return isp.unprocess_linear(linear, isp.random_color(rng))


class RawSource:
    """A clean RAW frame, normalised and RGGB; patches get a Bayer-preserving augmentation."""

    def __init__(self, mosaic: Mosaic) -> None:
        self._mosaic = mosaic

    @property
    def area(self) -> int:
        return int(self._mosaic.size)

    def sample(self, rng: np.random.Generator, size: int) -> Mosaic:
        height, width = self._mosaic.shape
        flip_rows, flip_cols, transpose = (bool(v) for v in rng.integers(0, 2, 3))
        top = 2 * int(rng.integers(0, (height - size - 1) // 2 + 1))
        left = 2 * int(rng.integers(0, (width - size - 1) // 2 + 1))
        crop = augmented_crop(
            self._mosaic, top, left, size,
            flip_rows=flip_rows, flip_cols=flip_cols, transpose=transpose,
        )  # fmt: skip
        return np.asarray(np.clip(np.multiply(crop, _exposure(rng)), 0, 1), np.float32)


def _exposure(rng: np.random.Generator) -> np.float32:
    """Darken a third of the patches by up to two stops, so that shadows are well covered."""
    return np.float32(2.0 ** rng.uniform(-2, 0)) if rng.random() < 1 / 3 else np.float32(1)


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


def load_photos(paths: Sequence[Path], size: int) -> tuple[list[Source], list[str]]:
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
        sources.append(PhotoSource(photo))
    return sources, skipped


def load_raws(paths: Sequence[Path], size: int) -> tuple[list[Source], list[str]]:
    """Sources from clean RAW files, and one line for each file that was skipped."""
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
        sources.append(RawSource(np.asarray(mosaic, np.float32)))
    return sources, skipped
