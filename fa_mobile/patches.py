"""Clean patches and synthetic captures of them, for int8 ranges and golden vectors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from fa_mobile.bayer import pack, unpack
from fa_mobile.errors import UserError
from fa_mobile.noise import NoiseParameters, add_noise
from fa_mobile.sensor import SensorProfile

PATCH_SIDE: Final = 128
SHIPPED_PHOTOS: Final = ("coffee.png", "chelsea.png", "motorcycle_left.png", "rocket.jpg")
"""Photos inside scikit-image's package; the demonstration's own photo is not among them."""
_SEED: Final = 258
_KINDS: Final = 8
_SOFT: Final = (1, 3, 5, 7)
_VIVID: Final = (2, 5)
_BRIGHT: Final = (6,)

Patches = npt.NDArray[np.float32]
"""[N, 128, 128] clean RGGB mosaics, 0..1."""


def shipped_photo(name: str) -> Path:
    """The file of a photo that scikit-image's package ships; no network is used.

    Raises:
        UserError: when scikit-image is not installed or does not ship it.
    """
    try:
        import skimage
    except ImportError as error:
        raise UserError(
            "scikit-image, whose photos serve as examples, is not installed; "
            "run: pip install 'fa-mobile[export]', or give a photo"
        ) from error
    path = Path(skimage.__file__).parent / "data" / name
    if not path.is_file():
        raise UserError(f"this scikit-image ships no {name}; give a photo or a folder of photos")
    return path


def clean_patches(folder: Path | None, count: int = 48) -> Patches:
    """Clean patches drawn from a folder of photos (None: scikit-image's), always the same ones.

    Every second one is soft (enlarged), for sharp ones hide what coarse steps cost where it is
    smooth; every fourth is vivid and every eighth overexposed, for a handful of photos has few
    strong colours and highlights with hard edges, and int8 ranges measured without them would clip
    those of other photos.

    Raises:
        UserError: when there is no usable photo.
    """
    from fa_mobile.training.sources import load_photos, photo_paths

    if folder is None:
        paths = [shipped_photo(name) for name in SHIPPED_PHOTOS]
    else:
        paths = photo_paths([folder])[:count]
    sharp, skipped = load_photos(paths, PATCH_SIDE)
    if not sharp:
        raise UserError(f"no photo of {folder} can be used: {'; '.join(skipped[:3])}")
    soft, _ = load_photos(paths, PATCH_SIDE, soft_share=1)
    rng = np.random.default_rng(_SEED)

    def drawn(index: int) -> npt.NDArray[np.float32]:
        kind = index % _KINDS
        # So that every photo comes to be of every kind.
        photo = (index + index // _KINDS) % len(sharp)
        patch = (soft if kind in _SOFT else sharp)[photo].sample(rng, PATCH_SIDE)
        if kind in _VIVID:
            return vivid(patch)
        return overexposed(patch) if kind in _BRIGHT else patch

    return np.stack([drawn(index) for index in range(count)])


def vivid(mosaic: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """A patch [H, W] with its colours' distance from gray tripled and its highlights at 1."""
    planes = pack(mosaic).astype(np.float32)
    gray = planes.mean(axis=0)
    strong = np.clip(gray + 3 * (planes - gray), 0, None)
    return np.asarray(unpack(_whitened(strong, 99.5)), np.float32)


def overexposed(mosaic: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """A patch [H, W] whose brightest twelfth is white, as sky behind leaves comes to be."""
    return _whitened(mosaic, 100 * 11 / 12)


def _whitened(signal: npt.NDArray[np.float32], percentile: float) -> npt.NDArray[np.float32]:
    """0..1, with what is above the percentile at 1."""
    top = max(float(np.percentile(signal, percentile)), 1e-3)
    return np.asarray(np.clip(signal / top, 0, 1), np.float32)


def to_dn(signal: npt.NDArray[np.float32], profile: SensorProfile) -> npt.NDArray[np.float32]:
    """Normalised RGGB mosaic [H, W], even sides, to DN (not rounded), black level per channel."""
    black, span = (_as_mosaic(v, signal.shape) for v in (profile.black_level, profile.span))
    return np.asarray(signal * span + black, np.float32)


def to_signal(mosaic: npt.NDArray[np.float32], profile: SensorProfile) -> npt.NDArray[np.float32]:
    """RGGB mosaic [H, W] in DN, even sides, to the normalised signal; inverse of :func:`to_dn`."""
    return levels_to_signal(mosaic, profile.black_level, profile.white_level)


def levels_to_signal(
    mosaic: npt.NDArray[np.float32], black_level: Sequence[float], white_level: float
) -> npt.NDArray[np.float32]:
    """The same with the levels themselves: black in R, Gr, Gb, B order, and white, DN."""
    black = _as_mosaic(black_level, mosaic.shape)
    span = _as_mosaic([white_level - level for level in black_level], mosaic.shape)
    return np.asarray((mosaic - black) / span, np.float32)


def _as_mosaic(values: Sequence[float], shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
    cell = np.array(values, np.float32).reshape(2, 2)
    return np.tile(cell, (shape[0] // 2, shape[1] // 2))


def capture(
    clean: npt.NDArray[np.float32],
    noise: NoiseParameters,
    profile: SensorProfile,
    rng: np.random.Generator,
) -> npt.NDArray[np.float32]:
    """Synthetic capture of a clean normalised RGGB mosaic [H, W]: whole DN, the pedestal kept."""
    noisy = to_dn(add_noise(clean, noise, rng, low=profile.pedestal), profile)
    return np.asarray(np.clip(np.round(noisy), 0, profile.white_level), np.float32)
