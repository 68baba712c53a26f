"""Results on a dataset as data, and as JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from fa_mobile.datasets.sample import Level, Skipped
from fa_mobile.evaluation.measures import RAW_PSNR, Measure
from fa_mobile.evaluation.quality import Values

SCHEMA: Final = 1
"""Of :meth:`DatasetQuality.to_dict`."""


@dataclass(frozen=True)
class GroupScore:
    """Means over the scored regions of one noise level."""

    level: Level
    regions: int
    noisy: Values
    denoised: Values


@dataclass(frozen=True)
class SubjectResult:
    """One subject at every level."""

    subject: str
    sensor: str
    provenance: str
    takes_gain: bool
    """Told the gain that has a sample's a; b was its profile's."""
    told_b: float | None
    """Geometric mean of the b it was told over the sample's b; None where it was told b itself."""
    beyond: int
    """Samples whose a is outside what its sensor's profile covers."""
    scores: tuple[GroupScore, ...]
    mean: tuple[Values, Values]
    """(noisy, denoised) over all regions."""

    def to_dict(self) -> dict[str, object]:
        """For JSON; ``noisy_db`` and ``denoised_db`` are RAW PSNR."""
        rows = [
            {
                "group": score.level.label,
                "level": score.level.value,
                "regions": score.regions,
                **_fields(score.noisy, score.denoised),
            }
            for score in self.scores
        ]
        return {
            "subject": self.subject,
            "sensor": self.sensor,
            "provenance": self.provenance,
            "told": "gain" if self.takes_gain else "noise",
            "told_b_over_b": self.told_b,
            "samples_beyond_profile": self.beyond,
            "scores": rows,
            "mean": _fields(*self.mean),
        }


@dataclass(frozen=True)
class DatasetQuality:
    """The result of :func:`evaluate_dataset`; the first of ``subjects`` is the one asked about."""

    format: str
    folder: str
    notes: tuple[str, ...]
    noise_kind: str
    """See :class:`Dataset`."""
    crop: int | None
    samples: int
    cameras: tuple[str, ...]
    skipped: tuple[Skipped, ...]
    subjects: tuple[SubjectResult, ...]
    measures: Mapping[str, Measure]

    @property
    def lost(self) -> int:
        """Samples that were skipped."""
        return sum(entry.samples for entry in self.skipped)

    def to_dict(self) -> dict[str, object]:
        """For JSON: the first subject's scores on top, the others' under ``versus``."""
        first, *others = (subject.to_dict() for subject in self.subjects)
        return {
            "schema_version": SCHEMA,
            "format": self.format,
            "dataset": self.folder,
            "noise": self.noise_kind,
            "notes": list(self.notes),
            "crop": self.crop,
            "samples": self.samples,
            "cameras": list(self.cameras),
            "skipped": self.lost,
            "skipped_because": [entry._asdict() for entry in self.skipped],
            "metrics": list(self.measures),
            **first,
            "versus": others,
        }


def _fields(noisy: Values, denoised: Values) -> dict[str, Any]:
    return {
        "noisy_db": _finite(noisy[RAW_PSNR]),
        "denoised_db": _finite(denoised[RAW_PSNR]),
        "noisy": {name: _finite(value) for name, value in noisy.items()},
        "denoised": {name: _finite(value) for name, value in denoised.items()},
    }


def _finite(value: float) -> float | None:
    """JSON knows no infinity, which the PSNR of equal images is."""
    return value if math.isfinite(value) else None
