"""The heteroscedastic noise of a RAW sensor and the k-sigma transform.

Signal ``x`` is normalised: 0 at the black level, 1 at the white level. Its noise has variance
``a * x + b`` (arXiv 2103.01524, Eq. 7; A. Foi et al., IEEE TIP 2008): ``a`` is the
signal-dependent (shot) part, ``b`` the signal-independent (read) part.

The k-sigma transform (Y. Wang et al., "Practical Deep Raw Image Denoising on Mobile Devices",
ECCV 2020) is written here with an anchor (a0, b0): it maps a signal with noise (a, b) to one
with noise (a0, b0), so that a network meets one noise level, whatever the gain.

Arithmetic only, so the same functions serve NumPy arrays, torch tensors and plain floats.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

T = TypeVar("T")


class NoiseParameters(NamedTuple):
    """Variance ``a * x + b`` of a normalised signal ``x`` in 0..1; both are >= 0, ``a`` > 0."""

    a: float
    b: float


class KSigma(NamedTuple):
    """z = scale * x + offset takes noise (a, b) to the anchor's; 1 / scale takes residuals back."""

    scale: float
    offset: float

    @classmethod
    def between(cls, noise: NoiseParameters, anchor: NoiseParameters) -> KSigma:
        """The transform that takes a signal with ``noise`` to one with the ``anchor``'s noise."""
        scale = anchor.a / noise.a
        return cls(scale, scale * (noise.b / noise.a) - anchor.b / anchor.a)


def k_sigma(x: T, transform: KSigma) -> T:
    """Normalised signal to the anchor's domain; any array type, elementwise."""
    signal: Any = x  # arrays, tensors and floats have these operators and no common type
    out: T = signal * transform.scale + transform.offset
    return out


def inverse_k_sigma(z: T, transform: KSigma) -> T:
    """The anchor's domain back to the normalised signal; inverse of :func:`k_sigma`."""
    signal: Any = z
    out: T = (signal - transform.offset) / transform.scale
    return out


def variance(x: npt.NDArray[np.floating], noise: NoiseParameters) -> npt.NDArray[np.floating]:
    """Noise variance of a clean normalised signal; negative signals count as black."""
    return np.asarray(noise.a * np.maximum(x, 0) + noise.b)


def add_noise(
    clean: npt.NDArray[np.floating],
    noise: NoiseParameters,
    rng: np.random.Generator,
    *,
    low: float = 0.0,
    levels: float | None = None,
) -> npt.NDArray[np.float32]:
    """Draw a noisy capture of a clean normalised signal (Eq. 7).

    Args:
        clean: any shape, 0..1.
        noise: a > 0, b >= 0.
        rng: the source of randomness.
        low: the smallest value that the sensor can report, <= 0. 0 clips at the black level, as
            Eq. 7 does; -black / (white - black) is a sensor that keeps its pedestal in the file.
        levels: white - black in DN when the result is rounded to whole DN; None rounds nothing.

    Returns:
        float32, in [low, 1].
    """
    sigma = np.sqrt(variance(clean, noise), dtype=np.float32)
    noisy = clean + sigma * rng.standard_normal(clean.shape, dtype=np.float32)
    noisy = np.clip(noisy, low, 1)
    if levels is not None:
        noisy = np.round(noisy * levels) / levels
    return np.asarray(noisy, np.float32)


def clipped_mean(x: float, noise: NoiseParameters, low: float) -> float:
    """Mean of captures of a signal ``x``: Gaussian noise (a, b), cut off at ``low`` and 1."""
    sigma = math.sqrt(noise.a * x + noise.b)
    lower, upper = (low - x) / sigma, (1 - x) / sigma
    inside = _below(upper) - _below(lower)
    density = (_density(lower) - _density(upper)) * sigma
    return low * _below(lower) + x * inside + density + (1 - _below(upper))


def _below(z: float) -> float:
    return math.erfc(-z / math.sqrt(2)) / 2


def _density(z: float) -> float:
    return math.exp(-z * z / 2) / math.sqrt(2 * math.pi)
