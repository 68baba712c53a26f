"""A classical denoiser to compare with: non-local means on stabilised noise.

The mosaic is packed into four planes, its noise brought to variance 1 by the generalised Anscombe
transform (J.-L. Starck, F. Murtagh and A. Bijaoui, 1998), denoised by scikit-image's non-local
means (A. Buades et al., CVPR 2005; BSD licence) with that known sigma, the four colours together,
and brought back by the exact unbiased inverse (M. Makitalo and A. Foi, IEEE TIP 2013), computed
for this noise, its clipping included.

Why not BM3D: its authors' binaries (``bm3d`` on PyPI) are for non-commercial use only.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from fa_mobile.bayer import pack, unpack
from fa_mobile.noise import NoiseParameters
from fa_mobile.patches import to_dn, to_signal
from fa_mobile.sensor import SensorProfile

if TYPE_CHECKING:
    from fa_mobile.evaluation.subjects import Denoise, DenoiseByNoise

Signal = npt.NDArray[np.float64]

PATCH_SIDE: Final = 5
SEARCH: Final = 11
"""Packed pixels to either side among which similar patches are looked for."""
STRENGTH: Final = 0.6
"""h over sigma. This and the patch are the best of 3, 5, 7 and 0.4 .. 1.0 in RAW PSNR over gains
2, 16 and 64 on scikit-image's photos."""


def stabilize(x: Signal, noise: NoiseParameters) -> Signal:
    """Normalised signal of noise (a, b) to one of noise 1, about; any shape."""
    a, b = noise
    return np.asarray(2 / a * np.sqrt(np.maximum(a * x + 3 / 8 * a * a + b, 0)), np.float64)


def unbiased_inverse(stabilized: Signal, noise: NoiseParameters, low: float) -> Signal:
    """The clean signal in 0..1 whose noisy captures have the mean ``stabilized``.

    Inverting the square root itself would darken: the mean of a root is below the root of the
    mean. So the mean is tabulated over the signal, and the table is read backwards.

    Args:
        stabilized: means of stabilised noisy samples, any shape.
        noise: of the samples.
        low: the smallest value that a sample can have, at most 0; the largest is 1.
    """
    levels = np.linspace(0, 1, 1025) ** 2  # close where the root bends
    normal = np.linspace(-6, 6, 481)
    weights = np.exp(-(normal**2) / 2)
    sigma = np.sqrt(noise.a * levels + noise.b)
    samples = np.clip(levels[:, None] + sigma[:, None] * normal, low, 1)
    means = stabilize(samples, noise) @ (weights / weights.sum())
    return np.asarray(np.interp(stabilized, np.maximum.accumulate(means), levels), np.float64)


def denoiser(profile: SensorProfile) -> Denoise:
    """(raw DN [H, W] RGGB with even sides, gain) to denoised DN, believing in ``profile``."""
    denoise = denoiser_by_noise(profile)
    return lambda raw, gain: denoise(raw, profile.noise(gain))


def denoiser_by_noise(profile: SensorProfile) -> DenoiseByNoise:
    """(raw DN [H, W] RGGB with even sides, noise) to denoised DN at the levels of ``profile``."""
    rounding = 1 / (12 * min(profile.span) ** 2)  # whole DN: variance of a uniform error

    def denoise(raw: npt.NDArray[np.generic], known: NoiseParameters) -> npt.NDArray[np.float32]:
        from skimage.restoration import denoise_nl_means

        noise = NoiseParameters(known.a, known.b + rounding)
        signal = to_signal(raw.astype(np.float32), profile).astype(np.float64)
        planes = np.moveaxis(pack(stabilize(signal, noise)), 0, -1)
        means = denoise_nl_means(
            planes,
            patch_size=PATCH_SIDE,
            patch_distance=SEARCH,
            h=STRENGTH,
            sigma=1.0,
            fast_mode=True,
            preserve_range=True,
            channel_axis=-1,
        )
        clean = unbiased_inverse(np.moveaxis(means, -1, 0), noise, profile.pedestal)
        return to_dn(np.asarray(unpack(clean), np.float32), profile)

    return denoise


def name() -> str:
    """For reports: the method, the library and its version."""
    return f"nl-means, scikit-image {version('scikit-image')}"
