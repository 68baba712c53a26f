"""Captures to the noise at every gain: reads, samples, estimates, and counts what was left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, get_args

import numpy as np
import numpy.typing as npt

from fa_mobile.calibration.burst import differences, join
from fa_mobile.calibration.captures import Given, Sensor, Skipped, require_one_iso
from fa_mobile.calibration.chart import chart_by_corners, find_chart
from fa_mobile.calibration.estimate import (
    Estimate,
    estimate,
    moment_estimate,
    refuse_if_undetermined,
)
from fa_mobile.calibration.likelihood import Counted, DifferenceCounts
from fa_mobile.calibration.limits import limits_of
from fa_mobile.calibration.regions import Planes, Region, grid_regions, planes_of
from fa_mobile.calibration.samples import Point, Sample, interval_counts, region_samples
from fa_mobile.errors import UserError
from fa_mobile.raw_io import RawFrame

Scene = Literal["chart", "flat", "burst"]
SCENES: Final[tuple[Scene, ...]] = get_args(Scene)
COLORS: Final[dict[str, tuple[int, ...]]] = {"red": (0,), "green": (1, 2), "blue": (3,)}
"""Channels that share one noise; Gr and Gb must, or a denoiser draws mazes."""
_FREE_OF_CLIPPING: Final = 0.01
_PREVIEW_SIDE: Final = 640
_DISAGREE: Final = (3.0, 0.05)
"""Standard errors, and share of the value, by which a colour may differ unremarked."""

Corners = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Options:
    """How captures are read."""

    scene: Scene = "chart"
    corners: Corners | None = None
    """Of the chart; None: it is found."""
    grid: tuple[int, int] = (6, 4)
    """Columns, rows of the chart between given corners."""


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


@dataclass(frozen=True, eq=False)
class Preview:
    """A frame to look at, and what was taken of it."""

    path: Path
    picture: npt.NDArray[np.float32]
    """[h, w], 0..1, green, reduced."""
    regions: tuple[tuple[float, float, float, float], ...]
    """Left, top, width, height in pixels of the picture."""


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


@dataclass
class _Taken:
    """What a frame, or a pair, gave."""

    given: Given
    iso: float | None
    patches: int
    samples: list[Sample] = field(default_factory=list)
    pair: DifferenceCounts | None = None
    points: list[Point] = field(default_factory=list)


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
        base_iso: ISO at gain 1; None takes the lowest of the captures.
        report: called with a line for every file and gain.

    Raises:
        UserError: when sensors are mixed, gains are not known, or no capture can be used.
    """
    sensor = Sensor()
    reader = _Reader(options, sensor)
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
    isos = [taken.iso for taken in reader.taken if taken.iso is not None]
    base = base_iso if base_iso is not None else min(isos, default=None)
    result = Measured(
        sensor.frame, base, [], [], sensor.skipped, dict(reader.dropped), reader.preview
    )
    for gain, group in sorted(_by_gain(reader.taken, base, sensor.skipped).items()):
        report(f"noise at gain {gain:g} from {len(group)} frame(s)")
        _estimate_gain(gain, group, result)
    return result


class _Reader:
    """Turns frames into samples as they are read, so that one frame is held at a time.

    Of a burst, one frame for every gain waits for its partner.
    """

    def __init__(self, options: Options, sensor: Sensor) -> None:
        self.options, self.sensor = options, sensor
        self.taken: list[_Taken] = []
        self.dropped: Counter[str] = Counter()
        self.stated: dict[float, dict[float, Path]] = {}
        self.preview: Preview | None = None
        self._waiting: dict[tuple[float | None, float | None], tuple[Given, Planes]] = {}

    def add(self, given: Given, frame: RawFrame) -> None:
        if given.gain is not None and frame.iso is not None:
            self.stated.setdefault(given.gain, {}).setdefault(frame.iso, given.path)
        elif given.gain is None and frame.iso is None:
            self._skip(given, "it has no ISO, from which the gain follows; give --gain")
            return
        try:
            planes = planes_of(frame)
            if self.options.scene == "burst":
                self._pair(given, frame, planes)
            else:
                self._regions(given, frame, planes)
        except UserError as error:
            self._skip(given, str(error))

    def finish(self) -> None:
        """Note the frames of a burst that have no partner."""
        for given, _ in self._waiting.values():
            self._skip(given, "it has no second frame of its gain left to pair with")

    def _skip(self, given: Given, reason: str) -> None:
        self.sensor.skipped.append(Skipped(given.path, reason))

    def _regions(self, given: Given, frame: RawFrame, planes: Planes) -> None:
        height, width = planes.shape[1:]
        if self.options.scene == "flat":
            regions = grid_regions(height, width)
        elif self.options.corners is not None:
            regions = chart_by_corners(self.options.corners, self.options.grid, height, width)
        else:
            regions = find_chart(planes, frame.black_level, frame.white_level)
        limits = limits_of(planes, max(frame.black_level), frame.white_level)
        taken = _Taken(given, frame.iso, len(regions))
        for region in regions:
            for sample in region_samples(planes, region, frame, limits):
                if isinstance(sample, str):
                    self.dropped[sample] += 1
                else:
                    taken.samples.append(sample)
                    taken.points.append(sample.point)
        if not taken.samples:
            raise UserError(
                f"none of its {len(regions)} patches is usable (saturated, black or not flat); "
                "expose between black and white, and take a matt chart slightly out of focus"
            )
        self.taken.append(taken)
        self._keep_preview(given, frame, planes, regions)

    def _pair(self, given: Given, frame: RawFrame, planes: Planes) -> None:
        key = (given.gain, frame.iso)
        partner = self._waiting.pop(key, None)
        if partner is None:
            self._waiting[key] = (given, planes)
            return
        limits = limits_of(planes, max(frame.black_level), frame.white_level)
        found = differences(partner[1], planes, frame, limits)
        self.dropped["moved"] += found.moved
        taken = _Taken(given, frame.iso, len(found.points), pair=found.counted)
        taken.points = found.points
        self.taken.append(taken)
        self._keep_preview(given, frame, planes, [])

    def _keep_preview(
        self, given: Given, frame: RawFrame, planes: Planes, regions: Sequence[Region]
    ) -> None:
        if self.preview is not None:
            return
        import cv2

        height, width = planes.shape[1:]
        scale = min(1.0, _PREVIEW_SIDE / max(height, width))
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        green = cv2.resize(planes[1], size, interpolation=cv2.INTER_AREA).astype(np.float32)
        black = frame.black_level[1]
        picture = np.clip((green - black) / (frame.white_level - black), 0, 1)
        boxes = [
            (r.left * scale, r.top * scale, r.width * scale, r.height * scale) for r in regions
        ]
        self.preview = Preview(given.path, np.asarray(picture, np.float32), tuple(boxes))


def _by_gain(
    taken: Sequence[_Taken], base_iso: float | None, skipped: list[Skipped]
) -> dict[float, list[_Taken]]:
    groups: dict[float, list[_Taken]] = {}
    for one in taken:
        gain = one.given.gain
        if gain is None and one.iso is not None and base_iso is not None:
            gain = one.iso / base_iso
        if gain is None:  # cannot be: a frame without ISO and gain was skipped when it was read
            skipped.append(Skipped(one.given.path, "its gain is not known; give --gain"))
            continue
        groups.setdefault(float(f"{gain:.6g}"), []).append(one)
    return groups


def _estimate_gain(gain: float, group: Sequence[_Taken], result: Measured) -> None:
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


def _estimate(group: Sequence[_Taken], channels: Sequence[int] = range(4)) -> Estimate:
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
