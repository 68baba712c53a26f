"""Clean patches that a checkpoint carries: int8 ranges and golden vectors are made from them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import safetensors
import safetensors.numpy

from fa_mobile.errors import UserError
from fa_mobile.noise import NoiseParameters, add_noise
from fa_mobile.nsma import ArraySpec, subrange
from fa_mobile.sensor import SensorProfile
from fa_mobile.targets.base import CalibrationSample

PATCHES_FILE: Final = "patches.safetensors"
PATCH_SIDE: Final = 128
_SEED: Final = 258

Patches = npt.NDArray[np.float32]
"""[N, 128, 128] clean RGGB mosaics, 0..1."""


def save_patches(patches: Patches, folder: Path) -> None:
    """Write patches beside a checkpoint, 16 bits a sample."""
    codes = np.round(np.clip(patches, 0, 1) * 65535).astype(np.uint16)
    safetensors.numpy.save_file({"clean": codes}, folder / PATCHES_FILE)


def load_patches(folder: Path) -> Patches:
    """Patches of a checkpoint.

    Raises:
        UserError: when there are none or the file is damaged.
    """
    path = folder / PATCHES_FILE
    if not path.is_file():
        raise UserError(
            f"checkpoint {folder} carries no {PATCHES_FILE}; name a folder of photos as "
            "'calibration' in the recipe"
        )
    try:
        codes = safetensors.numpy.load_file(path)["clean"]
    except (safetensors.SafetensorError, KeyError, ValueError) as error:
        raise UserError(f"{path} cannot be read: {error}; restore it") from error
    if codes.dtype != np.uint16 or codes.ndim != 3 or codes.shape[1:] != (PATCH_SIDE, PATCH_SIDE):
        raise UserError(f"{path} holds {codes.dtype} {codes.shape}, not uint16 [N, 128, 128]")
    return np.asarray(codes.astype(np.float32) / 65535, np.float32)


def patches_from_photos(folder: Path, count: int = 24) -> Patches:
    """Clean patches drawn from a folder of photos, the same ones every time.

    Raises:
        UserError: when the folder holds no usable photo.
    """
    from fa_mobile.training.sources import load_photos, photo_paths

    sources, skipped = load_photos(photo_paths([folder])[:count], PATCH_SIDE)
    if not sources:
        raise UserError(f"no photo of {folder} can be used: {'; '.join(skipped[:3])}")
    rng = np.random.default_rng(_SEED)
    return np.stack([sources[i % len(sources)].sample(rng, PATCH_SIDE) for i in range(count)])


def to_dn(signal: npt.NDArray[np.float32], profile: SensorProfile) -> npt.NDArray[np.float32]:
    """Normalised RGGB mosaic [H, W], even sides, to DN (not rounded), black level per channel."""
    black, span = (_as_mosaic(v, signal.shape) for v in (profile.black_level, profile.span))
    return np.asarray(signal * span + black, np.float32)


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


def calibration_samples(patches: Patches, spec: ArraySpec) -> list[list[CalibrationSample]]:
    """For each member, every patch with noise spread over the member's own subrange."""
    rng = np.random.default_rng(_SEED)
    samples = []
    for member in range(spec.members):
        low, high = subrange(spec.profile.a_range, spec.edges, member)
        steps = np.linspace(math.log(low), math.log(high), len(patches))
        noises = [NoiseParameters(a, spec.profile.line_b(a)) for a in np.exp(steps)]
        samples.append(
            [
                CalibrationSample(capture(clean, noise, spec.profile, rng)[None, None], *noise)
                for clean, noise in zip(patches, noises, strict=True)
            ]
        )
    return samples
