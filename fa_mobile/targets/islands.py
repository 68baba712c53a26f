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

MAX_LOSS_DB: Final = 0.05
"""PSNR that a member may lose to int8 on its calibration captures; below the 0.25 dB promised,
because other captures may lose several times what those lose that the ranges were measured on."""
HOPELESS: Final = 8.0
"""Times that loss, beyond which no search of the ranges (:mod:`fa_mobile.ranges`) gets there."""
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


def mean_loss(
    samples: Sequence[CalibrationSample], floats: Sequence[Array], int8: Sequence[Array]
) -> float:
    """The same, as the mean over all captures: smoother, to search by."""
    return float(_losses(samples, floats, int8).mean())


def _losses(
    samples: Sequence[CalibrationSample], floats: Sequence[Array], int8: Sequence[Array]
) -> npt.NDArray[np.float64]:
    """dB of each capture.

    A little of its noise is added to both errors, so that what is flat, where float leaves next to
    nothing, does not outweigh what has something to see.
    """

    def error(output: Array, sample: CalibrationSample) -> float:
        return float(np.mean((output - sample.truth).astype(np.float64) ** 2))

    floor = [_FLOOR * error(sample.raw, sample) for sample in samples]
    lost, kept = (
        np.array([error(o, s) + f for o, s, f in zip(outputs, samples, floor, strict=True)])
        for outputs in (int8, floats)
    )
    return np.asarray(10 * np.log10(lost / kept))
