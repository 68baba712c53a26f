"""The statistics against scipy and numpy."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from fa_mobile.bench.statistics import mann_whitney, p90, round_ratios, smallest_p


@pytest.mark.parametrize(("n", "m"), [(1, 1), (3, 5), (7, 7), (15, 15), (25, 20)])
@pytest.mark.parametrize("shift", [0.0, 0.5, 3.0])
def test_exact_p_is_scipys(n: int, m: int, shift: float) -> None:
    rng = np.random.default_rng(n * 100 + m)
    x, y = rng.normal(shift, 1, n).tolist(), rng.normal(0, 1, m).tolist()
    wanted = scipy.stats.mannwhitneyu(x, y, method="exact").pvalue
    assert mann_whitney(x, y) == pytest.approx(wanted, rel=1e-9)


@pytest.mark.parametrize(("n", "m"), [(8, 8), (15, 12), (60, 60)])
@pytest.mark.parametrize("levels", [3, 10, 1000])
def test_p_with_ties_is_scipys(n: int, m: int, levels: int) -> None:
    rng = np.random.default_rng(levels)
    x, y = (rng.integers(0, levels, count).astype(float).tolist() for count in (n, m))
    x[0] = y[0]  # a tie in any case
    wanted = scipy.stats.mannwhitneyu(x, y, method="asymptotic").pvalue
    assert mann_whitney(x, y) == pytest.approx(wanted, rel=1e-9)


def test_equal_values_say_nothing() -> None:
    assert mann_whitney([1.0] * 9, [1.0] * 9) == 1.0


def test_smallest_p_is_reached_and_decides_how_many_rounds_a_gate_needs() -> None:
    for n in (5, 6, 7):
        low, high = [float(i) for i in range(n)], [float(i + n) for i in range(n)]
        assert mann_whitney(low, high) == pytest.approx(smallest_p(n, n))
    assert smallest_p(6, 6) > 0.002 > smallest_p(7, 7)


@pytest.mark.parametrize("count", [1, 2, 9, 10, 11, 100])
def test_p90_is_numpys(count: int) -> None:
    values = np.random.default_rng(count).random(count).tolist()
    assert p90(values) == pytest.approx(np.percentile(values, 90))


def test_round_ratios_cancel_what_slows_a_whole_round() -> None:
    assert round_ratios([2.0, 20.0], [1.0, 10.0]) == [2.0, 2.0]
    with pytest.raises(ValueError):
        round_ratios([1.0], [1.0, 2.0])


def test_no_samples_are_refused() -> None:
    with pytest.raises(ValueError):
        mann_whitney([], [1.0])
    with pytest.raises(ValueError):
        p90([])
