"""Frames to samples, one by one: regions of a chart or a flat field, or pairs of a burst."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, get_args

import cv2
import numpy as np
import numpy.typing as npt

from fa_mobile.bayer import PlaneWindow
from fa_mobile.calibration.burst import differences
from fa_mobile.calibration.captures import Given, Sensor, Skipped
from fa_mobile.calibration.chart import chart_by_corners, find_chart
from fa_mobile.calibration.likelihood import DifferenceCounts
from fa_mobile.calibration.limits import limits_of
from fa_mobile.calibration.regions import Planes, grid_regions, planes_of
from fa_mobile.calibration.samples import Point, Sample, region_samples
from fa_mobile.errors import UserError
from fa_mobile.raw_io import RawFrame

Scene = Literal["chart", "flat", "burst"]
SCENES: Final[tuple[Scene, ...]] = get_args(Scene)
_PREVIEW_SIDE: Final = 640

Corners = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Options:
    """How captures are read."""

    scene: Scene = "chart"
    corners: Corners | None = None
    """Of the chart; None: it is found."""
    grid: tuple[int, int] = (6, 4)
    """Columns, rows of the chart between given corners."""


@dataclass(frozen=True, eq=False)
class Preview:
    """A frame to look at, and what was taken of it."""

    path: Path
    picture: npt.NDArray[np.float32]
    """[h, w], 0..1, green, reduced."""
    regions: tuple[tuple[float, float, float, float], ...]
    """Left, top, width, height in pixels of the picture."""


@dataclass
class Taken:
    """What a frame, or a pair, gave."""

    given: Given
    iso: float | None
    patches: int
    samples: list[Sample] = field(default_factory=list)
    pair: DifferenceCounts | None = None
    points: list[Point] = field(default_factory=list)


class Reader:
    """Turns frames into samples as they are read, so that one frame is held at a time.

    Of a burst, one frame for every gain waits for its partner.
    """

    def __init__(self, options: Options, sensor: Sensor) -> None:
        self.options, self.sensor = options, sensor
        self.taken: list[Taken] = []
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
        taken = Taken(given, frame.iso, len(regions))
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
        taken = Taken(given, frame.iso, len(found.points), pair=found.counted)
        taken.points = found.points
        self.taken.append(taken)
        self._keep_preview(given, frame, planes, [])

    def _keep_preview(
        self, given: Given, frame: RawFrame, planes: Planes, regions: Sequence[PlaneWindow]
    ) -> None:
        if self.preview is not None:
            return
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
