"""How good subjects are on real captures with known truth, all on the same ones, by noise level."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from fa_mobile.datasets.sample import Dataset, Level, Region, Sample, Signal, Skipped
from fa_mobile.errors import UserError
from fa_mobile.evaluation.dataset_crops import CropKeeper
from fa_mobile.evaluation.dataset_results import DatasetQuality, GroupScore, SubjectResult
from fa_mobile.evaluation.measures import Measure, SignalView
from fa_mobile.evaluation.quality import Values
from fa_mobile.evaluation.signals import aligned, central, cut, denoise_signal
from fa_mobile.evaluation.subjects import Subject, gain_with
from fa_mobile.noise import NoiseParameters
from fa_mobile.sensor import GainWarning
from fa_mobile.simulation import sensor_color


@dataclass
class _Tally:
    """What is kept of one subject while samples pass."""

    values: dict[Level, list[tuple[Values, Values]]] = field(default_factory=dict)
    log_b: list[float] = field(default_factory=list)
    beyond: int = 0


def evaluate_dataset(
    subjects: Sequence[Subject],
    dataset: Dataset,
    folder: str,
    measures: Mapping[str, Measure],
    *,
    limit: int | None = None,
    crop: int | None = None,
    keeper: CropKeeper | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> DatasetQuality:
    """Denoise every sample with every subject and compare with the truth.

    One sample is in memory at a time. Where the dataset names regions, each is scored by itself
    and counts once, as its own protocol wants; else the whole frame, or its central part. Input
    and truth are clipped to black..white, as outputs are. RGB is seen through
    :func:`fa_mobile.isp.render` with the sample's own colour, or else the first subject's.

    Args:
        subjects: at least one.
        dataset: with truth.
        folder: its name in results.
        measures: what is computed, by name.
        limit: no more than so many samples are read.
        crop: only the central ``crop`` x ``crop`` of each frame is denoised and scored; regions
            take no crop.
        keeper: shown every result, for pictures.
        progress: called with (samples done, samples in all).

    Raises:
        UserError: when not one sample could be evaluated.
    """
    total = len(dataset) if limit is None else min(limit, len(dataset))
    tallies = [_Tally() for _ in subjects]
    skipped: list[Skipped] = []
    cameras: set[str] = set()
    done = 0
    for item in dataset:
        try:
            if isinstance(item, Sample):
                _evaluate(item, subjects, tallies, measures, crop, keeper)
                cameras.add(item.camera)
            else:
                skipped.append(item)
        except UserError as error:
            skipped.append(Skipped(item.name, str(error)))
        done += item.samples if isinstance(item, Skipped) else 1
        if progress is not None:
            progress(min(done, total), total)
        if done >= total:
            break
    lost = sum(entry.samples for entry in skipped)
    if not cameras:
        because = f"; the first: {skipped[0].reason}" if skipped else ""
        raise UserError(f"none of {folder}'s {done} samples could be evaluated{because}")
    return DatasetQuality(
        format=dataset.format,
        folder=folder,
        notes=dataset.notes,
        noise_kind=dataset.noise_kind,
        crop=crop,
        samples=done - lost,
        cameras=tuple(sorted(cameras)),
        skipped=tuple(skipped),
        subjects=tuple(map(_result, subjects, tallies)),
        measures=measures,
    )


def _evaluate(
    sample: Sample,
    subjects: Sequence[Subject],
    tallies: Sequence[_Tally],
    measures: Mapping[str, Measure],
    crop: int | None,
    keeper: CropKeeper | None,
) -> None:
    """One sample into the tallies: of every subject or, where one fails, of none.

    Raises:
        UserError: when it cannot be denoised or scored.
    """
    if sample.truth is None:
        raise UserError(f"{sample.name} has no truth")
    noisy, truth = sample.noisy, np.clip(sample.truth, 0, 1)
    if crop is not None and not sample.rois:
        window = central(noisy.shape, crop)
        noisy, truth = cut(noisy, window), cut(truth, window)
    regions = [aligned(region, sample.cfa) for region in sample.rois or [_all(noisy)]]
    least = max(measure.least_side for measure in measures.values())
    for region in regions:
        if min(region.bottom - region.top, region.right - region.left) < least:
            raise UserError(
                f"{sample.name}: the region {tuple(region)} is too small; what is measured needs "
                f"{least} x {least}"
            )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GainWarning)  # counted, and said once in the result
        results = [denoise_signal(s, noisy, sample.cfa, sample.noise) for s in subjects]
    color = sample.color or sensor_color(subjects[0].profile)
    shown = np.clip(noisy, 0, 1)
    for region in regions:
        target = SignalView(cut(truth, region), color)

        def scored(name: str, signal: Signal, at: Region, truth: SignalView) -> _Scored:
            view = SignalView(cut(signal, at), truth.color)
            return name, view.mosaic, {k: m.score(view, truth) for k, m in measures.items()}

        before = scored("noisy", shown, region, target)
        after = [
            scored(subject.name, result, region, target)
            for subject, result in zip(subjects, results, strict=True)
        ]
        for tally, (_, _, values) in zip(tallies, after, strict=True):
            tally.values.setdefault(sample.level, []).append((before[2], values))
        if keeper is not None:
            keeper.offer(sample.level, sample.name, [before, *after], target.mosaic, color)
    for subject, tally in zip(subjects, tallies, strict=True):
        _note_noise(subject, sample.noise, tally)


_Scored = tuple[str, Signal, Values]


def _all(signal: Signal) -> Region:
    return Region(0, 0, signal.shape[0], signal.shape[1])


def _note_noise(subject: Subject, noise: NoiseParameters, tally: _Tally) -> None:
    low, high = subject.profile.a_range
    tally.beyond += not low <= noise.a <= high
    if subject.takes_gain and noise.b > 0:
        told = subject.profile.noise(gain_with(noise, subject.profile))
        if told.b > 0:
            tally.log_b.append(math.log(told.b / noise.b))


def _result(subject: Subject, tally: _Tally) -> SubjectResult:
    levels = sorted(tally.values, key=lambda level: (level.value, level.label))
    everything = [pair for level in levels for pair in tally.values[level]]
    return SubjectResult(
        subject=subject.name,
        sensor=subject.profile.name,
        provenance=subject.profile.provenance,
        takes_gain=subject.takes_gain,
        told_b=math.exp(float(np.mean(tally.log_b))) if tally.log_b else None,
        beyond=tally.beyond,
        scores=tuple(
            GroupScore(level, len(tally.values[level]), *_means(tally.values[level]))
            for level in levels
        ),
        mean=_means(everything),
    )


def _means(pairs: Sequence[tuple[Values, Values]]) -> tuple[Values, Values]:
    """Of (noisy, denoised)."""
    names = pairs[0][0]
    noisy = {name: float(np.mean([before[name] for before, _ in pairs])) for name in names}
    denoised = {name: float(np.mean([after[name] for _, after in pairs])) for name in names}
    return noisy, denoised
