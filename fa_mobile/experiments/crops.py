"""A picture of crops: noisy, every subject of a table, and the truth, at several gains."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from fa_mobile.bayer import pack
from fa_mobile.evaluation.captures import Capture, captures
from fa_mobile.evaluation.measures import MEASURES, RAW_PSNR, View
from fa_mobile.evaluation.subjects import Denoise
from fa_mobile.sensor import SensorProfile

GAINS: Final = (8.0, 64.0)
SIDE: Final = 112
"""Of a crop, in mosaic pixels."""
ZOOM: Final = 2
_GAP: Final = 6
_CAPTION: Final = 22

Mosaic = npt.NDArray[np.float32]


class Place(NamedTuple):
    """A square of a mosaic; its corner is even, which keeps the Bayer pattern."""

    top: int
    left: int
    side: int

    def of(self, mosaic: npt.NDArray[np.generic]) -> Mosaic:
        """The square of [H, W], as float32."""
        rows = slice(self.top, self.top + self.side)
        return np.ascontiguousarray(mosaic[rows, self.left : self.left + self.side], np.float32)


class Cell(NamedTuple):
    """A crop, [H, W, 3] in 0..1, and what stands above it."""

    caption: str
    rgb: npt.NDArray[np.float32]


def most_detail(truth: Mosaic, side: int = SIDE) -> Place:
    """The square in which the truth varies most: no subject has a say in where that is.

    Args:
        truth: clean mosaic [H, W] RGGB.
        side: of the square; of the whole mosaic, made even, where that is smaller.
    """
    green = np.asarray(pack(truth)[1], np.float64)
    across = np.zeros_like(green)
    across[:, 1:] += np.diff(green, axis=1) ** 2
    across[1:] += np.diff(green, axis=0) ** 2
    half = min(side // 2, *green.shape)
    sums = np.pad(across, ((1, 0), (1, 0))).cumsum(0).cumsum(1)
    boxes = sums[half:, half:] - sums[:-half, half:] - sums[half:, :-half] + sums[:-half, :-half]
    top, left = np.unravel_index(int(np.argmax(boxes)), boxes.shape)
    return Place(2 * int(top), 2 * int(left), 2 * half)


def cells_of(
    capture: Capture, subjects: Mapping[str, Denoise], place: Place, profile: SensorProfile
) -> list[Cell]:
    """One row of the picture. Subjects see the whole capture, so that no border is in the crop.

    Args:
        capture: to denoise.
        subjects: by their captions.
        place: what is shown of it.
        profile: of the sensor: levels and colour.
    """
    truth = View(place.of(capture.truth), profile)
    black, white = min(profile.black_level), profile.white_level

    def cell(name: str, mosaic: npt.NDArray[np.generic]) -> Cell:
        view = View(place.of(mosaic), profile)
        return Cell(f"{name}: {MEASURES[RAW_PSNR].score(view, truth):.2f}", view.rgb)

    return [
        cell(f"noisy, gain {capture.gain:g}", np.clip(capture.mosaic, black, white)),
        *(cell(name, run(capture.mosaic, capture.gain)) for name, run in subjects.items()),
        Cell("truth", truth.rgb),
    ]


def sheet(rows: Sequence[Sequence[Cell]]) -> Image.Image:
    """The cells of all rows side by side, enlarged without smoothing."""
    height, width = (ZOOM * length for length in rows[0][0].rgb.shape[:2])
    across = max(len(row) for row in rows)
    size = (across * (width + _GAP) - _GAP, len(rows) * (height + _CAPTION + _GAP) - _GAP)
    picture = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(picture)
    for down, row in enumerate(rows):
        top = down * (height + _CAPTION + _GAP)
        for index, cell in enumerate(row):
            left = index * (width + _GAP)
            codes = np.round(255 * np.clip(cell.rgb, 0, 1)).astype(np.uint8)
            shown = Image.fromarray(codes).resize((width, height), Image.Resampling.NEAREST)
            picture.paste(shown, (left, top + _CAPTION))
            draw.text((left + 2, top + 4), cell.caption, fill="black", font_size=13)
    return picture


def picture_of(
    photo: Path,
    subjects: Mapping[str, Denoise],
    profile: SensorProfile,
    seed: int,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Image.Image, Place]:
    """The picture, and which part of the photo's measured centre it shows.

    Args:
        photo: a test photo.
        subjects: by their captions.
        profile: of the sensor that captures.
        seed: of the noise.
        progress: called with (rows done, rows in all).

    Raises:
        UserError: for a photo that cannot be read.
    """
    rows = []
    place: Place | None = None
    for capture in captures(photo, profile, GAINS, seed):
        place = place or most_detail(capture.truth)
        rows.append(cells_of(capture, subjects, place, profile))
        if progress is not None:
            progress(len(rows), len(GAINS))
    assert place is not None
    return sheet(rows), place
