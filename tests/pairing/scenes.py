"""Pairs whose shift is known: a photo's scene, moved in the linear light before it is sampled."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from fa_mobile import isp
from fa_mobile.patches import capture, shipped_photo
from fa_mobile.sensor import SensorProfile, load_profile
from fa_mobile.simulation import sensor_color
from fa_mobile.training.sources import read_photo

IMX258 = load_profile("imx258")
MARGIN = 32


def linear(name: str = "coffee.png", top=0, left=0, height: int = 400, width: int = 600):
    photo = read_photo(shipped_photo(name))[top : top + height, left : left + width]
    return isp.linearize_photo(photo.astype(np.float32) / 255)


def moved(scene, shift):
    """Exact for a periodic, band-limited scene; the margin, where it wraps, is cut off after."""
    return np.stack([
        np.fft.ifft2(ndimage.fourier_shift(np.fft.fft2(scene[..., c].astype(np.float64)), shift)).real
        for c in range(3)], -1).astype(np.float32)


def mosaic(scene, profile: SensorProfile = IMX258):
    cut = scene[MARGIN:-MARGIN, MARGIN:-MARGIN]
    return isp.unprocess_linear(np.clip(cut, 0, 1), sensor_color(profile))
