from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fa_mobile.selection import Edges, select

edge_sets = st.lists(st.floats(2.0**-20, 1.0, width=32), min_size=0, max_size=6, unique=True).map(
    lambda values: tuple(sorted(values))
)
anything = st.floats(width=32, allow_nan=False)


@given(anything, edge_sets)
def test_every_number_selects_a_member(a: float, edges: Edges) -> None:
    assert 0 <= select(a, edges) <= len(edges)


@given(anything, anything, edge_sets)
def test_more_noise_never_selects_a_lower_member(first: float, second: float, edges: Edges) -> None:
    low, high = sorted((first, second))
    assert select(low, edges) <= select(high, edges)


@given(edge_sets)
def test_exact_at_the_edges_in_float32(edges: Edges) -> None:
    for index, edge in enumerate(edges):
        value = np.float32(edge)
        assert select(value, edges) == index + 1
        below = np.nextafter(value, np.float32(-np.inf))
        assert select(below, edges) == index
        above = np.nextafter(value, np.float32(np.inf))
        following = np.float32(edges[index + 1]) if index + 1 < len(edges) else np.float32(np.inf)
        assert select(above, edges) == (index + 2 if above >= following else index + 1)


def test_compares_in_float32_not_in_double() -> None:
    edge = 0.1  # float32(0.1) is above the double 0.1
    just_below = 0.1 - 1e-12  # rounds to float32(0.1)
    assert select(just_below, (edge,)) == 1


@pytest.mark.parametrize(
    ("a", "wanted"),
    [
        (float("inf"), 2),
        (float("-inf"), 0),
        (float("nan"), 0),
        (np.float32(1e-45), 0),
        (5e-324, 0),
        (-0.0, 0),
    ],
)
def test_extremes(a: float, wanted: int) -> None:
    assert select(a, (0.001, 0.01)) == wanted


def test_subnormal_edges_are_kept_apart() -> None:
    tiny = float(np.float32(1e-45))
    assert select(0.0, (tiny,)) == 0
    assert select(np.float32(tiny), (tiny,)) == 1


def test_no_edges_is_one_member() -> None:
    assert [select(a, ()) for a in (-1.0, 0.0, float("inf"))] == [0, 0, 0]
