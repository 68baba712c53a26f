"""The PMRID benchmark: frames of an OPPO Reno 10x with the regions in which they are scored.

Y. Wang et al., "Practical Deep Raw Image Denoising on Mobile Devices", ECCV 2020; the format is
told by the README and the benchmark program of their repository (MegEngine/PMRID).
``benchmark.json`` is a list of {``input``, ``gt``, ``meta``}: two bare dumps of little-endian
uint16, 0 black (subtracted) and 65535 white, and of ``meta`` the ISO speed, the Bayer pattern, the
shape, ``wb_gain`` (red, green, blue), ``CCM`` (camera RGB to sRGB) and ``ROIs`` (left, top, right,
bottom in mosaic pixels of the frame as stored). The noise follows from the ISO speed through the
calibration that they released, the profile oppo-reno-10x.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Final

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from fa_mobile import isp
from fa_mobile.bayer import CfaPattern
from fa_mobile.datasets.color import LEAST_DETERMINANT
from fa_mobile.datasets.known_noise import ProfileNoise
from fa_mobile.datasets.paths import inside
from fa_mobile.datasets.sample import Dataset, Entry, Region, Sample, Signal
from fa_mobile.datasets.sidd import iso_level
from fa_mobile.errors import UserError, describe_validation
from fa_mobile.raw_io import normalize, read_headerless
from fa_mobile.sensor import Finite, SensorProfile, load_profile

INDEX: Final = "benchmark.json"
CAMERA: Final = "OPPO Reno 10x"
WHITE: Final = 65535.0
_PROFILE: Final = "oppo-reno-10x"
_MAX_INDEX: Final = 16 << 20

Side = Annotated[int, Field(ge=2, le=32768)]
Positive = Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)]
Triple = tuple[Finite, Finite, Finite]


class Meta(BaseModel):
    """What is used of ``meta``; other fields (scene, light, exposure time) are ignored."""

    model_config = ConfigDict(frozen=True)

    name: Annotated[str, Field(max_length=200)]
    ISO: Positive
    bayer_pattern: CfaPattern
    shape: tuple[Side, Side]
    wb_gain: tuple[Positive, Positive, Positive]
    CCM: tuple[Triple, Triple, Triple]
    ROIs: Annotated[list[tuple[int, int, int, int]], Field(max_length=1000)]


class Case(BaseModel):
    """One element of the index."""

    model_config = ConfigDict(frozen=True)

    input: Annotated[str, Field(max_length=1000)]
    gt: Annotated[str, Field(max_length=1000)]
    meta: Meta


def open_dataset(folder: Path, profile: SensorProfile | None = None) -> Dataset:
    """The cases of ``folder``/benchmark.json.

    Raises:
        UserError: when the index is missing or no list of cases.
    """
    noise = ProfileNoise(profile or load_profile(_PROFILE))
    items = _index(folder / INDEX)
    entries = (
        Entry(f"case {number}", partial(_case, folder, item, noise), 1)
        for number, item in enumerate(items, start=1)
    )
    return Dataset("pmrid", tuple(entries), (noise.note, "scored in the benchmark's own regions"))


def _index(path: Path) -> Sequence[object]:
    if not path.is_file():
        raise UserError(f"{path.parent} has no {INDEX}; give the folder of the unpacked PMRID.7z")
    if path.stat().st_size > _MAX_INDEX:
        raise UserError(f"{path} is larger than {_MAX_INDEX >> 20} MiB; get the index again")
    try:
        items = json.loads(path.read_text(encoding="utf-8"))
        return TypeAdapter(list[object]).validate_python(items)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is not a JSON list of cases; get the index again") from error


def _case(folder: Path, item: object, noise: ProfileNoise) -> Iterator[Sample]:
    try:
        case = Case.model_validate(item)
    except ValidationError as error:
        raise UserError(f"{INDEX}: {describe_validation(error)}") from error
    meta = case.meta
    yield Sample(
        name=meta.name,
        camera=CAMERA,
        level=iso_level(meta.ISO),
        noisy=_signal(folder, case.input, meta),
        truth=_signal(folder, case.gt, meta),
        cfa=meta.bayer_pattern,
        noise=noise.at(CAMERA, meta.ISO),
        color=_color(meta),
        rois=tuple(Region(top, left, bottom, right) for left, top, right, bottom in meta.ROIs),
    )


def _signal(folder: Path, name: str, meta: Meta) -> Signal:
    path = inside(folder, name)
    frame = read_headerless(
        path, shape=meta.shape, cfa=meta.bayer_pattern, black_level=(0,) * 4, white_level=WHITE
    )
    return normalize(frame)


def _color(meta: Meta) -> isp.ColorPipeline:
    matrix = np.asarray(meta.CCM, np.float64)
    if abs(np.linalg.det(matrix)) < LEAST_DETERMINANT:
        raise UserError(f"{meta.name}: the colour matrix {meta.CCM} has no inverse")
    red, green, blue = meta.wb_gain
    return isp.ColorPipeline(
        np.asarray(np.linalg.inv(matrix), np.float32), red / green, blue / green, brightness=green
    )
