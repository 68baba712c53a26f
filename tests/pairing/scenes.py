"""Pairs whose shift is known: a photo's scene, moved in linear light before it is sampled."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from fa_mobile import isp
from fa_mobile.bayer import pack
from fa_mobile.noise import NoiseParameters
from fa_mobile.pairing.align import Aligned, align
from fa_mobile.pairing.frames import Capture
from fa_mobile.patches import capture, shipped_photo
from fa_mobile.raw_io import RawFrame, normalize, write_dng
from fa_mobile.sensor import load_profile
from fa_mobile.simulation import sensor_color
from fa_mobile.training.sources import read_photo

IMX258 = load_profile("imx258")
_MARGIN = 32
"""A moved scene wraps around at its ends; they are cut off."""

Scene = npt.NDArray[np.float32]
"""[H, W, 3], linear sRGB."""


@cache
def scene(name: str = "coffee.png", soft: float = 0.0) -> Scene:
    """The linear light of a photo's 400 x 600 pixels, blurred by a lens of ``soft`` pixels."""
    photo = read_photo(shipped_photo(name))[:400, :600].astype(np.float32) / 255
    linear = isp.linearize_photo(photo)
    return np.asarray(ndimage.gaussian_filter(linear, (soft, soft, 0)) if soft else linear)


def moved(light: Scene, shift: tuple[float, float]) -> Scene:
    """The scene moved by (rows, columns) pixels, exactly: it is periodic and band-limited."""
    spectrum = np.fft.fft2(light.astype(np.float64), axes=(0, 1))
    shifted = ndimage.fourier_shift(spectrum, (*shift, 0))
    return np.asarray(np.fft.ifft2(shifted, axes=(0, 1)).real, np.float32)


def turned(light: Scene, degrees: float) -> Scene:
    """The scene rotated about its middle."""
    return np.asarray(ndimage.rotate(light, degrees, (1, 0), reshape=False, mode="reflect"))


def with_object(light: Scene, side: int = 64) -> Scene:
    """Something of ``side`` pixels that was not there before: another part of the photo."""
    changed = light.copy()
    changed[150 : 150 + side, 200 : 200 + side] = light[20 : 20 + side, 130 : 130 + side]
    return changed


def signal(light: Scene, brightness: float = 1.0) -> npt.NDArray[np.float32]:
    """What a sensor without noise has of a scene: RGGB in 0..1, without the margin."""
    cut = np.clip(light[_MARGIN:-_MARGIN, _MARGIN:-_MARGIN], 0, 1)
    return np.asarray(isp.unprocess_linear(cut, sensor_color(IMX258)) * brightness, np.float32)


def frame(clean: npt.NDArray[np.float32], gain: float, seed: int = 0, **changes: Any) -> RawFrame:
    """A capture of a clean mosaic by the IMX258."""
    noise = IMX258.noise(gain)
    made = RawFrame(
        mosaic=capture(clean, noise, IMX258, np.random.default_rng(seed)).astype(np.uint16),
        cfa="RGGB",
        black_level=IMX258.black_level,
        white_level=IMX258.white_level,
        iso=100 * gain,
        noise=noise,
        make="Sony",
        model="IMX258",
        color_matrix=IMX258.color_matrix,
        as_shot_neutral=IMX258.as_shot_neutral,
    )
    return replace(made, **changes)


def planes_of(made: RawFrame) -> npt.NDArray[np.float32]:
    """Normalised and packed."""
    return np.asarray(pack(normalize(made)), np.float32)


def short_and_long(
    short: npt.NDArray[np.float32], long: npt.NDArray[np.float32], gain: float, seed: int = 0
) -> tuple[Capture, Capture]:
    """Captures of two clean mosaics, at ``gain`` and at gain 1."""
    return (
        Capture(Path("short.dng"), frame(short, gain, seed), gain, None),
        Capture(Path("long.dng"), frame(long, 1, seed + 1000), 1, None),
    )


def aligned(
    short: npt.NDArray[np.float32], long: npt.NDArray[np.float32], gain: float, seed: int = 0
) -> Aligned:
    """The pair of two clean mosaics."""
    noises: tuple[NoiseParameters, NoiseParameters] = (IMX258.noise(gain), IMX258.noise(1))
    return align(*short_and_long(short, long, gain, seed), *noises)


def save(path: Path, clean: npt.NDArray[np.float32], gain: float, **changes: Any) -> Path:
    """A capture as a DNG; other gains have other noise, not the same one scaled."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_dng(path, frame(clean, gain, seed=round(10 * gain), **changes))
    return path
