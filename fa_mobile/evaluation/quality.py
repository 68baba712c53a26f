"""How good subjects are on simulated captures of photos, all on the same ones. Synthetic noise."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from fa_mobile.evaluation.captures import (
    AS_PROFILED,
    CROP,
    GAINS,
    NoiseScale,
    captures,
    with_noise,
)
from fa_mobile.evaluation.measures import RAW_PSNR, Measure, View
from fa_mobile.evaluation.subjects import Subject
from fa_mobile.sensor import SensorProfile

SCHEMA: Final = 2
"""Of :meth:`Quality.to_dict`; 1 had RAW PSNR of one subject and no ``schema_version``."""

Values = dict[str, float]
"""Name of a measure to its mean over the photos."""


@dataclass(frozen=True)
class Score:
    """Means over the photos at one gain."""

    gain: float
    noisy: Values
    denoised: Values


@dataclass(frozen=True)
class SubjectScores:
    """One subject at every gain."""

    subject: str
    scores: tuple[Score, ...]

    def mean(self) -> tuple[Values, Values]:
        """Means over the gains: (noisy, denoised)."""
        return _mean([s.noisy for s in self.scores]), _mean([s.denoised for s in self.scores])

    def to_dict(self) -> dict[str, object]:
        """For JSON. ``noisy_db`` and ``denoised_db`` are RAW PSNR, under its older names."""
        rows = [{"gain": s.gain, **_as_fields(s.noisy, s.denoised)} for s in self.scores]
        return {"subject": self.subject, "scores": rows, "mean": _as_fields(*self.mean())}


@dataclass(frozen=True)
class Quality:
    """The result of :func:`evaluate`; the first of ``subjects`` is the one asked about."""

    subjects: tuple[SubjectScores, ...]
    profile: SensorProfile
    noise_scale: NoiseScale
    photos: int
    seed: int
    measures: Mapping[str, Measure]

    def to_dict(self) -> dict[str, object]:
        """For JSON: the first subject's scores on top, the others' under ``versus``."""
        first, *others = (subject.to_dict() for subject in self.subjects)
        return {
            "schema_version": SCHEMA,
            "subject": first.pop("subject"),
            "sensor": self.profile.name,
            "provenance": self.profile.provenance,
            "noise": "synthetic",
            "noise_scale": self.noise_scale._asdict(),
            "photos": self.photos,
            "crop": CROP,
            "seed": self.seed,
            "metrics": list(self.measures),
            **first,
            "versus": others,
        }


def evaluate(
    subjects: Sequence[Subject],
    photos: Sequence[Path],
    profile: SensorProfile,
    measures: Mapping[str, Measure],
    *,
    gains: Sequence[float] = GAINS,
    noise_scale: NoiseScale = AS_PROFILED,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Quality:
    """Denoise a capture of each photo's central 512 x 512 at each gain and compare with the truth.

    Every subject gets the same captures. The input is clipped to black..white, as outputs are.

    Args:
        subjects: at least one; they believe in their own profile's noise.
        photos: files of photos.
        profile: of the sensor that captures.
        measures: what is computed, by name.
        gains: 1 is the base gain.
        noise_scale: by how much the captures' noise differs from the profile's.
        seed: of the noise.
        progress: called with (denoised mosaics, denoised mosaics in all).

    Raises:
        UserError: for photos, gains or factors that are not allowed.
    """
    noisy: dict[float, list[Values]] = {gain: [] for gain in gains}
    denoised: list[dict[float, list[Values]]] = [{gain: [] for gain in gains} for _ in subjects]
    least = max(measure.least_side for measure in measures.values())
    done, total = 0, len(photos) * len(noisy) * len(subjects)
    black, white = min(profile.black_level), profile.white_level

    def values(mosaic: npt.NDArray[np.float32], truth: View) -> Values:
        view = View(mosaic, profile)
        return {name: measure.score(view, truth) for name, measure in measures.items()}

    sensor = with_noise(profile, noise_scale)
    for index, path in enumerate(photos):
        truth: View | None = None  # one serves all gains of a photo
        for capture in captures(path, sensor, noisy, seed + index, least_side=least):
            truth = truth or View(capture.truth, profile)
            shown = np.clip(capture.mosaic.astype(np.float32), black, white)
            noisy[capture.gain].append(values(shown, truth))
            for scores, subject in zip(denoised, subjects, strict=True):
                result = subject.denoise(capture.mosaic, capture.gain)
                scores[capture.gain].append(values(result, truth))
                done += 1
                if progress is not None:
                    progress(done, total)
    means = {gain: _mean(rows) for gain, rows in noisy.items()}
    table = tuple(
        SubjectScores(
            subject.name,
            tuple(Score(gain, means[gain], _mean(rows)) for gain, rows in scores.items()),
        )
        for subject, scores in zip(subjects, denoised, strict=True)
    )
    return Quality(table, profile, noise_scale, len(photos), seed, measures)


def _mean(rows: Sequence[Values]) -> Values:
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}


def _as_fields(noisy: Values, denoised: Values) -> dict[str, Any]:
    return {
        "noisy_db": noisy[RAW_PSNR],
        "denoised_db": denoised[RAW_PSNR],
        "noisy": noisy,
        "denoised": denoised,
    }
