"""The platform's own noise profiles: tags of DNG files, or dumps of Android captures.

A dump is a JSON file, a list of captures or ``{"captures": [...]}``::

    {"iso": 400, "noise_profile": [[S, O], [S, O], [S, O], [S, O]]}

``noise_profile`` is Android's ``CaptureResult.SENSOR_NOISE_PROFILE``: one pair for each channel,
variance = S x + O for a signal x of 0..1; 1, 3 or 4 pairs, or their numbers in a flat list.
Other keys are let be.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from fa_mobile.errors import UserError, describe_validation
from fa_mobile.noise import NoiseParameters

_MOST_BYTES: Final = 16 * 2**20
_MOST_CAPTURES: Final = 100_000
_DISAGREE: Final = 0.05
"""Share by which channels may differ from their mean unremarked."""

_Shot = Annotated[float, Field(gt=0, le=10, allow_inf_nan=False)]
_Read = Annotated[float, Field(ge=0, le=10, allow_inf_nan=False)]


class _Capture(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    iso: Annotated[float, Field(gt=0, le=1e8, allow_inf_nan=False)]
    noise_profile: Annotated[list[tuple[_Shot, _Read]], Field(min_length=1, max_length=4)]

    @field_validator("noise_profile", mode="before")
    @classmethod
    def _paired(cls, value: Any) -> Any:
        """A flat list of numbers in pairs; anything else is left to the schema."""
        flat = isinstance(value, list) and value and not any(isinstance(v, list) for v in value)
        if flat and len(value) in (2, 6, 8):
            return [value[at : at + 2] for at in range(0, len(value), 2)]
        return value


class _Dump(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    captures: Annotated[list[_Capture], Field(min_length=1, max_length=_MOST_CAPTURES)]


@dataclass(frozen=True)
class Stated:
    """The noise that the platform stated for one capture, its channels merged."""

    iso: float
    noise: NoiseParameters
    apart: float
    """How far the channels' a or b lie from their mean, relative (0.05 is 5 %)."""


def read_dump(path: Path) -> list[Stated]:
    """Read a dump of captures.

    Raises:
        UserError: when the file cannot be read or is not such a dump.
    """
    try:
        size = path.stat().st_size
        if size > _MOST_BYTES:
            raise UserError(
                f"{path} has {size} bytes; allowed are dumps of up to {_MOST_BYTES}; keep the ISO "
                "and the noise profile of each capture only"
            )
        data = json.loads(path.read_text(encoding="utf-8"))
        dump = _Dump.model_validate({"captures": data} if isinstance(data, list) else data)
    except OSError as error:
        raise UserError(
            f"{path} cannot be read ({error.strerror}); check its permissions"
        ) from error
    except (UnicodeDecodeError, RecursionError, json.JSONDecodeError) as error:
        raise UserError(
            f"{path} is not JSON ({error}); allowed is a list of captures with iso and "
            "noise_profile"
        ) from error
    except ValidationError as error:
        raise UserError(
            f"{path}: {_first(describe_validation(error))}; allowed is a list of captures with iso "
            "and noise_profile"
        ) from error
    return [_merged(capture) for capture in dump.captures]


def _first(problems: str) -> str:
    """The first few of what may be thousands of problems."""
    shown, *rest = problems.split("; ", 3)
    return "; ".join([shown, *rest[:2]]) + ("; and more" if len(rest) > 2 else "")


def _merged(capture: _Capture) -> Stated:
    pairs = np.array(capture.noise_profile)
    mean = pairs.mean(axis=0)
    apart = np.abs(pairs - mean).max(axis=0) / np.maximum(mean, 1e-12)
    return Stated(capture.iso, NoiseParameters(*map(float, mean)), float(apart.max()))


def by_gain(stated: Sequence[Stated], base_iso: float) -> dict[float, list[NoiseParameters]]:
    """The (a, b) of the captures of each gain, by rising gain."""
    groups: dict[float, list[NoiseParameters]] = {}
    for one in sorted(stated, key=lambda one: one.iso):
        groups.setdefault(float(f"{one.iso / base_iso:.6g}"), []).append(one.noise)
    return groups


def disagreement(stated: Sequence[Stated]) -> list[str]:
    """A line where the channels of a capture differ much: the profile holds their mean."""
    far = [one for one in stated if one.apart > _DISAGREE]
    if not far:
        return []
    worst = max(far, key=lambda one: one.apart)
    return [
        f"the channels of {len(far)} of {len(stated)} captures differ by more than "
        f"{_DISAGREE:.0%} from their mean (most, {worst.apart:.0%}, at ISO {worst.iso:g}); "
        "the profile holds the mean"
    ]
