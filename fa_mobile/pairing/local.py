"""Local differences of an aligned pair, in units of the noise that the profile expects there."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from fa_mobile.noise import NoiseParameters, variance
from fa_mobile.pairing.brightness import SATURATED
from fa_mobile.pairing.cells import CELL, Cells, means
from fa_mobile.pairing.guide import Planes

LIMIT: Final = 5.0
"""Deviations from which a cell differs: 13 megapixels have 5e4 cells, of which chance alone
reaches this in one pair of forty."""
LEAST_CLUSTER: Final = 4
"""Cells that differ side by side before a pair is rejected: an object of about 32 x 32 mosaic
pixels. Single ones are dead pixels, dust in motion, or a profile that is a little wrong."""
_RELATIVE: Final = 0.03
"""Of the signal: flicker, vignetting that moves with the frame, a profile's black level."""
_SLIP: Final = 0.25
"""Plane pixels that an edge may seem to be off: what interpolating undersampled planes leaves."""
_CUT: Final = 2.0
"""Standard deviations of a sample that must fit below white and above what a file can hold."""


class Local(NamedTuple):
    """What differs where. Maps are of cells of 16 x 16 mosaic pixels."""

    deviations: Cells
    """(noisy - clean) in standard deviations of what noise and tolerance allow; 0 where a frame is
    saturated or cut off at black, where nothing can be said."""
    largest: int
    """Cells of the largest connected region beyond ``LIMIT``."""

    @property
    def moving(self) -> bool:
        """Whether something differs that is no noise."""
        return self.largest >= LEAST_CLUSTER


def compare(
    noisy: Planes,
    clean: Planes,
    read_out: npt.NDArray[np.float32],
    noise: NoiseParameters,
    clean_noise: NoiseParameters,
    pedestal: float,
) -> Local:
    """Compare the cells of two aligned frames of one brightness.

    Args:
        noisy, clean: normalised planes of one size, at least a cell.
        read_out: [h, w], the clean frame before its brightness was changed, the largest of its
            planes: where that is saturated, nothing is said.
        noise: of the noisy frame.
        clean_noise: of the clean one, as it is given here (scaled with its brightness).
        pedestal: the lowest normalised value that a file can hold, <= 0.
    """
    level, samples = means(clean).mean(axis=0), 4 * CELL * CELL
    spread = variance(level, noise)
    expected = (spread + variance(level, clean_noise)) / samples
    rows, cols = np.gradient(clean.mean(axis=0))
    slope = means(np.hypot(rows, cols))
    tolerance = (_RELATIVE * level) ** 2 + (_SLIP * slope) ** 2
    difference = means(noisy).mean(axis=0) - level
    deviations = np.asarray(difference / np.sqrt(expected + tolerance), np.float32)
    deviations[_unsure(clean, read_out, level, np.sqrt(spread), pedestal)] = 0
    labels, _ = ndimage.label(np.abs(deviations) > LIMIT, structure=np.ones((3, 3)))
    sizes = np.bincount(labels.ravel())[1:]
    return Local(deviations, int(sizes.max(initial=0)))


def _unsure(
    clean: Planes,
    read_out: npt.NDArray[np.float32],
    level: npt.NDArray[np.floating],
    sigma: npt.NDArray[np.floating],
    pedestal: float,
) -> npt.NDArray[np.bool_]:
    bright = means((read_out >= SATURATED).astype(np.float32)) > 0
    high = means(clean).max(axis=0) + _CUT * sigma > 1
    return np.asarray(bright | high | (level - _CUT * sigma < pedestal))
