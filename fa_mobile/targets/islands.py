"""Which parts of a member stay float in int8: as few as keep the quality, found by measurement.

Rounding activations to 8 bits costs most where noise is weakest: at base gain it hides less than
one step. So each member climbs its target's ladder of float islands, from none to all, and stops
at the first rung on which its calibration captures lose little against their truth.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from fa_mobile.targets.base import CalibrationSample

MAX_LOSS_DB: Final = 0.35
"""PSNR that a member may lose to int8 on its calibration captures, where 0.25 dB are promised:
photos lose about half of it, for every second capture is smooth and each counts alike."""
HOPELESS: Final = 3.0
"""Times that loss, beyond which no search of the ranges (:mod:`fa_mobile.ranges`) gets there."""
SEARCHED: Final = 48
"""Ranges that are searched, the nearest to the output: all of ``mobile``."""
_GROUPS: Final = 3
_FLOOR: Final = 0.005
"""Of the noise's energy: what remains of it on a smooth photo."""

Ladder = Sequence[Sequence[str]]
"""Patterns of module paths that stay float, fewest first."""
Array = npt.NDArray[np.float32]
Measure = Callable[[Sequence[CalibrationSample], Sequence[Array], Sequence[Array]], float]
"""(samples, float outputs, int8 outputs) to dB lost."""


def psnr_loss(
    samples: Sequence[CalibrationSample], floats: Sequence[Array], int8: Sequence[Array]
) -> float:
    """PSNR in dB that int8 outputs lose against float outputs, measured against the truth.

    The mean over captures of similar gain; the worst of three groups from low to high gain counts.
    """
    losses = _losses(samples, floats, int8)
    order = np.argsort([sample.a for sample in samples])
    groups = np.array_split(order, min(_GROUPS, len(samples)))
    return max(float(losses[group].mean()) for group in groups)


def added_loss(
    samples: Sequence[CalibrationSample], floats: Sequence[Array], int8: Sequence[Array]
) -> float:
    """dB that what int8 adds to the float output would cost if it were noise, to search by.

    The mean over all captures. Measured against the truth alone, a search finds ranges with which
    the errors of these very captures happen to cancel.
    """
    ratios = [
        _error(quantized, output) / (_error(output, sample.truth) + _floor(sample))
        for quantized, output, sample in zip(int8, floats, samples, strict=True)
    ]
    return float(10 * np.log10(1 + np.array(ratios)).mean())


def _losses(
    samples: Sequence[CalibrationSample], floats: Sequence[Array], int8: Sequence[Array]
) -> npt.NDArray[np.float64]:
    """dB of each capture."""
    ratios = [
        (_error(quantized, sample.truth) + _floor(sample))
        / (_error(output, sample.truth) + _floor(sample))
        for quantized, output, sample in zip(int8, floats, samples, strict=True)
    ]
    return np.asarray(10 * np.log10(ratios))


def _floor(sample: CalibrationSample) -> float:
    """A little of a capture's noise, added to its errors.

    So what is flat, where float leaves next to nothing, does not outweigh what has something to
    see.
    """
    return _FLOOR * _error(sample.raw, sample.truth)


def _error(output: Array, truth: Array) -> float:
    return float(np.mean((output - truth).astype(np.float64) ** 2))
