"""The folder that ``fa-mobile pair`` writes: this toolkit's own captures with their truth.

Read by :func:`fa_mobile.pairing.dataset.open_pairs`; what is used of its result is said here.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from fa_mobile.datasets.color import color_of
from fa_mobile.datasets.sample import Dataset, Entry, Level, Sample
from fa_mobile.errors import UserError
from fa_mobile.noise import NoiseParameters
from fa_mobile.patches import levels_to_signal
from fa_mobile.sensor import SensorProfile

_READER: Final = "fa_mobile.pairing.dataset"


class Named(Protocol):
    """What the index says of a pair."""

    @property
    def name(self) -> str: ...


class Index(Protocol):
    """What is known without reading a pair: the sensor, its profile, names."""

    @property
    def make(self) -> str: ...

    @property
    def model(self) -> str: ...

    @property
    def profile(self) -> SensorProfile: ...

    @property
    def noise_from(self) -> str: ...

    @property
    def pairs(self) -> Sequence[Named]: ...


class Pair(Protocol):
    """One capture and its truth, DN, RGGB with red at the origin."""

    @property
    def noisy(self) -> npt.NDArray[np.uint16]: ...

    @property
    def truth(self) -> npt.NDArray[np.float32]: ...

    @property
    def gain(self) -> float: ...

    @property
    def noise(self) -> NoiseParameters: ...

    @property
    def black_level(self) -> tuple[float, float, float, float]: ...

    @property
    def white_level(self) -> float: ...


class PairSet(Protocol):
    """What ``open_pairs(folder)`` gives back; pairs are read when they are indexed."""

    @property
    def index(self) -> Index: ...

    def __getitem__(self, which: int) -> Pair: ...


def open_dataset(folder: Path, profile: SensorProfile | None = None) -> Dataset:
    """The pairs of ``folder``, with the noise that its index states or the given profile's.

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
        Entry(entry.name, partial(_sample, pairs, which, profile))
        for which, entry in enumerate(pairs.index.pairs)
    )
    told = profile or pairs.index.profile
    note = (
        "noise from the captures' NoiseProfile"
        if profile is None and pairs.index.noise_from == "dng"
        else f"noise by gain from profile {told.name} ({told.provenance})"
    )
    # Pairs may be of simulated captures: only their maker knows.
    return Dataset("pairs", tuple(entries), (note,), noise_kind="as paired")


def _sample(pairs: PairSet, which: int, profile: SensorProfile | None) -> Iterator[Sample]:
    pair, index = pairs[which], pairs.index
    levels = pair.black_level, pair.white_level
    yield Sample(
        name=index.pairs[which].name,
        camera=f"{index.make} {index.model}".strip(),
        level=Level(f"gain {pair.gain:g}", pair.gain),
        noisy=levels_to_signal(pair.noisy.astype(np.float32), *levels),
        truth=levels_to_signal(pair.truth, *levels),
        cfa="RGGB",
        noise=pair.noise if profile is None else profile.noise(pair.gain),
        color=color_of(index.profile.color_matrix, index.profile.as_shot_neutral),
    )
