"""RAW PSNR per gain on simulated captures of photos. Synthetic noise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from fa_mobile.metrics import psnr
from fa_mobile.sensor import SensorProfile
from fa_mobile.simulation import simulate
from fa_mobile.training.sources import read_photo

GAINS: Final = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
CROP: Final = 512

Denoise = Callable[[npt.NDArray[np.generic], float], npt.NDArray[np.float32]]
"""(raw DN [H, W] RGGB, gain) to denoised DN [H, W]."""


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


@dataclass(frozen=True)
class RawPsnr:
    """The result of :func:`evaluate`."""

    subject: str
    sensor: str
    provenance: str
    photos: int
    crop: int
    seed: int
    scores: tuple[GainScore, ...]

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        return asdict(self)


def evaluate(
    subject: str,
    denoise: Denoise,
    photos: Sequence[Path],
    profile: SensorProfile,
    *,
    gains: Sequence[float] = GAINS,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> RawPsnr:
    """Denoise a capture of each photo's central 512 x 512 at each gain and compare with the truth.

    PSNR is of the normalised signal (peak = white - black), clipped to black..white in the input
    as in the output, the mean taken over photos in dB.
    """
    span = max(profile.span)
    noisy: dict[float, list[float]] = {gain: [] for gain in gains}
    clean: dict[float, list[float]] = {gain: [] for gain in gains}
    total = len(photos) * len(gains)
    for index, path in enumerate(photos):
        photo = central_crop(read_photo(path))
        for step, gain in enumerate(gains):
            capture = simulate(photo, profile, gain, seed + index)
            black, white = min(profile.black_level), profile.white_level
            shown = np.clip(capture.noisy.mosaic.astype(np.float32), black, white)
            noisy[gain].append(psnr(shown, capture.truth, data_range=span))
            result = denoise(capture.noisy.mosaic, gain)
            clean[gain].append(psnr(result, capture.truth, data_range=span))
            if progress is not None:
                progress(index * len(gains) + step + 1, total)
    scores = tuple(
        GainScore(gain, float(np.mean(noisy[gain])), float(np.mean(clean[gain]))) for gain in gains
    )
    return RawPsnr(subject, profile.name, profile.provenance, len(photos), CROP, seed, scores)


def central_crop(photo: npt.NDArray[np.uint8], side: int = CROP) -> npt.NDArray[np.uint8]:
    """The central ``side`` x ``side`` of a photo, or all of it where it is smaller."""
    top, left = (max(length - side, 0) // 2 for length in photo.shape[:2])
    return photo[top : top + side, left : left + side]
