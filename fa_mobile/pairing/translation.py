"""The global translation between two frames: the average flow of their features."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from fa_mobile.errors import UserError
from fa_mobile.noise import NoiseParameters
from fa_mobile.pairing.flow import WINDOW, Flow, Vectors, follow
from fa_mobile.pairing.guide import Gray, Planes, as_bytes, guide, noise_in_bytes, span_of

FEWEST: Final = 20
"""Features without which an average says little, and local motion nothing."""
_MOST_ROUNDS: Final = 10
_SETTLED: Final = 0.001
"""Plane pixels: an update below this ends the rounds (0.002 mosaic pixels)."""
_NEAR: Final = 0.05
_DEVIATIONS: Final = 3.0
_TO_SIGMA: Final = 1.4826
"""Median of absolute deviations to a normal distribution's standard deviation."""


class Translation(NamedTuple):
    """How far the clean frame is to be moved to lie on the noisy one."""

    shift: tuple[float, float]
    """Rows, columns, in plane pixels: noisy(p) = clean(p - shift)."""
    standard_error: float
    """Of the larger of the two, in plane pixels, from how far single features disagree."""
    flow: Flow
    """What is left in the clean frame when it is moved: from it to the noisy one."""


def inliers(vectors: Vectors) -> npt.NDArray[np.bool_]:
    """Vectors near their median: within three of their own (robust) standard deviations."""
    off = np.linalg.norm(vectors - np.median(vectors, axis=0), axis=1)
    return np.asarray(off <= max(_DEVIATIONS * _TO_SIGMA * float(np.median(off)), _NEAR))


def moved(gray: Gray, shift: npt.ArrayLike) -> Gray:
    """A guide moved by a part of a pixel; a guide is blurred, which makes a cubic spline exact."""
    return np.asarray(ndimage.shift(gray, shift, order=3, mode="nearest"), np.float32)


def find_translation(noisy: Planes, clean: Planes, noise: NoiseParameters) -> Translation:
    """Find the translation by the average flow of Shi-Tomasi features, repeated until it settles.

    In each round the clean guide is moved by what is known and its features are followed into the
    noisy one, so that at last nothing is left to follow, and what Lucas-Kanade gets wrong in
    proportion to a displacement (its interpolation is bilinear) vanishes with it. Vectors are
    averaged with their windows' information as weights: (sum G)^-1 sum G v over the inliers.
    Windows overlap, and those that share their noise are not independent: the standard error is
    that of as many vectors as there are windows side by side.

    Args:
        noisy, clean: normalised planes of one size, the same brightness.
        noise: of the noisy frame.

    Raises:
        UserError: when fewer than ``FEWEST`` features can be followed.
    """
    gray = guide(clean, noise)
    span = span_of(gray)
    target = as_bytes(guide(noisy, noise), span)
    known = noise_in_bytes(span)
    total = np.zeros(2)
    for _ in range(_MOST_ROUNDS):
        image = as_bytes(moved(gray, total), span)
        flow = follow(image, target, margin=float(np.abs(total).max()), noise=known)
        if len(flow.points) < FEWEST:
            raise UserError(
                f"{len(flow.points)} of {flow.found} features could be followed from one frame to "
                f"the other; {FEWEST} are needed: give frames of one scene with texture, in focus"
            )
        kept = inliers(flow.vectors)
        update, error = _weighted_mean(flow.vectors[kept], flow.information[kept])
        error *= float(np.sqrt(max(int(kept.sum()) * WINDOW**2 / image.size, 1)))
        total += update
        if np.abs(update).max() < _SETTLED:
            break
    return Translation((float(total[0]), float(total[1])), error, flow)


def _weighted_mean(vectors: Vectors, weights: npt.NDArray[np.float64]) -> tuple[Vectors, float]:
    """(sum G)^-1 sum G v, and the larger standard error of its two parts."""
    inverse = np.linalg.inv(weights.sum(axis=0))
    mean = inverse @ np.einsum("nij,nj->i", weights, vectors)
    pulls = np.einsum("nij,nj->ni", weights, vectors - mean)
    covariance = inverse @ (pulls.T @ pulls) @ inverse
    return mean, float(np.sqrt(np.diag(covariance).max()))
