"""The folder that ``fa-mobile pair`` writes: this toolkit's own captures with their truth."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from fa_mobile.bayer import CfaPattern
from fa_mobile.datasets.sample import Dataset, Entry, Level, Sample, Signal
from fa_mobile.dng import cell_order
from fa_mobile.errors import UserError
from fa_mobile.noise import NoiseParameters
from fa_mobile.raw_io import RawFrame, normalize
from fa_mobile.sensor import SensorProfile

_READER: Final = "fa_mobile.pairing.dataset"


class Pair(Protocol):
    """One capture and its truth."""

    noisy: npt.NDArray[np.uint16]
    """[H, W] DN."""
    truth: npt.NDArray[np.float32]
    """[H, W] DN, not rounded."""
    cfa: CfaPattern
    black_level: tuple[float, float, float, float]
    """R, Gr, Gb, B."""
    white_level: float
    gain: float
    noise: NoiseParameters | None
    scene: str


class PairSet(Protocol):
    """What ``open_pairs(folder)`` gives back."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Pair: ...


def open_dataset(folder: Path, profile: SensorProfile | None = None) -> Dataset:
    """The pairs of ``folder``; where they state no noise, it is the profile's at their gain.

    Raises:
        UserError: when the folder is not one of pairs.
    """
    try:
        reader: Any = importlib.import_module(_READER)
    except ImportError as error:
        raise UserError(
            "this version of fa-mobile cannot read folders of pairs; install one with 'pair'"
        ) from error
    pairs: PairSet = reader.open_pairs(folder)
    entries = (
        Entry(f"pair {index + 1}", partial(_sample, pairs, index, profile))
        for index in range(len(pairs))
    )
    note = (
        "noise as the pairs state it"
        if profile is None
        else f"noise by gain from profile {profile.name} ({profile.provenance})"
    )
    # Pairs may be of simulated captures: only their maker knows.
    return Dataset("pairs", tuple(entries), (note,), noise_kind="as paired")


def _sample(pairs: PairSet, index: int, profile: SensorProfile | None) -> Iterator[Sample]:
    pair = pairs[index]
    noise = pair.noise if profile is None else profile.noise(pair.gain)
    if noise is None:
        raise UserError(
            f"pair {index + 1} ({pair.scene}) states no noise; give the profile of the sensor "
            "with --profile"
        )
    frame = RawFrame(pair.noisy, pair.cfa, pair.black_level, pair.white_level)
    yield Sample(
        name=f"{pair.scene}/{index + 1}",
        camera="as paired",
        level=Level(f"gain {pair.gain:g}", pair.gain),
        noisy=normalize(frame),
        truth=_normalized(pair),
        cfa=pair.cfa,
        noise=noise,
    )


def _normalized(pair: Pair) -> Signal:
    """The truth, which is float DN, as a 0..1 signal."""
    out = np.empty(pair.truth.shape, np.float32)
    for index, black in enumerate(cell_order(pair.black_level, pair.cfa)):
        at = (slice(index // 2, None, 2), slice(index % 2, None, 2))
        out[at] = (pair.truth[at] - np.float32(black)) / np.float32(pair.white_level - black)
    return out
