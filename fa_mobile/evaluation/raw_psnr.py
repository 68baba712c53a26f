"""RAW PSNR per gain of one subject, as trainings that are compared keep it. Synthetic noise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fa_mobile.evaluation import quality
from fa_mobile.evaluation.captures import GAINS
from fa_mobile.evaluation.measures import MEASURES, RAW_PSNR
from fa_mobile.evaluation.subjects import Subject


@dataclass(frozen=True)
class GainScore:
    """Means over the photos at one gain, in dB."""

    gain: float
    noisy_db: float
    denoised_db: float

    @property
    def improvement_db(self) -> float:
        """How much better than the noisy input."""
        return self.denoised_db - self.noisy_db


def evaluate(
    subject: Subject,
    photos: Sequence[Path],
    *,
    gains: Sequence[float] = GAINS,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[GainScore, ...]:
    """RAW PSNR at each gain, on captures of the subject's own sensor.

    PSNR is of the normalised signal (peak = white - black), clipped to black..white in the input
    as in the output, the mean taken over photos in dB. See :func:`fa_mobile.evaluation.quality
    .evaluate`, which measures more.
    """
    result = quality.evaluate(
        [subject],
        photos,
        subject.profile,
        {RAW_PSNR: MEASURES[RAW_PSNR]},
        gains=gains,
        seed=seed,
        progress=progress,
    )
    return tuple(
        GainScore(score.gain, score.noisy[RAW_PSNR], score.denoised[RAW_PSNR])
        for score in result.subjects[0].scores
    )
