"""(a, b) and their 95 % intervals from counted samples, by maximum likelihood.

Outliers (hot and dead pixels, dust) are a share of the samples that may lie anywhere or at an end
of the range; the shares are estimated with the noise, so that nothing has to be cut off and no
cut biases the variance. What fitting the regions' means took of the freedom is given back as in
restricted maximum likelihood. The intervals come from the sandwich of curvature and the spread of
the regions' scores, which also holds where the regions are not quite as flat as they should be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from scipy.optimize import lsq_linear, minimize
from scipy.stats import t as student

from fa_mobile.calibration.likelihood import Array, Counted, deviation
from fa_mobile.errors import UserError
from fa_mobile.noise import NoiseParameters

CONFIDENCE: Final = 0.95
LEAST_GROUPS: Final = 6
"""Regions (times colours) from which a and b can be told apart."""
LEAST_CONTRAST: Final = 1.8
"""Brightest over darkest region that tells a from b."""
_STRAYS: Final = 1e-4
"""Share of each kind of outlier to begin with."""
_ROUNDS: Final = 4
_LEAST_A: Final = 1e-3
"""a is searched above this share of its first estimate."""
_STEP: Final = 2e-3
"""Of differentiation, in units of the first estimates."""


class Interval(NamedTuple):
    """A value, its standard error and its 95 % interval."""

    value: float
    error: float
    low: float
    high: float


@dataclass(frozen=True)
class Estimate:
    """The noise of one frame, or of several at one gain, normalised."""

    a: Interval
    b: Interval
    strays: float
    """Share of samples that are outliers."""
    groups: int
    samples: int

    @property
    def noise(self) -> NoiseParameters:
        return NoiseParameters(self.a.value, self.b.value)


def moment_estimate(means: Array, variances: Array, weights: Array) -> NoiseParameters:
    """The least-squares line of variance over mean, not below 0; knows nothing of clipping.

    Args:
        means, variances: [G] of regions, normalised.
        weights: [G] samples of each; the error of a variance is in proportion to itself.
    """
    size = np.maximum(variances, 1e-9)
    fitted = size
    for _ in range(3):  # weights from the line, not from the very errors that they judge
        root = np.sqrt(weights) / np.maximum(fitted, 1e-9)
        design = np.stack([np.maximum(means, 0), np.ones_like(means)], axis=1)
        scale = np.array([1.0, max(float(size.min()), 1e-9)])
        found = lsq_linear(design * scale * root[:, None], variances * root, bounds=(0, np.inf))
        slope, floor = (float(v) for v in found.x * scale)
        fitted = slope * np.maximum(means, 0) + floor
    return NoiseParameters(max(slope, 1e-9), max(floor, 0.0))


def refuse_if_undetermined(intensity: Array) -> None:
    """Raise UserError unless regions of these signals [G] tell a from b."""
    bright = intensity[intensity > 0]
    contrast = float(bright.max() / max(bright.min(), 1e-3)) if len(bright) else 0.0
    if len(intensity) < LEAST_GROUPS:
        raise UserError(
            f"{len(intensity)} flat regions (counting colours) are usable; needed are at least "
            f"{LEAST_GROUPS}; take a chart that fills more of the frame and is not saturated"
        )
    if contrast < LEAST_CONTRAST:
        raise UserError(
            f"the brightest flat region is {contrast:.2f} times the darkest; needed is at least "
            f"{LEAST_CONTRAST}; take a chart with dark and bright patches, or several exposures"
        )


def estimate(counted: Counted, start: NoiseParameters) -> Estimate:
    """Maximum likelihood from a first estimate.

    Raises:
        UserError: when too few regions or intensities were given.
    """
    refuse_if_undetermined(counted.intensity)
    # In units of the first estimate (of a typical variance for b), both are of the order of 1.
    typical = start.a * float(np.median(np.maximum(counted.intensity, 1e-3))) + start.b
    unit = np.array([start.a, typical])
    at = np.array([1.0, start.b / typical])
    shares = np.full(3, _STRAYS)
    for _ in range(_ROUNDS):
        shares = _stray_shares(counted, _noise(at, unit), shares)
        found = minimize(
            lambda x, shares=shares: -float(_per_group(counted, x, unit, shares).sum()),
            at,
            method="L-BFGS-B",
            bounds=[(_LEAST_A, None), (0, None)],
            options={"ftol": 1e-10, "gtol": 1e-4, "eps": 1e-5},
        )
        moved = np.abs(found.x - at).max()
        at = np.asarray(found.x)
        if moved < 1e-5:
            break
    errors, freedom = _errors(counted, at, unit, shares)
    a, b = (
        _interval(value * u, error * u, freedom)
        for value, error, u in zip(at, errors, unit, strict=True)
    )
    return Estimate(a, b, float(shares.sum()), len(counted.intensity), int(counted.counts.sum()))


def _interval(value: float, error: float, freedom: int) -> Interval:
    reach = float(student.ppf((1 + CONFIDENCE) / 2, freedom)) * error
    return Interval(
        float(value), float(error), max(0.0, float(value - reach)), float(value + reach)
    )


def _noise(at: Array, unit: Array) -> NoiseParameters:
    return NoiseParameters(float(at[0] * unit[0]), float(at[1] * unit[1]))


def _per_group(counted: Counted, at: Array, unit: Array, shares: Array) -> Array:
    """[G]: log likelihood of each group, with the freedom its mean took given back."""
    noise = _noise(at, unit)
    chance = (1 - shares.sum()) * counted.probabilities(noise) + counted.strays @ shares
    terms = counted.counts * np.log(np.maximum(chance, 1e-300))
    total = np.bincount(counted.groups, terms, minlength=len(counted.intensity))
    return np.asarray(total + counted.spent * np.log(deviation(counted.intensity, noise)))


def _stray_shares(counted: Counted, noise: NoiseParameters, shares: Array) -> Array:
    """Shares of the kinds of outliers by expectation and maximisation."""
    regular = counted.probabilities(noise)
    size = counted.counts.sum()
    for _ in range(20):
        each = counted.strays * shares
        chance = (1 - shares.sum()) * regular + each.sum(axis=1)
        shares = (counted.counts / np.maximum(chance, 1e-300)) @ each / size
    return np.maximum(shares, 1e-9)


def _errors(counted: Counted, at: Array, unit: Array, shares: Array) -> tuple[Array, int]:
    """Standard errors of both (in their units), and the degrees of freedom for the intervals."""
    around = at.copy()
    around[1] = max(around[1], 2 * _STEP)  # differences need room above 0

    def value(*moves: tuple[int, float]) -> Array:
        point = around.copy()
        for axis, size in moves:
            point[axis] += size * _STEP
        return _per_group(counted, point, unit, shares)

    centre = value().sum()
    scores = np.stack([(value((k, 1)) - value((k, -1))) / (2 * _STEP) for k in (0, 1)], axis=1)
    curvature = np.empty((2, 2))
    for k in (0, 1):
        curvature[k, k] = (value((k, 1)).sum() - 2 * centre + value((k, -1)).sum()) / _STEP**2
    corners: Sequence[tuple[int, int]] = ((1, 1), (-1, -1), (1, -1), (-1, 1))
    mixed = sum(i * j * value((0, i), (1, j)).sum() for i, j in corners)
    curvature[0, 1] = curvature[1, 0] = mixed / (4 * _STEP**2)
    inverse = np.linalg.pinv(-curvature)
    groups = len(scores)
    scores = scores - scores.mean(axis=0)
    spread = scores.T @ scores * groups / max(groups - 2, 1)
    # The larger of what the model promises and what the regions show.
    both = np.maximum(np.diag(inverse), np.diag(inverse @ spread @ inverse))
    return np.sqrt(np.maximum(both, 0)), max(groups - 2, 1)
