"""Is quality continuous where an array goes over from one member to the next? Synthetic noise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict

from fa_mobile.evaluation.measures import MEASURES, RAW_PSNR
from fa_mobile.evaluation.quality import evaluate
from fa_mobile.evaluation.subjects import of_array
from fa_mobile.golden import edge_gain
from fa_mobile.nsma import NoiseSubrangeModelArray, one_member

STEP_GOAL_DB: Final = 0.05
"""Nobody sees a step of so little."""


class EdgeStep(BaseModel):
    """RAW PSNR of the same captures with the member below an edge and with the one above it."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    gain: float
    """The least gain that the member above serves."""
    below_db: float
    above_db: float

    @property
    def step_db(self) -> float:
        """What the quality jumps by where the gain rises across the edge."""
        return self.above_db - self.below_db


def edge_steps(
    array: NoiseSubrangeModelArray,
    photos: Sequence[Path],
    *,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> list[EdgeStep]:
    """Each edge of an array, from low to high gain; none where it has one member.

    Args:
        array: to measure.
        photos: to capture, their central 512 x 512, at the least gain beyond each edge.
        seed: of the noise.
        progress: called with (denoised mosaics, denoised mosaics in all).

    Raises:
        UserError: for photos that cannot be used.
    """
    spec, raw_psnr = array.spec, {RAW_PSNR: MEASURES[RAW_PSNR]}
    steps = []
    for index, edge in enumerate(spec.edges):
        gain = float(edge_gain(spec.profile, edge))
        sides = [of_array(one_member(array, member)) for member in (index, index + 1)]

        def advance(done: int, total: int, before: int = index) -> None:
            if progress is not None:
                progress(before * total + done, len(spec.edges) * total)

        result = evaluate(
            sides, photos, spec.profile, raw_psnr, gains=[gain], seed=seed, progress=advance
        )
        below, above = (side.scores[0].denoised[RAW_PSNR] for side in result.subjects)
        steps.append(EdgeStep(gain=gain, below_db=below, above_db=above))
    return steps
