"""Run an experiment: train what a row takes, measure it, keep the row, go on to the next.

A finished run is not trained again, and a row is not measured again whose weights are those that
were measured; so the same command goes on where it was stopped.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from statistics import median
from typing import Final, NamedTuple

from fa_mobile.evaluation.captures import GAINS
from fa_mobile.evaluation.edges import edge_steps
from fa_mobile.evaluation.measures import RAW_PSNR, Measure
from fa_mobile.evaluation.quality import evaluate
from fa_mobile.evaluation.subjects import of_array
from fa_mobile.experiments.arrays import assembled
from fa_mobile.experiments.results import Row, Score, Table
from fa_mobile.experiments.trials import Experiment, Stage, Trial
from fa_mobile.nsma import ARRAY_FILE, NoiseSubrangeModelArray, load_checkpoint, read_spec
from fa_mobile.training.pipeline import Data
from fa_mobile.training.trainer import Progress, train

NOISE_SEED: Final = 0
"""Of the test captures."""
Counted = Callable[[int, int], None]


class Reports(NamedTuple):
    """How to tell what is being done."""

    training: Callable[[str, int], AbstractContextManager[Callable[[Progress], None]]]
    """(name, steps) to what is called after each step."""
    measuring: Callable[[], AbstractContextManager[Counted | None]]
    """To what is called with (captures measured, captures in all)."""
    say: Callable[[str], None]


class Measuring(NamedTuple):
    """How every row is measured."""

    photos: Sequence[Path]
    measures: Mapping[str, Measure]
    gains: Sequence[float] = GAINS


class StepClock:
    """Passes reports of a training on, and times the steps between them."""

    def __init__(self, report: Callable[[Progress], None], seconds: list[float]) -> None:
        self._report = report
        self._seconds = seconds
        self._last: float | None = None

    def __call__(self, progress: Progress) -> None:
        now = time.perf_counter()
        if self._last is not None:
            self._seconds.append(now - self._last)
        self._last = now
        self._report(progress)


def run_rows(
    experiment: Experiment,
    seeds: Sequence[int],
    table: Table,
    data: Data,
    how: Measuring,
    reports: Reports,
    keep: Callable[[Table], None],
) -> Table:
    """Every row asked for, with every seed.

    Args:
        experiment: which rows.
        seeds: of the trainings.
        table: without rows, or with those that were measured before.
        data: to train on.
        how: to measure.
        reports: for bars and lines.
        keep: called with the table after each row.

    Returns:
        The table with all rows.

    Raises:
        UserError: what :func:`fa_mobile.training.trainer.train` and
            :func:`fa_mobile.evaluation.quality.evaluate` refuse; rows before stay kept.
    """
    finished: set[Path] = set()
    for seed in seeds:
        for name in experiment.names:
            trial = experiment.trial(name, seed)
            seconds = _train(trial, data, finished, reports)
            array = assembled(trial.config, trial.places, name, trial.checkpoint)
            weights = read_spec(trial.checkpoint).weights_sha256
            before = table.row(name, seed)
            if before is not None and before.weights_sha256 == weights:
                reports.say(f"{name}, seed {seed}: measured before")
                continue
            with reports.measuring() as progress:
                scores, noisy = _measured(array, how, progress)
            row = Row(
                name=name, seed=seed, weights_sha256=weights,
                seconds_per_step=median(seconds) if seconds else None,
                scores=scores, parts=trial.parts,
                edges=tuple(edge_steps(array, how.photos, seed=NOISE_SEED)) if trial.edges else (),
            )  # fmt: skip
            table = table.with_row(row, noisy)
            keep(table)
            reports.say(f"{name}, seed {seed}: {row.mean(RAW_PSNR):.3f} dB, mean over gains")
    return table


def _train(trial: Trial, data: Data, finished: set[Path], reports: Reports) -> list[float]:
    """Train or resume all runs of a row; returns the seconds of each of its own steps."""
    unmeasured: list[float] = []
    seconds: list[float] = []
    if trial.start is not None:
        _run(trial.start, data, finished, reports, unmeasured)
    for stage in trial.own:
        _run(stage, data, finished, reports, seconds)
    return seconds


def _run(
    stage: Stage, data: Data, finished: set[Path], reports: Reports, seconds: list[float]
) -> None:
    if stage.folder in finished:
        return
    with reports.training(stage.folder.name, stage.config.steps) as report:
        clock = StepClock(report, seconds)
        train(stage.config, data.sources, data.held_out, stage.folder, clock)
    finished.add(stage.folder)


def _measured(
    array: NoiseSubrangeModelArray, how: Measuring, progress: Counted | None
) -> tuple[tuple[Score, ...], tuple[Score, ...]]:
    """Scores of an array, and of its noisy input."""
    result = evaluate(
        [of_array(array)], how.photos, array.spec.profile, how.measures,
        gains=how.gains, seed=NOISE_SEED, progress=progress,
    )  # fmt: skip
    scores = result.subjects[0].scores
    return (
        tuple(Score(gain=s.gain, values=s.denoised) for s in scores),
        tuple(Score(gain=s.gain, values=s.noisy) for s in scores),
    )


def shown_arrays(experiment: Experiment, table: Table) -> dict[str, NoiseSubrangeModelArray]:
    """The arrays behind the rows of the table's first seed, as far as their runs still hold them.

    Returns:
        By name of the row; those whose weights are not the measured ones are left out.
    """
    seed = table.rows[0].seed
    found = {}
    for name in table.names():
        row = table.row(name, seed)
        folder = experiment.trial(name, seed).checkpoint
        if row is None or not (folder / ARRAY_FILE).is_file():
            continue
        if read_spec(folder).weights_sha256 == row.weights_sha256:
            found[name] = load_checkpoint(folder)
    return found
