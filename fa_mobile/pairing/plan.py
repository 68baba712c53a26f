"""Which gain and exposure time to take each capture of a scene with."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Literal

from fa_mobile.errors import UserError
from fa_mobile.sensor import SensorProfile

MAINS: Final = (50, 60)
_NEAR: Final = 0.05
"""Share by which a planned gain may differ from the wanted one without a word."""
_LONGEST: Final = 600.0


@dataclass(frozen=True)
class Limits:
    """What light and camera allow."""

    mains: int | None = None
    """Hz. Lamps on it flicker twice a period: exposures are multiples of 1/100 or 1/120 s."""
    longest: Fraction | None = None
    """Seconds: what the frame rate or the camera's program leaves."""


@dataclass(frozen=True)
class Planned:
    """One capture to take."""

    role: Literal["long", "short"]
    wanted_gain: float
    gain: float
    iso: float
    seconds: Fraction
    warnings: tuple[str, ...]


def parse_seconds(text: str) -> Fraction:
    """``1/30``, ``0.25`` or ``2`` as seconds.

    Raises:
        UserError: for anything else.
    """
    try:
        seconds = Fraction(text)
    except (ValueError, ZeroDivisionError):
        seconds = Fraction(0)
    if not 0 < seconds <= _LONGEST:
        raise UserError(
            f"an exposure of {text!r} was given; allowed are seconds above 0 and up to "
            f"{_LONGEST:g}, such as 1/30, 0.25 or 2"
        )
    return seconds


def plan_captures(
    profile: SensorProfile,
    long_gain: float,
    long_exposure: Fraction,
    short_gains: Sequence[float],
    limits: Limits,
) -> list[Planned]:
    """Plan the long capture and a short one for each gain, gain x exposure time alike in all.

    Under lamps, each time is brought to the nearest multiple of their flicker's period, and the
    gain to what keeps the product. What cannot be reached stays in the plan, with a warning.

    Args:
        profile: of the sensor: its gains, and the ISO number of each.
        long_gain, long_exposure: of the long capture, as metered for the scene.
        short_gains: wanted; each at least the long one.
        limits: see :class:`Limits`.

    Raises:
        UserError: for gains or mains that are not allowed.
    """
    if limits.mains is not None and limits.mains not in MAINS:
        raise UserError(f"--mains {limits.mains} was given; allowed are 50 and 60 (Hz)")
    for gain in (long_gain, *short_gains):
        if not (math.isfinite(gain) and gain > 0):
            raise UserError(f"gain {gain} was given; allowed are finite numbers above 0")
    if wrong := [gain for gain in short_gains if gain < long_gain]:
        raise UserError(
            f"short gain {wrong[0]:g} is below the long one, {long_gain:g}; the short exposure has "
            "the higher gain"
        )
    if not short_gains:
        raise UserError("no short gain was given; give --short-gain, once for each")
    product = Fraction(long_gain) * long_exposure
    long = _planned("long", long_gain, product, profile, limits)
    product = Fraction(long.gain) * long.seconds
    shorts = (_planned("short", gain, product, profile, limits) for gain in sorted(short_gains))
    return [long, *shorts]


def _planned(
    role: Literal["long", "short"],
    wanted: float,
    product: Fraction,
    profile: SensorProfile,
    limits: Limits,
) -> Planned:
    seconds = product / Fraction(wanted)
    warnings = []
    if limits.mains is not None:
        period = Fraction(1, 2 * limits.mains)
        # Down where the longest allowed time cuts the nearest multiple off.
        count = round(seconds / period)
        if limits.longest is not None:
            count = min(count, math.floor(limits.longest / period))
        if seconds < period / 2 or count == 0:
            warnings.append(
                f"shorter than the flicker of {limits.mains} Hz lamps ({period} s): bands; take "
                "daylight, or a light without flicker"
            )
        else:
            seconds = count * period
    if limits.longest is not None and seconds > limits.longest:
        warnings.append(
            f"longer than the {limits.longest} s allowed: not reachable; "
            + (
                f"more light, or gain {float(product / limits.longest):.3g} for the long capture"
                if role == "long"
                else f"gain {float(product / limits.longest):.3g} or more"
            )
        )
    gain = float(product / seconds)
    low, high = profile.gain_range
    if not low <= gain <= high * (1 + 1e-9):
        warnings.append(f"gain {gain:.3g} is beyond the profile's {low:g} to {high:g}")
    if abs(gain / wanted - 1) > _NEAR:
        warnings.append(f"gain {gain:.3g} instead of {wanted:g}, to keep gain x time")
    return Planned(role, wanted, gain, gain * profile.base_iso, seconds, tuple(warnings))


def shown_seconds(seconds: Fraction) -> str:
    """As cameras show times: ``1/125 s``, or ``0.3 s`` from a quarter of a second on."""
    if seconds >= Fraction(1, 4):
        return f"{float(seconds):.3g} s"
    return f"1/{float(1 / seconds):.3g} s"
