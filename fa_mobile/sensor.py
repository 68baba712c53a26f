"""Sensor profiles: geometry, levels and the noise of a RAW sensor as a function of its gain."""

from __future__ import annotations

import json
import math
from functools import cache
from pathlib import Path
from typing import Annotated, Final, Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from fa_mobile.bayer import CfaPattern
from fa_mobile.errors import UserError, describe_validation
from fa_mobile.noise import NoiseParameters

PROFILE_SCHEMA: Final = 1
_BUILT_IN: Final = Path(__file__).parent / "profiles"

Finite = Annotated[float, Field(allow_inf_nan=False)]


class GainWarning(UserWarning):
    """A gain outside the profile's range: the model of the nearest end serves it."""


class SensorProfile(BaseModel):
    """What fa-mobile must know of a sensor. Signal levels are DN as read from the file.

    ``a_linear`` = (a1, a0) with a(gain) = a1 gain + a0; ``b_quadratic`` = (b2, b1, b0) with
    b(gain) = b2 gain^2 + b1 gain + b0, both for the signal normalised to 0..1 between black and
    white (arXiv 2103.01524, section 3.4 and supplement). ``log_line`` = (slope, intercept) of
    ln b over ln a, from which training draws.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: Literal[1] = PROFILE_SCHEMA
    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
    make: str
    model: str
    cfa: CfaPattern
    bit_depth: Annotated[int, Field(ge=8, le=16)]
    black_level: tuple[Finite, Finite, Finite, Finite]
    """DN of black in R, Gr, Gb, B order."""
    white_level: Finite
    base_iso: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    """ISO speed at gain 1."""
    gain_range: tuple[Finite, Finite]
    a_linear: tuple[Finite, Finite]
    b_quadratic: tuple[Finite, Finite, Finite]
    log_line: tuple[Finite, Finite]
    provenance: Literal["measured", "platform", "derived"]
    source: str
    color_matrix: tuple[Finite, ...] = Field(min_length=9, max_length=9)
    """XYZ (D65) to camera RGB, row-major: DNG's ColorMatrix1."""
    as_shot_neutral: tuple[Finite, Finite, Finite]
    """Camera RGB of a neutral under daylight, green = 1."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        low, high = self.gain_range
        if not 0 < low < high:
            raise ValueError(f"gain_range must rise from above 0, got {low}..{high}")
        if min(self.black_level) < 0 or max(self.black_level) >= self.white_level:
            raise ValueError(
                f"black_level {self.black_level} must be at least 0 and below "
                f"white_level {self.white_level}"
            )
        if self.white_level > 2**self.bit_depth - 1:
            raise ValueError(
                f"white_level {self.white_level} does not fit in {self.bit_depth} bits"
            )
        for gain in np.geomspace(low, high, 33):
            a, b = self.noise(float(gain))
            if a <= 0 or b < 0:
                raise ValueError(f"noise at gain {gain:.3g} is a={a:.3g}, b={b:.3g}: not a noise")
        return self

    def gain_at(self, a: float) -> float:
        """The gain at which the noise has this ``a``; it may lie outside the profile's range.

        Raises:
            ZeroDivisionError: for a profile whose a does not depend on the gain.
        """
        a1, a0 = self.a_linear
        return (a - a0) / a1

    def noise(self, gain: float) -> NoiseParameters:
        """(a, b) at ``gain``, in double precision."""
        a1, a0 = self.a_linear
        b2, b1, b0 = self.b_quadratic
        return NoiseParameters(a1 * gain + a0, (b2 * gain + b1) * gain + b0)

    def a_float32(self, gain: float | np.float32) -> np.float32:
        """a(gain) in the very float32 steps of the exported graph; selection depends on it."""
        a1, a0 = (np.float32(c) for c in self.a_linear)
        return np.float32(np.float32(a1 * np.float32(gain)) + a0)

    def line_b(self, a: float) -> float:
        """b on the log-log line at ``a``."""
        slope, intercept = self.log_line
        return math.exp(slope * math.log(a) + intercept)

    @property
    def a_range(self) -> tuple[float, float]:
        """a at the ends of the gain range."""
        low, high = self.gain_range
        return self.noise(low).a, self.noise(high).a

    @property
    def span(self) -> tuple[float, float, float, float]:
        """white - black in DN, R, Gr, Gb, B order."""
        r, gr, gb, b = (self.white_level - black for black in self.black_level)
        return r, gr, gb, b

    @property
    def pedestal(self) -> float:
        """The lowest normalised value that a file can hold: DN 0, <= 0."""
        return -max(black / span for black, span in zip(self.black_level, self.span, strict=True))

    def to_json(self) -> str:
        """The profile as indented JSON."""
        return self.model_dump_json(indent=2) + "\n"


def profile_from_json(text: str, *, source: str) -> SensorProfile:
    """Parse a profile.

    Raises:
        UserError: naming ``source`` and every field that is wrong.
    """
    try:
        return SensorProfile.model_validate(json.loads(text))
    except json.JSONDecodeError as error:
        raise UserError(f"sensor profile {source} is not JSON: {error}") from error
    except ValidationError as error:
        raise UserError(f"sensor profile {source}: {describe_validation(error)}") from error


@cache
def built_in_profiles() -> tuple[str, ...]:
    """Names of the profiles that the package ships."""
    return tuple(sorted(path.stem for path in _BUILT_IN.glob("*.json")))


def load_profile(name_or_path: str | Path) -> SensorProfile:
    """A built-in profile by name, or a JSON file by path.

    Raises:
        UserError: when there is no such profile or its contents are wrong.
    """
    built_in = str(name_or_path) in built_in_profiles()
    path = _BUILT_IN / f"{name_or_path}.json" if built_in else Path(name_or_path)
    if not path.is_file():
        raise UserError(
            f"sensor profile {str(name_or_path)!r} was not found: allowed are "
            f"{', '.join(built_in_profiles())} or the path of a JSON file"
        )
    return profile_from_json(path.read_text(encoding="utf-8"), source=str(name_or_path))
