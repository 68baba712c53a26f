"""The gray image in which features are found and followed: one noise level, little aliasing."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from fa_mobile.noise import NoiseParameters

Planes = npt.NDArray[np.float32]
"""[4, h, w]: a packed RGGB mosaic, normalised: 0 at black, 1 at white."""
Gray = npt.NDArray[np.float32]
"""[h, w], in plane pixels (two mosaic pixels each way)."""

BLUR: Final = 1.0
"""Plane pixels. A plane is undersampled: without a blur its edges move in steps, not evenly."""
_HEADROOM: Final = 0.02
_SHADE: Final = 0.375
"""Of a, in F. J. Anscombe's root, which keeps the root of a dark noisy signal smooth."""


def guide(planes: Planes, noise: NoiseParameters) -> Gray:
    """The mean of the four planes under a root that makes its noise alike at every level, blurred.

    t = (2 / sqrt(a)) sqrt(x + 3 a / 8 + b / a): noise (a, b) of a sample has a standard deviation
    near 1 in t (the generalised transform of F. J. Anscombe), so that noise in a bright corner
    does not outweigh a clear dark one. The mean of a cell's four samples is a box over the cell,
    which aliases less than any plane of its own; both frames sample the cell alike, so it moves as
    they do.

    Args:
        planes: of either frame of a pair.
        noise: of the noisy frame, for both.
    """
    mean = planes.mean(axis=0)
    under = np.maximum(mean + _SHADE * noise.a + noise.b / noise.a, 0)
    root = np.asarray(2 / np.sqrt(noise.a) * np.sqrt(under), np.float32)
    return np.asarray(cv2.GaussianBlur(root, (0, 0), BLUR), np.float32)


def span_of(clean: Gray) -> tuple[float, float]:
    """The range of a clean guide that 8 bits are to cover, a little wider than its values."""
    low, high = float(clean.min()), float(clean.max())
    room = max(_HEADROOM * (high - low), 1e-6)
    return low - room, high + room


def as_bytes(gray: Gray, span: tuple[float, float]) -> npt.NDArray[np.uint8]:
    """A guide in 8 bits, all that OpenCV follows features in; one ``span`` for both frames."""
    low, high = span
    return np.asarray(np.clip(np.round((gray - low) * (255 / (high - low))), 0, 255), np.uint8)


def noise_in_bytes(span: tuple[float, float]) -> float:
    """Variance of a noisy guide in 8 bits, before its blur.

    Each of the four samples that are averaged has variance 1. Blurred noise is less, but its
    neighbours are alike: over the window of a feature it displaces as much as this, unblurred.
    """
    low, high = span
    return (255 / (high - low)) ** 2 / 4
