"""Noise at several gains to a sensor profile that says where it comes from."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from pydantic import ValidationError

from fa_mobile.calibration.captures import Skipped
from fa_mobile.calibration.estimate import Interval
from fa_mobile.calibration.platform import Stated, by_gain, disagreement
from fa_mobile.calibration.reading import Scene
from fa_mobile.calibration.regression import Regressions, refuse_few_gains, regress
from fa_mobile.calibration.run import Measured
from fa_mobile.errors import UserError, describe_validation
from fa_mobile.raw_io import RawFrame
from fa_mobile.sensor import SensorProfile

_STATED_ERROR = 0.01
"""Relative error that the regressions take for values that a platform states without one."""


@dataclass(frozen=True)
class Naming:
    """What a profile says besides its noise."""

    like: SensorProfile | None = None
    """Gives name, base ISO, colours and, without captures, levels."""
    name: str | None = None
    gain_range: tuple[float, float] | None = None
    """None: the range of the gains that were measured."""


@dataclass(frozen=True)
class PointAtGain:
    """Noise at one gain with 95 % intervals, and how many frames it comes from."""

    gain: float
    frames: int
    a: Interval
    b: Interval


@dataclass
class Calibration:
    """A profile, and what it was made of."""

    profile: SensorProfile
    points: list[PointAtGain]
    regressions: Regressions
    skipped: list[Skipped]
    warnings: list[str] = field(default_factory=list)
    measured: Measured | None = None
    """None where the platform stated the noise."""


def from_measured(measured: Measured, scene: Scene, naming: Naming) -> Calibration:
    """The profile of measured noise.

    Raises:
        UserError: for fewer than 3 gains, a range that does not fit, or captures without colours.
    """
    points = [
        PointAtGain(gain.gain, gain.frames, gain.estimate.a, gain.estimate.b)
        for gain in measured.gains
    ]
    try:
        refuse_few_gains([point.gain for point in points])
    except UserError as error:
        reasons = "; ".join(f"{s.path.name}: {s.reason}" for s in measured.skipped[:2])
        raise UserError(f"{error}{f' (left out: {reasons})' if reasons else ''}") from error
    regressions = _regressed(points)
    groups = sum(gain.estimate.groups for gain in measured.gains)
    what = {"chart": "patches of charts", "flat": "cells of flat fields",
            "burst": "blocks of frame pairs"}[scene]  # fmt: skip
    source = (
        f"Measured by fa-mobile calibrate: {len(measured.frames)} "
        f"{'pairs of frames' if scene == 'burst' else 'frames'}, gains "
        f"{', '.join(f'{p.gain:g}' for p in points)}, {groups} {what} (times colours), censored "
        f"maximum likelihood. {_fit_words(regressions)}"
    )
    base_iso = measured.base_iso if measured.base_iso is not None else _like_iso(naming)
    profile = _profile(measured.sensor, base_iso, points, regressions, "measured", source, naming)
    return Calibration(
        profile, points, regressions, measured.skipped,
        [*measured.warnings, *_extrapolated(profile, points)], measured,
    )  # fmt: skip


def from_platform(
    stated: Sequence[Stated],
    sensor: RawFrame | None,
    base_iso: float,
    skipped: list[Skipped],
    naming: Naming,
) -> Calibration:
    """The profile of noise that the platform stated; ``sensor`` is None for dumps alone.

    Raises:
        UserError: as :func:`from_measured`, or without a sensor and ``naming.like``.
    """
    groups = by_gain(stated, base_iso)
    refuse_few_gains(list(groups))
    means = {gain: np.mean(noises, axis=0) for gain, noises in groups.items()}
    floor = 1e-3 * max(b for _, b in means.values())
    points = [
        PointAtGain(gain, len(groups[gain]), _stated(a, a), _stated(b, max(b, floor)))
        for gain, (a, b) in means.items()
    ]
    regressions = _regressed(points)
    source = (
        f"Stated by the platform for {len(stated)} captures (DNG NoiseProfile or "
        f"SENSOR_NOISE_PROFILE), gains {', '.join(f'{p.gain:g}' for p in points)}, channels "
        f"merged; not measured here. {_fit_words(regressions)}"
    )
    profile = _profile(sensor, base_iso, points, regressions, "platform", source, naming)
    warnings = [*disagreement(stated), *_extrapolated(profile, points)]
    return Calibration(profile, points, regressions, skipped, warnings)


def _stated(value: float, size: float) -> Interval:
    """A value that came without an error."""
    return Interval(float(value), float(_STATED_ERROR * size), float(value), float(value))


def _regressed(points: Sequence[PointAtGain]) -> Regressions:
    a, b = ([p.a for p in points], [p.b for p in points])
    return regress(
        [p.gain for p in points],
        (np.array([v.value for v in a]), np.array([v.error for v in a])),
        (np.array([v.value for v in b]), np.array([v.error for v in b])),
    )


def _fit_words(regressions: Regressions) -> str:
    logs = [abs(r) for r in regressions.log_residuals if r is not None]
    return (
        f"Largest residuals of the regressions: a {max(map(abs, regressions.a_residuals)):.1%}, "
        f"b {max(map(abs, regressions.b_residuals)):.1f} standard errors, ln b over ln a "
        f"{max(logs):.2f}."
    )


def _like_iso(naming: Naming) -> float:
    if naming.like is None:
        raise UserError("the captures have no ISO; give --base-iso, the ISO speed at gain 1")
    return naming.like.base_iso


def _extrapolated(profile: SensorProfile, points: Sequence[PointAtGain]) -> list[str]:
    low, high = profile.gain_range
    first, last = points[0].gain, points[-1].gain
    if low >= first and high <= last:
        return []
    return [
        f"the profile's gains {low:g}..{high:g} reach beyond those of the captures, "
        f"{first:g}..{last:g}: there the noise is extrapolated"
    ]


def _profile(
    sensor: RawFrame | None,
    base_iso: float,
    points: Sequence[PointAtGain],
    regressions: Regressions,
    provenance: Literal["measured", "platform"],
    source: str,
    naming: Naming,
) -> SensorProfile:
    like = naming.like
    camera = sensor or like
    if camera is None:
        raise UserError(
            "dumps do not say levels and colours of the sensor; give --like with a profile that "
            "does"
        )
    matrix = like.color_matrix if like is not None else camera.color_matrix
    neutral = like.as_shot_neutral if like is not None else camera.as_shot_neutral
    if matrix is None or neutral is None:
        raise UserError(
            "the captures hold no colour matrix or neutral; give --like with a profile that does"
        )
    make = camera.make or (like.make if like else "")
    model = camera.model or (like.model if like else "")
    name = naming.name or (like.name if like else None) or _slug(f"{make} {model}")
    depth = max(8, math.ceil(math.log2(camera.white_level + 1)))
    try:
        return SensorProfile(
            name=name, make=make, model=model, cfa=camera.cfa, bit_depth=depth,
            black_level=camera.black_level, white_level=camera.white_level, base_iso=base_iso,
            gain_range=naming.gain_range or (points[0].gain, points[-1].gain),
            a_linear=regressions.a_linear, b_quadratic=regressions.b_quadratic,
            log_line=regressions.log_line, provenance=provenance, source=source,
            color_matrix=matrix, as_shot_neutral=neutral,
        )  # fmt: skip
    except ValidationError as error:
        raise UserError(
            f"the result is no valid profile ({describe_validation(error)}); check --name, "
            "--gain-range and --base-iso"
        ) from error


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:64] or "sensor"
