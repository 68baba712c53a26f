"""Crops to look at, of the best and the worst result of every group, kept while results come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from fa_mobile import isp
from fa_mobile.datasets.sample import Level, Signal
from fa_mobile.evaluation.signals import central, cut

SIDE: Final = 200
_MIDDLE_GRAY: Final = 0.18
_MOST: Final = 16.0

Values = Mapping[str, float]


@dataclass(frozen=True)
class Panel:
    """One picture of a row: noisy, a subject's, or the truth."""

    caption: str
    picture: npt.NDArray[np.uint8]
    """sRGB [h, w, 3]."""
    values: Values
    """Of the whole region that was scored; empty for the truth."""


@dataclass(frozen=True)
class CropRow:
    """A sample that stands out in its group."""

    level: Level
    which: str
    """``best`` or ``worst``, by the first measure of the first subject."""
    sample: str
    score: float
    panels: tuple[Panel, ...]


class CropKeeper:
    """Two rows for each group at most, whatever the size of the dataset."""

    def __init__(self) -> None:
        self._best: dict[Level, CropRow] = {}
        self._worst: dict[Level, CropRow] = {}

    def offer(
        self,
        level: Level,
        sample: str,
        scored: Sequence[tuple[str, Signal, Values]],
        truth: Signal,
        color: isp.ColorPipeline,
    ) -> None:
        """See a result: (caption, RGGB signal, values) of noisy and of each subject."""
        score = next(iter(scored[1][2].values()))
        best, worst = self._best.get(level), self._worst.get(level)
        if best is not None and worst is not None and worst.score <= score <= best.score:
            return
        brightness = float(np.clip(_MIDDLE_GRAY / max(float(truth.mean()), 1e-4), 1, _MOST))
        lit = color._replace(brightness=color.brightness * brightness)
        panels = tuple(
            Panel(caption, _picture(signal, lit), values)
            for caption, signal, values in (*scored, ("truth", truth, {}))
        )
        if best is None or score > best.score:
            self._best[level] = CropRow(level, "best", sample, score, panels)
        if worst is None or score < worst.score:
            self._worst[level] = CropRow(level, "worst", sample, score, panels)

    def rows(self) -> list[CropRow]:
        """By level, the worst first; one row where a group had one result."""
        found = []
        for level in sorted(self._best, key=lambda level: level.value):
            worst, best = self._worst[level], self._best[level]
            found += [worst, best] if worst.panels is not best.panels else [best]
        return found


def _picture(signal: Signal, color: isp.ColorPipeline) -> npt.NDArray[np.uint8]:
    """The central part as seen."""
    seen = isp.render(cut(signal, central(signal.shape, SIDE)), color)
    return np.asarray(np.round(seen * 255), np.uint8)
