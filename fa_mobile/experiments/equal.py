"""Equal trainings: what networks are worth when all are trained alike, for a few steps.

Each network learns the whole range of noise on the same photos, batches and seeds, and is then
measured on photos it has not seen. Short trainings rank networks; they do not say how good a
network becomes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from fa_mobile.errors import UserError
from fa_mobile.evaluation.raw_psnr import GainScore, evaluate
from fa_mobile.evaluation.subjects import of_array
from fa_mobile.experiments.arrays import assembled
from fa_mobile.experiments.results import Kept, differences
from fa_mobile.nsma import NoiseSubrangeModelArray
from fa_mobile.training.config import TrainConfig
from fa_mobile.training.pipeline import Data
from fa_mobile.training.trainer import Progress, train

_MOST_WARMUP: Final = 100
SCHEMA: Final = 1
CHECKPOINT: Final = "array"
"""In the folder of a run: to export the trained network for a race."""


class EqualRun(Kept):
    """One network, trained once."""

    network: str
    seed: int
    learning_rate: float
    scores: tuple[GainScore, ...]

    @property
    def mean_db(self) -> float:
        """RAW PSNR over all gains."""
        return float(np.mean([score.denoised_db for score in self.scores]))


class EqualTrainings(Kept):
    """Runs that differ in nothing but network, seed and learning rate. Synthetic noise."""

    schema_version: Literal[1] = SCHEMA
    sensor: str
    provenance: str
    steps: int
    batch: int
    patch: int
    """Mosaic pixels along a side."""
    clipped_at_black: float
    """Share of the captures trained on that were clipped at black; the others keep a pedestal."""
    training_images: int
    test_photos: int
    runs: tuple[EqualRun, ...]

    def networks(self) -> list[str]:
        """In the order in which they were first trained."""
        return list(dict.fromkeys(run.network for run in self.runs))

    def best(self, network: str) -> list[EqualRun]:
        """The runs of a network at the learning rate that served it best, over its seeds."""
        rates: dict[float, list[EqualRun]] = {}
        for run in self.runs:
            if run.network == network:
                rates.setdefault(run.learning_rate, []).append(run)
        return max(rates.values(), key=lambda runs: float(np.mean([r.mean_db for r in runs])))

    def scores(self, network: str) -> list[GainScore]:
        """Of :meth:`best`: means over the seeds, gain by gain."""
        return [
            GainScore(
                same_gain[0].gain,
                float(np.mean([score.noisy_db for score in same_gain])),
                float(np.mean([score.denoised_db for score in same_gain])),
            )
            for same_gain in zip(*(run.scores for run in self.best(network)), strict=True)
        ]


def together(before: EqualTrainings, after: EqualTrainings) -> EqualTrainings:
    """The runs of both; where both have one of a network, seed and rate, the latter's.

    Raises:
        UserError: when the trainings are not alike, naming what differs.
    """
    settings = [t.model_dump(exclude={"runs"}) for t in (before, after)]
    if unlike := differences(*settings):
        raise UserError(
            "runs can only be added to those of equal trainings; these differ in "
            f"{unlike}; give another output"
        )
    runs = {(r.network, r.seed, r.learning_rate): r for r in (*before.runs, *after.runs)}
    return after.model_copy(update={"runs": tuple(runs.values())})


def equal_config(
    network: str, seed: int, learning_rate: float, steps: int, **others: Any
) -> TrainConfig:
    """The configuration of one run.

    Args:
        others: further fields of :class:`TrainConfig`; those left out are its defaults.
    """
    return TrainConfig(
        network=network, seed=seed, learning_rate=learning_rate, steps=steps,
        warmup=min(_MOST_WARMUP, steps // 10), **others,
    )  # fmt: skip


def run_name(config: TrainConfig) -> str:
    """Of the folder of a run over the whole range of noise."""
    return f"{config.network}-{config.learning_rate:g}-{config.seed}"


def trained(
    config: TrainConfig, data: Data, runs: Path, report: Callable[[Progress], None]
) -> NoiseSubrangeModelArray:
    """Train (or resume) a network in a folder of its own within ``runs``.

    Args:
        config: see :func:`equal_config`.
        report: called after each step.

    Returns:
        An array with the network in every place: they differ in the noise that its input is
        brought to. It is kept beside the run as well.
    """
    folder = runs / run_name(config)
    train(config, data.sources, data.held_out, folder, report)
    return assembled(config, [folder] * config.members, config.network, folder / CHECKPOINT)


def measured(
    config: TrainConfig,
    array: NoiseSubrangeModelArray,
    photos: Sequence[Path],
    progress: Callable[[int, int], None] | None = None,
) -> EqualRun:
    """RAW PSNR of what was trained.

    Args:
        config: with which ``array`` was trained.
        photos: to measure on, not among those trained on.
        progress: called with (captures measured, captures in all).
    """
    scores = evaluate(of_array(array), photos, progress=progress)
    return EqualRun(
        network=config.network,
        seed=config.seed,
        learning_rate=config.learning_rate,
        scores=scores,
    )
