"""What a wrong noise profile costs: captures whose noise is not what the denoiser is told.

At every corner (a and b each too high or too low by the same share) an array denoises the same
captures twice: as it would, told its profile's noise, and told the captures' own. The difference
is what the profile's error costs; more noise alone would cost PSNR too, and is in both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np

from fa_mobile.errors import UserError
from fa_mobile.evaluation.captures import GAINS, NoiseScale
from fa_mobile.evaluation.measures import MEASURES, RAW_PSNR
from fa_mobile.evaluation.quality import SubjectScores, evaluate
from fa_mobile.evaluation.subjects import of_array
from fa_mobile.nsma import NoiseSubrangeModelArray


@dataclass(frozen=True)
class Corner:
    """One way to be wrong: RAW PSNR of the array as it is, and told the captures' noise."""

    scale: NoiseScale
    told_profile: SubjectScores
    told_truth: SubjectScores

    def lost_db(self) -> list[tuple[float, float]]:
        """(gain, what the wrong profile costs in dB)."""
        pairs = zip(self.told_profile.scores, self.told_truth.scores, strict=True)
        return [
            (wrong.gain, right.denoised[RAW_PSNR] - wrong.denoised[RAW_PSNR])
            for wrong, right in pairs
        ]

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        return {
            "noise_scale": self.scale._asdict(),
            "lost_db": [{"gain": gain, "lost_db": lost} for gain, lost in self.lost_db()],
            "mean_lost_db": float(np.mean([lost for _, lost in self.lost_db()])),
            "told_profile": self.told_profile.to_dict(),
            "told_truth": self.told_truth.to_dict(),
        }


def corners(share: float) -> list[NoiseScale]:
    """a and b each ``share`` above and below the profile.

    Raises:
        UserError: for a share that is not above 0 and below 1.
    """
    if not 0 < share < 1:
        raise UserError(f"{share:g} off the profile was given; allowed is above 0 and below 1")
    return [NoiseScale(a, b) for a, b in product((1 - share, 1 + share), repeat=2)]


def evaluate_off_profile(
    array: NoiseSubrangeModelArray,
    photos: Sequence[Path],
    share: float,
    *,
    gains: Sequence[float] = GAINS,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> list[Corner]:
    """Measure every corner on captures of each photo's central 512 x 512. Synthetic noise.

    Args:
        array: to denoise with.
        photos: files of photos.
        share: by how much a and b are off, 0.3 for 30 %.
        gains: 1 is the base gain.
        seed: of the noise.
        progress: called with (denoised mosaics, denoised mosaics in all).

    Raises:
        UserError: for a share, photos or gains that are not allowed.
    """
    found: list[Corner] = []
    scales = corners(share)
    for index, scale in enumerate(scales):

        def advance(done: int, total: int, before: int = index) -> None:
            if progress is not None:
                progress(before * total + done, len(scales) * total)

        result = evaluate(
            [of_array(array), of_array(array, scale)], photos, array.spec.profile,
            {RAW_PSNR: MEASURES[RAW_PSNR]},
            gains=gains, noise_scale=scale, seed=seed, progress=advance,
        )  # fmt: skip
        found.append(Corner(scale, *result.subjects))
    return found
