"""A capture as pairing sees it: RGGB at the origin, normalised planes, its gain and time."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import rawpy

from fa_mobile.bayer import pack, red_offset
from fa_mobile.errors import UserError
from fa_mobile.pairing.guide import Planes
from fa_mobile.raw_io import RawFrame, gain_of, normalize, read_raw
from fa_mobile.sensor import GainWarning, SensorProfile

_SAME_GAIN: Final = 0.01
"""Share by which a gain that was given may differ from the file's: ISO numbers are rounded."""


@dataclass(frozen=True, eq=False)
class Capture:
    """One exposure with what pairing must know of it."""

    path: Path
    frame: RawFrame
    gain: float
    exposure: float | None
    """Seconds; None where the file does not say."""

    @property
    def corner(self) -> tuple[int, int]:
        """Row and column of the frame's first red sample: there :attr:`mosaic` begins."""
        return red_offset(self.frame.cfa)

    @cached_property
    def mosaic(self) -> npt.NDArray[np.uint16]:
        """[H, W] RGGB, even sides, DN: the frame from its first red sample on, unchanged."""
        return np.ascontiguousarray(_even(self.frame.mosaic[self.corner[0] :, self.corner[1] :]))

    @cached_property
    def planes(self) -> Planes:
        """:attr:`mosaic` normalised and packed, [4, H / 2, W / 2]."""
        signal = normalize(self.frame)[self.corner[0] :, self.corner[1] :]
        return np.asarray(pack(_even(signal)), np.float32)

    @property
    def pedestal(self) -> float:
        """The lowest normalised value that the file can hold, <= 0."""
        white = self.frame.white_level
        return -max(black / (white - black) for black in self.frame.black_level)

    @property
    def sensor(self) -> tuple[object, ...]:
        """What two captures of one sensor have in common."""
        frame = self.frame
        return (
            frame.make, frame.model, frame.cfa, frame.black_level, frame.white_level,
            frame.mosaic.shape,
        )  # fmt: skip


def _even(mosaic: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return mosaic[: mosaic.shape[0] & ~1, : mosaic.shape[1] & ~1]


def read_capture(path: Path, profile: SensorProfile, gain: float | None = None) -> Capture:
    """Read a RAW file for pairing.

    Args:
        path: of the file.
        profile: what its ISO speed is measured by.
        gain: of a file that does not say its ISO.

    Raises:
        UserError: when the file cannot be read, its gain is not known, or it says another one.
    """
    frame = read_raw(path)
    try:
        said = None if frame.iso is None and gain is not None else gain_of(frame, profile)
    except UserError as error:
        raise UserError(f"{path}: {error}") from error
    if gain is not None and said is not None and abs(said / gain - 1) > _SAME_GAIN:
        raise UserError(
            f"{path} says ISO {frame.iso:g}, gain {said:g} by profile {profile.name}, and gain "
            f"{gain:g} was given; leave the gain out, or pair files of other gains on their own"
        )
    found = said if gain is None else gain
    assert found is not None, "one of the two is known"
    low, high = profile.gain_range
    if not low <= found <= high:
        warnings.warn(
            f"{path.name} is of gain {found:g}, beyond the {low:g}..{high:g} that profile "
            f"{profile.name} was made for; its a and b are extrapolated",
            GainWarning,
            stacklevel=2,
        )
    return Capture(path, frame, found, exposure_seconds(path))


def exposure_seconds(path: Path) -> float | None:
    """The exposure time that a RAW file states, or None."""
    try:
        with rawpy.imread(str(path)) as raw:
            seconds = float(raw.other.shutter_speed)
    except rawpy.LibRawError:
        return None
    return seconds if 0 < seconds < 1e5 else None


def check_alike(short: Capture, long: Capture) -> None:
    """Refuse two captures that are not the noisy and the clean one of one sensor.

    Raises:
        UserError: naming what differs.
    """
    names = ("make", "model", "pattern", "black level", "white level", "size")
    differences = [
        f"{name} {theirs} beside {ours}"
        for name, ours, theirs in zip(names, long.sensor, short.sensor, strict=True)
        if ours != theirs
    ]
    if differences:
        raise UserError(
            f"{short.path.name} and {long.path.name} are of mixed sensors or modes: "
            f"{', '.join(differences)}; pair captures of one sensor in one mode"
        )
    if short.gain < long.gain:
        raise UserError(
            f"{short.path.name} has gain {short.gain:g} and {long.path.name} gain {long.gain:g}; "
            "the short exposure has the higher gain: check whether SHORT and LONG are exchanged"
        )
