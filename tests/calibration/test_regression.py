from __future__ import annotations

import numpy as np
import pytest

from fa_mobile.calibration.regression import regress
from fa_mobile.errors import UserError

GAINS = np.array([1.0, 2, 4, 8, 16, 32, 64])
A = 2e-4 * GAINS + 1e-5
B = 2e-7 * GAINS**2 + 5e-8 * GAINS + 3e-7


def test_exact_points_give_the_coefficients() -> None:
    fit = regress(GAINS.tolist(), (A, 0.001 * A), (B, 0.01 * B))
    assert fit.a_linear == pytest.approx((2e-4, 1e-5), rel=1e-6)
    assert fit.b_quadratic == pytest.approx((2e-7, 5e-8, 3e-7), rel=1e-5)
    assert max(map(abs, fit.a_residuals)) < 1e-6 and max(map(abs, fit.b_residuals)) < 1e-3
    slope, intercept = fit.log_line
    left = np.log(B) - (slope * np.log(A) + intercept)
    assert fit.log_residuals == pytest.approx(tuple(left), abs=1e-9)
    assert abs(left.mean()) < 0.05 < left.max() < 1


def test_a_power_law_gives_a_straight_log_line() -> None:
    a, b = 3e-4 * GAINS, np.exp(1.8 * np.log(3e-4 * GAINS) + 0.5)
    fit = regress(GAINS.tolist(), (a, 0.01 * a), (b, 0.01 * b))
    assert fit.log_line == pytest.approx((1.8, 0.5), abs=1e-6)


def test_exact_points_outweigh_vague_ones() -> None:
    off, error = A.copy(), 0.001 * A
    off[3] *= 1.5
    error[3] = off[3]
    fit = regress(GAINS.tolist(), (off, error), (B, 0.01 * B))
    assert fit.a_linear[0] == pytest.approx(2e-4, rel=2e-3)
    assert fit.a_residuals[3] == pytest.approx(0.5, abs=0.01)


def test_noise_is_positive_at_every_gain() -> None:
    """Points through which the free parabola would dip below 0."""
    b = np.array([5e-7, 1e-9, 1e-6])
    gains = np.array([1.0, 4, 16])
    fit = regress(gains.tolist(), (2e-4 * gains - 1.9e-4, 1e-7 * gains), (b, 0.01 * b))
    assert min(fit.a_linear) >= 0 and min(fit.b_quadratic) >= 0
    assert sum(fit.a_linear) > 0 and sum(fit.b_quadratic) > 0


def test_b_of_zero_stays_out_of_the_logarithms() -> None:
    b = B.copy()
    b[0] = 0
    fit = regress(GAINS.tolist(), (A, 0.01 * A), (b, np.full(7, 1e-7)))
    assert fit.log_residuals[0] is None and None not in fit.log_residuals[1:]
    with pytest.raises(UserError, match="above 0 at 1 of 7 gains; needed are 2"):
        regress(GAINS.tolist(), (A, 0.01 * A), (np.eye(7)[3] * 1e-6, np.full(7, 1e-7)))


def test_two_gains_are_too_few() -> None:
    with pytest.raises(UserError, match=r"2 gain\(s\) are usable \(1, 4\); needed are at least 3"):
        regress([1, 4], (A[:2], A[:2]), (B[:2], B[:2]))
