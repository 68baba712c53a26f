"""Brightness equalisation: one factor that brings the clean frame to the noisy one's exposure."""

from __future__ import annotations

from typing import Final

import numpy as np

from fa_mobile.errors import UserError
from fa_mobile.pairing.cells import blocks, means
from fa_mobile.pairing.guide import Planes

SATURATED: Final = 0.9
"""Of the clean frame: from here on a sample may have lost light to the white level."""
_BRIGHTEST: Final = 0.7
"""Mean of a noisy cell: above it, noise at high gain is cut off at white and darkens the mean."""
_DARKEST: Final = 0.002
"""Mean of a clean cell (2 DN of 10 bits): below it, errors of the black level would count."""
_FEWEST: Final = 16
ALLOWED: Final = (0.25, 4.0)
"""Beyond, the frames are of other light or the plan was not kept; a clean frame that is brought up
so far is no longer clean."""


def brightness_factor(noisy: Planes, clean: Planes) -> float:
    """The factor k with which k x clean has the noisy frame's brightness.

    One for all channels: a pair is of one sensor in one light, so only gain times time differs. A
    factor for each would hide what the pair must not have, another white or a lamp switched on.
    Cells (all planes) that are neither saturated nor black: the weighted median of their
    ratios, weights being the clean means, then the ratio of sums over the cells near it; a ratio
    of sums, unlike a mean of ratios, is not biased by noise.

    Args:
        noisy, clean: normalised planes of one size; aligned or almost.

    Raises:
        UserError: when too few cells can be compared, or the factor is not ``ALLOWED``.
    """
    ours, theirs = means(noisy).ravel(), means(clean).ravel()
    peaks = blocks(clean).max(axis=-1).ravel()
    usable = (peaks < SATURATED) & (theirs > _DARKEST) & (ours < _BRIGHTEST)
    ours, theirs = ours[usable].astype(np.float64), theirs[usable].astype(np.float64)
    if len(ours) < _FEWEST:
        raise UserError(
            f"{len(ours)} cells of 16 x 16 samples are neither saturated nor black; {_FEWEST} are "
            "needed to compare brightness: expose the scene otherwise"
        )
    middle = _weighted_median(ours / theirs, theirs)
    # Shot noise: deviations grow with the root of the signal.
    off = np.abs(ours - middle * theirs) / np.sqrt(theirs)
    near = off <= 3 * 1.4826 * np.median(off)
    factor = float(ours[near].sum() / theirs[near].sum()) if near.any() else middle
    low, high = ALLOWED
    if not low <= factor <= high:
        raise UserError(
            f"the short frame is {factor:.3g} times as bright as the long one; allowed are {low:g} "
            f"to {high:g}: keep gain x exposure time alike (fa-mobile pair --plan), in one light"
        )
    return factor


def _weighted_median(values: np.ndarray, weights: np.ndarray) -> float:  # type: ignore[type-arg]
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(total, total[-1] / 2)])
