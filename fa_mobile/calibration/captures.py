"""The files of a calibration: which they are, whether one sensor took them, at which gain."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from fa_mobile.errors import UserError
from fa_mobile.raw_io import RawFrame, read_raw

_BLACK_DRIFT: Final = 2.0
"""DN by which a sensor's black level may wander from frame to frame."""


@dataclass(frozen=True)
class Skipped:
    """A file that did not take part, and why: one line."""

    path: Path
    reason: str


@dataclass(frozen=True)
class Given:
    """A file to read, and the gain that the user stated for it."""

    path: Path
    gain: float | None


@dataclass
class Sensor:
    """Reads files one by one, all of one sensor; refuses others.

    ``base_iso`` is None until a profile or the user gives it: see :meth:`gain`.
    """

    frame: RawFrame | None = None
    path: Path | None = None
    skipped: list[Skipped] = field(default_factory=list)

    def frames(self, files: Sequence[Given]) -> Iterator[tuple[Given, RawFrame | None]]:
        """Each file with its frame; None where it cannot be read, which is noted.

        Raises:
            UserError: when a file is of another sensor than the first.
        """
        for given in files:
            try:
                frame = read_raw(given.path)
            except UserError as error:
                self.skipped.append(Skipped(given.path, str(error)))
                yield given, None
                continue
            self._require_same(given.path, frame)
            yield given, frame

    def _require_same(self, path: Path, frame: RawFrame) -> None:
        if self.frame is None or self.path is None:
            self.frame, self.path = frame, path
            return
        first = self.frame
        drift = zip(first.black_level, frame.black_level, strict=True)
        differences = [
            f"{name} {ours} and {theirs}"
            for name, ours, theirs, same in (
                ("make", first.make, frame.make, first.make == frame.make),
                ("model", first.model, frame.model, first.model == frame.model),
                ("CFA", first.cfa, frame.cfa, first.cfa == frame.cfa),
                ("size", _size(first), _size(frame), first.mosaic.shape == frame.mosaic.shape),
                ("white level", first.white_level, frame.white_level,
                 first.white_level == frame.white_level),
                ("black level", first.black_level, frame.black_level,
                 all(abs(a - b) <= _BLACK_DRIFT for a, b in drift)),
            )
            if not same
        ]  # fmt: skip
        if differences:
            raise UserError(
                f"{self.path} and {path} are of different sensors or modes "
                f"({'; '.join(differences)}); allowed is one; give one sensor at a time"
            )


def _size(frame: RawFrame) -> str:
    return f"{frame.mosaic.shape[1]} x {frame.mosaic.shape[0]}"


def listed(captures: Sequence[Path], gains: Sequence[float]) -> list[Given]:
    """The files of the arguments, folders opened (not those inside them), by name.

    Args:
        captures: files and folders.
        gains: none, one for all captures, or one for each, in their order.

    Raises:
        UserError: when a place does not exist or holds nothing, or the gains do not fit.
    """
    if gains and len(gains) not in (1, len(captures)):
        raise UserError(
            f"--gain was given {len(gains)} times for {len(captures)} captures; allowed is none, "
            "one for all, or one for each file or folder in their order"
        )
    for one in gains:
        if not (math.isfinite(one) and one > 0):
            raise UserError(f"gain {one} was given; allowed are finite numbers above 0")
    stated: Sequence[float | None] = (
        [None] * len(captures) if not gains else list(gains) * (len(captures) // len(gains))
    )
    files: list[Given] = []
    for place, gain in zip(captures, stated, strict=True):
        if place.is_dir():
            inside = sorted(p for p in place.iterdir() if p.is_file() and p.name[0] != ".")
            files += [Given(path, gain) for path in inside]
        elif place.is_file():
            files.append(Given(place, gain))
        else:
            raise UserError(f"captures {place} do not exist; give RAW files or folders of them")
    if not files:
        raise UserError(f"no file lies in {', '.join(map(str, captures))}; give RAW files")
    repeated = sorted({str(f.path) for f in files if sum(f.path == g.path for g in files) > 1})
    if repeated:
        raise UserError(f"{repeated[0]} was given twice; give each capture once")
    return files


def require_one_iso(stated: dict[float, dict[float, Path]]) -> None:
    """Refuse one stated gain for files whose ISO differ.

    Args:
        stated: for each gain that the user stated, one file for each ISO among its files.

    Raises:
        UserError: naming two of the files.
    """
    for gain, by_iso in stated.items():
        if len(by_iso) > 1:
            (first, one), (second, two), *_ = sorted(by_iso.items())
            raise UserError(
                f"--gain {gain:g} was given for captures of mixed gains: {one} has ISO {first:g}, "
                f"{two} has ISO {second:g}; leave out --gain, or give one for each folder"
            )
