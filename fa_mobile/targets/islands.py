"""Which parts of a member stay float in int8: as few as keep the quality, found by measurement.

Rounding activations to 8 bits costs most where noise is weakest: at base gain it hides less than
one step. So each member climbs its target's ladder of float islands, from none to all, and stops
at the first rung on which its calibration captures lose little against their truth.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from fa_mobile.targets.base import CalibrationSample

MAX_LOSS_DB: Final = 0.15
"""PSNR that a member may lose to int8 on its calibration captures; below the 0.25 dB promised,
because other captures lose more than those the ranges were measured on."""
_GROUPS: Final = 3

Ladder = Sequence[Sequence[str]]
"""Patterns of module paths that stay float, fewest first."""
Array = npt.NDArray[np.float32]


def psnr_loss(
    samples: Sequence[CalibrationSample], floats: Sequence[Array], int8: Sequence[Array]
) -> float:
    """PSNR in dB that int8 outputs lose against float outputs, measured against the truth.

    Squared errors are pooled over captures of similar gain, each over its shot noise, so that no
    capture outweighs the others; the worst of three groups from low to high gain counts.
    """

    def error(output: Array, sample: CalibrationSample) -> float:
        return float(np.mean((output - sample.truth).astype(np.float64) ** 2)) / sample.a

    order = np.argsort([sample.a for sample in samples])
    losses = []
    for group in np.array_split(order, min(_GROUPS, len(samples))):
        kept = sum(error(floats[i], samples[i]) for i in group)
        lost = sum(error(int8[i], samples[i]) for i in group)
        losses.append(10 * np.log10(lost / kept))
    return float(max(losses))
