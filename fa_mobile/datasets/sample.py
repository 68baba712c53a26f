"""The common form of every dataset: samples of a normalised signal, read one after the other."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fa_mobile.bayer import CfaPattern
from fa_mobile.errors import UserError
from fa_mobile.isp import ColorPipeline
from fa_mobile.noise import NoiseParameters

Signal = npt.NDArray[np.float32]
"""[H, W], 0 at black and 1 at white; noise below black stays negative where the file keeps it."""


class Level(NamedTuple):
    """How strong the noise is, in the words of the dataset; results are grouped by it."""

    label: str
    """Such as ``ISO 800``, ``gain 16`` or ``x250``."""
    value: float
    """By which groups are sorted."""


class Region(NamedTuple):
    """Rows ``top`` to ``bottom`` and columns ``left`` to ``right``, the ends excluded."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(frozen=True, eq=False)
class Sample:
    """One noisy mosaic and, where the dataset gives it away, the truth.

    Raises:
        UserError: for arrays or noise that cannot be evaluated.
    """

    name: str
    """Unique within the dataset."""
    camera: str
    level: Level
    noisy: Signal
    truth: Signal | None
    """Of the same scene and pattern; None where only the benchmark's server has it."""
    cfa: CfaPattern
    """The pattern at the origin of both."""
    noise: NoiseParameters
    """Variance a x + b of ``noisy``."""
    color: ColorPipeline | None = None
    """None: the dataset does not say."""
    rois: tuple[Region, ...] = ()
    """Where the dataset's protocol scores; empty means everywhere."""
    place: tuple[int, int] = (0, 0)
    """(image, crop) in a submission, counted from 0."""

    def __post_init__(self) -> None:
        if self.noisy.ndim != 2 or min(self.noisy.shape) < 2:
            raise UserError(
                f"{self.name}: a mosaic of shape {self.noisy.shape} was given; allowed is [H, W] "
                "of at least 2 x 2; get the file again"
            )
        if self.truth is not None and self.truth.shape != self.noisy.shape:
            raise UserError(
                f"{self.name}: the truth is {self.truth.shape} and the noisy mosaic "
                f"{self.noisy.shape}; they must be the same; get the files again"
            )
        for signal in (self.noisy, self.truth):
            if signal is not None and not np.isfinite(signal).all():
                raise UserError(f"{self.name} holds NaN or infinite samples; get the file again")
        a, b = self.noise
        if not (math.isfinite(a) and math.isfinite(b) and a > 0 and b >= 0):
            raise UserError(
                f"{self.name}: noise a={a:g}, b={b:g} was given; allowed are a > 0 and b >= 0; "
                "give the sensor's profile with --profile"
            )
        height, width = self.noisy.shape
        for top, left, bottom, right in self.rois:
            if not (0 <= top < bottom <= height and 0 <= left < right <= width):
                raise UserError(
                    f"{self.name}: region {(top, left, bottom, right)} was given; allowed are "
                    f"rows 0..{height} and columns 0..{width}; get the dataset's index again"
                )


class Skipped(NamedTuple):
    """What could not be read, in one line."""

    name: str
    reason: str
    samples: int = 1
    """How many samples are lost."""


@dataclass(frozen=True)
class Entry:
    """One file, or files that belong together, read when asked for."""

    name: str
    load: Callable[[], Iterator[Sample]]
    """May raise UserError, which loses what is left of this entry only."""
    count: int = 1
    """Samples in it."""


@dataclass(frozen=True)
class Dataset:
    """Samples of one folder, in the dataset's own order; nothing is read before it is asked for."""

    format: str
    entries: tuple[Entry, ...]
    notes: tuple[str, ...] = ()
    """What a reader of results must know: the source of the noise, what is left out."""
    noise_kind: str = "real"
    """``real`` where the publication vouches for it; results are called so."""

    def __len__(self) -> int:
        """Samples in all, readable or not."""
        return sum(entry.count for entry in self.entries)

    def __iter__(self) -> Iterator[Sample | Skipped]:
        """Every sample; for what cannot be read its name and the reason."""
        for entry in self.entries:
            done = 0
            try:
                for sample in entry.load():
                    yield sample
                    done += 1
            except UserError as error:
                yield Skipped(entry.name, str(error), max(entry.count - done, 1))
