"""Captures to the noise at every gain: reads, samples, estimates, and counts what was left out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from fa_mobile.calibration.burst import join
from fa_mobile.calibration.captures import Given, Sensor, Skipped, require_one_iso
from fa_mobile.calibration.estimate import (
    Estimate,
    estimate,
    moment_estimate,
    refuse_if_undetermined,
)
from fa_mobile.calibration.likelihood import Counted
from fa_mobile.calibration.reading import Options, Preview, Reader, Taken
from fa_mobile.calibration.samples import Point, interval_counts
from fa_mobile.errors import UserError
from fa_mobile.raw_io import RawFrame

COLORS: Final[dict[str, tuple[int, ...]]] = {"red": (0,), "green": (1, 2), "blue": (3,)}
"""Channels that share one noise; Gr and Gb must, or a denoiser draws mazes."""
_FREE_OF_CLIPPING: Final = 0.01
_DISAGREE: Final = (3.0, 0.05)
"""Standard errors, and share of the value, by which a colour may differ unremarked."""


@dataclass(frozen=True)
class FrameResult:
    """One frame (of a burst: one pair). ``estimate`` is None where it alone tells too little."""

    path: Path
    gain: float
    patches: int
    usable: int
    """Patches times colours."""
    estimate: Estimate | None
    note: str = ""


@dataclass(frozen=True, eq=False)
class GainResult:
    """All frames of one gain together."""

    gain: float
    frames: int
    estimate: Estimate
    colors: dict[str, Estimate]
    """By colour, where a colour alone tells enough."""
    points: tuple[Point, ...]


@dataclass
class Measured:
    """The noise of a sensor at every gain that its captures have."""

    sensor: RawFrame
    """The first frame, for levels, pattern, make and model."""
    base_iso: float | None
    frames: list[FrameResult]
    gains: list[GainResult]
    skipped: list[Skipped]
    dropped: dict[str, int]
    """Patches times colours that could not be used, by reason."""
    preview: Preview | None
    warnings: list[str] = field(default_factory=list)


Report = Callable[[str], None]


def measure(
    files: Sequence[Given],
    options: Options,
    *,
    base_iso: float | None,
    report: Report = lambda _line: None,
) -> Measured:
    """Estimate the noise of every frame and of every gain.

    Args:
        files: at least one.
        options: how they are read.
        base_iso: ISO at gain 1; None takes it from stated gains, or the lowest of the captures.
        report: called with a line for every file and gain.

    Raises:
        UserError: when sensors are mixed, gains are not known, or no capture can be used.
    """
    sensor = Sensor()
    reader = Reader(options, sensor)
    for number, (given, frame) in enumerate(sensor.frames(files), 1):
        report(f"{number}/{len(files)} {given.path.name}")
        if frame is not None:
            reader.add(given, frame)
    reader.finish()
    if sensor.frame is None or not reader.taken:
        reasons = "; ".join(f"{s.path.name}: {s.reason}" for s in sensor.skipped[:2])
        more = f"; and {len(sensor.skipped) - 2} more" if len(sensor.skipped) > 2 else ""
        raise UserError(f"none of {len(files)} captures can be used ({reasons}{more})")
    require_one_iso(reader.stated)
    # A stated gain tells the ISO at gain 1; otherwise the lowest ISO is taken for it.
    ones = [taken.iso / (taken.given.gain or 1) for taken in reader.taken if taken.iso is not None]
    base = base_iso if base_iso is not None else min(ones, default=None)
    result = Measured(
        sensor.frame, base, [], [], sensor.skipped, dict(reader.dropped), reader.preview
    )
    for gain, group in sorted(_by_gain(reader.taken, base, sensor.skipped).items()):
        report(f"noise at gain {gain:g} from {len(group)} frame(s)")
        _estimate_gain(gain, group, result)
    return result


def _by_gain(
    taken: Sequence[Taken], base_iso: float | None, skipped: list[Skipped]
) -> dict[float, list[Taken]]:
    groups: dict[float, list[Taken]] = {}
    for one in taken:
        gain = one.given.gain
        if gain is None and one.iso is not None and base_iso is not None:
            gain = one.iso / base_iso
        if gain is None:  # cannot be: a frame without ISO and gain was skipped when it was read
            skipped.append(Skipped(one.given.path, "its gain is not known; give --gain"))
            continue
        groups.setdefault(float(f"{gain:.6g}"), []).append(one)
    return groups


def _estimate_gain(gain: float, group: Sequence[Taken], result: Measured) -> None:
    for taken in group:
        try:
            alone, note = _estimate([taken]), ""
        except UserError as error:
            alone, note = None, str(error)
        result.frames.append(
            FrameResult(taken.given.path, gain, taken.patches, len(taken.points), alone, note)
        )
    try:
        together = result.frames[-1].estimate if len(group) == 1 else None
        together = together or _estimate(group)
    except UserError as error:
        result.skipped += [Skipped(taken.given.path, f"gain {gain:g}: {error}") for taken in group]
        return
    colors = {}
    for name, channels in COLORS.items():
        try:
            colors[name] = _estimate(group, channels)
        except UserError:  # one colour alone has too little contrast: nothing to compare
            continue
        result.warnings += _disagreement(gain, name, colors[name], together)
    points = tuple(point for taken in group for point in taken.points)
    result.gains.append(GainResult(gain, len(group), together, colors, points))


def _estimate(group: Sequence[Taken], channels: Sequence[int] = range(4)) -> Estimate:
    points = [p for taken in group for p in taken.points if p.channel in channels]
    samples = [s for taken in group for s in taken.samples if s.point.channel in channels]
    refuse_if_undetermined(np.array([p.mean for p in points]))
    free = [p for p in points if p.clipped < _FREE_OF_CLIPPING] or points
    start = moment_estimate(
        np.array([p.mean for p in free]),
        np.array([max(p.variance, 0.0) for p in free]),
        np.array([float(p.samples) for p in free]),
    )
    counted: Counted
    if samples:
        counted = interval_counts(samples)
    else:
        pairs = [taken.pair for taken in group if taken.pair is not None]
        counted = join(pairs).of([p.channel in channels for t in group for p in t.points])
    return estimate(counted, start)


def _disagreement(gain: float, color: str, own: Estimate, together: Estimate) -> list[str]:
    """A line for each of a and b in which a colour differs more than its errors allow."""
    errors, share = _DISAGREE
    return [
        f"at gain {gain:g} {name} of {color} alone is {one.value:.3g}, of all colours "
        f"{all_.value:.3g}: more apart than their errors; the profile holds one for all"
        for name, one, all_ in (("a", own.a, together.a), ("b", own.b, together.b))
        if abs(one.value - all_.value)
        > max(errors * float(np.hypot(one.error, all_.error)), share * all_.value)
    ]
