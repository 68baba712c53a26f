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

MAX_LOSS_DB: Final = 0.05
"""PSNR that a member may lose to int8 on its calibration captures; below the 0.25 dB promised,
because other captures may lose several times what those lose that the ranges were measured on."""
_GROUPS: Final = 3
_FLOOR: Final = 0.05

Ladder = Sequence[Sequence[str]]
"""Patterns of module paths that stay float, fewest first."""
Array = npt.NDArray[np.float32]


def psnr_loss(
    samples: Sequence[CalibrationSample], floats: Sequence[Array], int8: Sequence[Array]
) -> float:
    """PSNR in dB that int8 outputs lose against float outputs, measured against the truth.

    The mean over captures of similar gain; the worst of three groups from low to high gain counts.
    A twentieth of each capture's noise is added to both errors, so that smooth captures, where
    float leaves next to nothing, do not outweigh those with something to see.
    """

    def error(output: Array, sample: CalibrationSample) -> float:
        return float(np.mean((output - sample.truth).astype(np.float64) ** 2))

    def loss(index: int) -> float:
        sample = samples[index]
        floor = _FLOOR * error(sample.raw, sample)
        kept, lost = (error(outputs[index], sample) + floor for outputs in (floats, int8))
        return 10 * float(np.log10(lost / kept))

    order = np.argsort([sample.a for sample in samples])
    groups = np.array_split(order, min(_GROUPS, len(samples)))
    return max(float(np.mean([loss(i) for i in group])) for group in groups)
