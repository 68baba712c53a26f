"""Image quality: PSNR and SSIM of arrays, with the data range always said aloud."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.generic]


def _check(estimate: Array, truth: Array, data_range: float) -> None:
    if estimate.shape != truth.shape:
        raise ValueError(
            f"shapes {estimate.shape} and {truth.shape} were given; they must be the same"
        )
    if not data_range > 0:
        raise ValueError(f"data_range={data_range} was given; it must be above 0")


def mse(estimate: Array, truth: Array) -> float:
    """Mean squared error in double precision; shapes must agree."""
    _check(estimate, truth, 1)
    return float(np.mean((estimate.astype(np.float64) - truth.astype(np.float64)) ** 2))


def psnr(estimate: Array, truth: Array, *, data_range: float) -> float:
    """Peak signal-to-noise ratio in dB; infinite for equal arrays.

    Args:
        estimate, truth: the same shape, any units.
        data_range: peak value in those units, > 0 (1 for normalised images, white - black for DN).
    """
    _check(estimate, truth, data_range)
    error = mse(estimate, truth)
    return float("inf") if error == 0 else float(10 * np.log10(data_range**2 / error))


def ssim(estimate: Array, truth: Array, *, data_range: float) -> float:
    """Structural similarity (Z. Wang et al., IEEE TIP 2004) of [H, W] or [H, W, C] images.

    Gaussian window of sigma 1.5 and population covariance, as the authors define it, computed by
    scikit-image. Both sides must be at least 11.
    """
    from skimage.metrics import structural_similarity

    _check(estimate, truth, data_range)
    score = structural_similarity(
        estimate.astype(np.float64),
        truth.astype(np.float64),
        data_range=data_range,
        channel_axis=-1 if estimate.ndim == 3 else None,
        gaussian_weights=True,
        use_sample_covariance=False,
    )
    return float(score)
