"""SID, See in the Dark (Sony part): short exposures and the long ones of the same scene.

C. Chen, Q. Chen, J. Xu and V. Koltun, "Learning to See in the Dark", CVPR 2018. The lists that
come with it (``Sony_test_list.txt``) have a line for each short exposure::

    ./Sony/short/10003_00_0.04s.ARW ./Sony/long/10003_00_10s.ARW ISO200 F9

File names hold the scene (its first digit the split), the number in the burst and the exposure
time. As in the authors' test program, the first frame of each burst counts, and the short exposure
is multiplied by ratio = min(long / short, 300); levels are 512 and 16383. It is a denoising task
then: the amplified short exposure r x against the long one. Noise of variance a x + b becomes
a r (r x) + b r^2, so the amplified signal has a' = a r and b' = b r^2, with (a, b) from the
profile of the sensor at the frames' ISO speed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from fa_mobile.datasets.color import color_of
from fa_mobile.datasets.known_noise import ProfileNoise
from fa_mobile.datasets.paths import inside
from fa_mobile.datasets.sample import Dataset, Entry, Level, Sample, Signal
from fa_mobile.errors import UserError
from fa_mobile.noise import NoiseParameters
from fa_mobile.raw_io import RawFrame, normalize, read_raw
from fa_mobile.sensor import SensorProfile

LIST: Final = "Sony_test_list.txt"
MAX_RATIO: Final = 300.0
BLACK: Final = 512.0
WHITE: Final = 16383.0
MISALIGNED: Final = frozenset({"10034", "10045", "10172"})
"""The authors ask to leave these out of measurements (README of their repository, August 2018)."""
_MAX_LIST: Final = 4 << 20
_NAME: Final = re.compile(r"(\d{5})_(\d{2})_(\d+(?:\.\d+)?)s\.\w+")


class Line(NamedTuple):
    """One line of a list: names as given, relative to the list's folder."""

    short: str
    long: str
    iso: float


class Exposure(NamedTuple):
    """What a file's name says."""

    scene: str
    frame: int
    seconds: float


def open_dataset(folder: Path, profile: SensorProfile | None = None) -> Dataset:
    """The test pairs below ``folder``.

    Raises:
        UserError: without the list or a profile.
    """
    path = folder / LIST
    if not path.is_file():
        raise UserError(
            f"{folder} has no {LIST}; give the folder that holds it and the Sony/ of its paths"
        )
    if profile is None:
        raise UserError(
            "SID does not state its noise; give the profile of its sensor (Sony A7S II) with "
            "--profile"
        )
    noise = ProfileNoise(profile)
    lines = [line for line in _lines(path) if _first_of_burst(line)]
    entries = (Entry(Path(line.short).stem, partial(_pair, folder, line, noise)) for line in lines)
    notes = (
        f"{noise.note}, after amplification by r: a r, b r^2",
        f"first frame of each burst; amplified by long / short, {MAX_RATIO:g} at most",
    )
    return Dataset("sid", tuple(entries), notes)


def _lines(path: Path) -> Iterator[Line]:
    if path.stat().st_size > _MAX_LIST:
        raise UserError(f"{path} is larger than {_MAX_LIST >> 20} MiB; get the list again")
    try:
        text = path.read_text(encoding="ascii")
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not text; get the list again") from error
    for number, line in enumerate(text.splitlines(), start=1):
        match = re.fullmatch(r"(\S+) (\S+) ISO(\d+) F[\d.]+", line.strip())
        if match is not None and float(match[3]) > 0:
            yield Line(match[1], match[2], float(match[3]))
        elif line.strip():
            raise UserError(
                f"{path}, line {number}: {line[:80]!r} was given; allowed is 'SHORT LONG ISO200 "
                "F8'; get the list again"
            )


def _first_of_burst(line: Line) -> bool:
    match = _NAME.fullmatch(Path(line.short).name)
    return match is None or int(match[2]) == 0  # odd names are kept, to be named when read


def parse_exposure(name: str) -> Exposure:
    """What a file's name says.

    Raises:
        UserError: for a name of another form.
    """
    match = _NAME.fullmatch(name)
    if match is None or not float(match[3]) > 0:
        raise UserError(
            f"{name!r} is not the name of a frame of SID; allowed is the form 10003_00_0.04s.ARW"
        )
    return Exposure(match[1], int(match[2]), float(match[3]))


def _pair(folder: Path, line: Line, noise: ProfileNoise) -> Iterator[Sample]:
    short, long = (inside(folder, name) for name in (line.short, line.long))
    taken, wanted = parse_exposure(short.name), parse_exposure(long.name)
    if taken.scene in MISALIGNED:
        raise UserError(
            f"{short.stem} is left out: its authors found pair {taken.scene} misaligned"
        )
    for path, kind in ((short, "short"), (long, "long")):
        if not path.is_file():
            raise UserError(f"{short.stem} has no {kind} exposure: {path} is missing")
    ratio = min(wanted.seconds / taken.seconds, MAX_RATIO)
    dark, bright = read_raw(short), read_raw(long)
    camera = f"{dark.make} {dark.model}".strip()
    if (bright.make, bright.model, bright.cfa) != (dark.make, dark.model, dark.cfa):
        raise UserError(
            f"{short.name} is of {camera} and {long.name} of {bright.make} {bright.model}; a pair "
            "must be of one sensor"
        )
    a, b = noise.at(camera, line.iso)
    yield Sample(
        name=short.stem,
        camera=camera,
        level=Level(f"x{ratio:g}", ratio),
        noisy=np.minimum(_signal(dark, short) * np.float32(ratio), np.float32(1)),
        truth=_signal(bright, long),
        cfa=dark.cfa,
        noise=NoiseParameters(a * ratio, b * ratio * ratio),
        color=color_of(dark.color_matrix or (), dark.as_shot_neutral or ()),
    )


def _signal(frame: RawFrame, path: Path) -> Signal:
    """Normalised with the authors' levels; a file that states another black is another sensor's."""
    if any(abs(black - BLACK) > 1 for black in frame.black_level):
        raise UserError(
            f"{path.name} states black levels {frame.black_level}; SID's sensor has {BLACK:g}: "
            "sensors are mixed here, leave the frame out"
        )
    return normalize(replace(frame, black_level=(BLACK,) * 4, white_level=WHITE))
