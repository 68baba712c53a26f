"""The three regressions of a profile: a linear in gain, b quadratic, ln b linear in ln a.

Weighted by the errors of the points. The coefficients of a and b are not negative, so that the
noise is positive at every gain, whatever the points' errors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.optimize import nnls

from fa_mobile.calibration.likelihood import Array
from fa_mobile.errors import UserError

LEAST_GAINS: Final = 3
"""From which a line and a parabola in gain are determined."""
_MODEL_ERROR: Final = 0.01
"""Relative error that every point is allowed besides its own: no regression is exact."""
_LEAST_TYPICAL: Final = 1e-12


Points = tuple[Array, Array]
"""Values and standard errors, [gains] each."""


@dataclass(frozen=True)
class Regressions:
    """Coefficients as in a sensor profile, and what remains: [gains], relative (0.01 is 1 %)."""

    a_linear: tuple[float, float]
    b_quadratic: tuple[float, float, float]
    log_line: tuple[float, float]
    a_residuals: tuple[float, ...]
    b_residuals: tuple[float, ...]
    """Of b in units of the point's standard error, because b may be 0."""
    log_residuals: tuple[float | None, ...]
    """Of ln b; None where b is 0."""


def refuse_few_gains(gains: Sequence[float]) -> None:
    """Raise UserError unless the regressions are determined."""
    if len(gains) < LEAST_GAINS:
        found = ", ".join(f"{gain:g}" for gain in gains) or "none"
        raise UserError(
            f"captures at {len(gains)} gain(s) are usable ({found}); needed are at least "
            f"{LEAST_GAINS} gains for lines and parabolas in gain; capture at more ISO speeds, or "
            "use --from-noise-profile"
        )


def regress(gains: Sequence[float], a: Points, b: Points) -> Regressions:
    """Fit the three regressions.

    Args:
        gains: at least 3, all different.
        a, b: the points and their standard errors.

    Raises:
        UserError: when too few gains are given, or b is above 0 at fewer than 2.
    """
    refuse_few_gains(gains)
    gain = np.asarray(gains, np.float64)
    line = _non_negative(np.stack([gain, np.ones_like(gain)], 1), *_weighted(*a))
    parabola = _non_negative(np.stack([gain**2, gain, np.ones_like(gain)], 1), *_weighted(*b))
    a_fit = line[0] * gain + line[1]
    b_fit = (parabola[0] * gain + parabola[1]) * gain + parabola[2]
    positive = b[0] > 0
    if positive.sum() < 2:
        raise UserError(
            f"the signal-independent noise b is above 0 at {positive.sum()} of {len(gains)} gains; "
            "needed are 2 for its line over a; capture darker patches or higher gains"
        )
    log_a, log_b = np.log(a[0][positive]), np.log(b[0][positive])
    weight = 1 / np.hypot(b[1][positive] / b[0][positive], 10 * _MODEL_ERROR)
    slope, intercept = np.polyfit(log_a, log_b, 1, w=weight)
    rest = iter(log_b - (slope * log_a + intercept))
    return Regressions(
        a_linear=(float(line[0]), float(line[1])),
        b_quadratic=(float(parabola[0]), float(parabola[1]), float(parabola[2])),
        log_line=(float(slope), float(intercept)),
        a_residuals=tuple(float(r) for r in a[0] / a_fit - 1),
        b_residuals=tuple(float(r) for r in (b[0] - b_fit) / np.maximum(b[1], _LEAST_TYPICAL)),
        log_residuals=tuple(float(next(rest)) if above else None for above in positive),
    )


def _weighted(values: Array, errors: Array) -> tuple[Array, Array]:
    return values, 1 / np.maximum(np.hypot(errors, _MODEL_ERROR * values), _LEAST_TYPICAL)


def _non_negative(design: Array, values: Array, weights: Array) -> Array:
    weighted = design * weights[:, None]
    # Columns of one size: nnls compares them with one tolerance.
    size = np.linalg.norm(weighted, axis=0)
    solution, _ = nnls(weighted / size, values * weights)
    return np.asarray(solution / size, np.float64)
