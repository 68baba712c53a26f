"""The search of int8 ranges: it finds the least cost that steps lead to, and leaves the rest."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from fa_mobile.graph_ranges import activation_ranges, observe
from fa_mobile.quantization import QuantizationPlan, quantize_member
from fa_mobile.ranges import (
    PERCENTILES,
    SMALLEST_SCALE,
    STEPS,
    Ends,
    Seen,
    affine,
    best_start,
    covered,
    search,
)


class Held:
    """A range that only holds its ends."""

    def __init__(self, high: float) -> None:
        self.ends: Ends = (-high, high)


def test_each_range_goes_to_where_its_cost_is_least() -> None:
    narrow, wide, right = Held(4.0), Held(1.0), Held(2.0)
    ranges = [narrow, wide, right]

    def cost() -> float:
        return sum(abs(each.ends[1] - 2.0) for each in ranges)

    left = search(ranges, cost)
    assert left == pytest.approx(cost())
    assert narrow.ends[1] == pytest.approx(4 * STEPS[0] ** 4)
    assert wide.ends[1] == pytest.approx(STEPS[1] ** 4)
    assert right.ends == (-2.0, 2.0)
    assert all(each.ends[0] == -each.ends[1] for each in ranges)


def test_a_cost_that_never_falls_changes_nothing() -> None:
    held = Held(3.0)
    assert search([held], lambda: 1.0) == 1.0
    assert held.ends == (-3.0, 3.0)


@given(low=st.floats(-50, 0), high=st.floats(256 * SMALLEST_SCALE, 50), signed=st.booleans())
def test_integers_cover_the_ends_to_a_step(low: float, high: float, signed: bool) -> None:
    lowest, highest = (-128, 127) if signed else (0, 255)
    scale, zero_point = affine((low, high), lowest, highest)
    assert lowest <= zero_point <= highest
    ends = covered(scale, zero_point, lowest, highest)
    assert ends[0] == pytest.approx(low, abs=scale) and ends[1] == pytest.approx(high, abs=scale)


def test_a_dead_tensor_has_a_range_all_the_same() -> None:
    assert affine((0.0, 0.0), 0, 255) == (SMALLEST_SCALE, 0)


def test_a_percentile_cuts_as_many_below_as_above_and_all_keeps_the_extremes() -> None:
    seen = Seen()
    for capture in range(4):
        values = np.random.default_rng(capture).uniform(-1, 1, (1, 4, 64, 64)).astype(np.float32)
        values[0, 0, 0, 0] = 50 - 100 * (capture % 2)
        seen.add(values)
    assert seen.ends(100.0) == (-50.0, 50.0)
    assert seen.ends(90.0) == pytest.approx((-0.9, 0.9), abs=0.01)


def test_ranges_start_where_all_of_them_cost_least() -> None:
    values = np.random.default_rng(0).normal(0, 1, 200_000).astype(np.float32)
    seen = Seen()
    seen.add(values)
    wanted = seen.ends(PERCENTILES[2])[1]
    ranges = [Held(1.0), Held(7.0)]
    percentile, cost = best_start(
        ranges, [seen, seen], lambda: sum(abs(each.ends[1] - wanted) for each in ranges)
    )
    assert (percentile, cost) == (PERCENTILES[2], 0.0)
    assert [each.ends[1] for each in ranges] == [wanted, wanted]


class _Branches(nn.Module):
    """Two convolutions whose results are put together: one range for three tensors."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.network = nn.ModuleList([nn.Conv2d(2, 2, 1), nn.Conv2d(2, 2, 1), nn.Conv2d(4, 1, 1)])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        first, second, last = self.network
        out: torch.Tensor = last(torch.cat([first(x), second(x)], dim=1))
        return out


def test_ranges_of_a_graph_are_read_and_set() -> None:
    x = torch.randn(1, 2, 8, 8, generator=torch.Generator().manual_seed(1))
    program = torch.export.export(_Branches(), (x,), strict=False)
    made = quantize_member(program, [(x,)], QuantizationPlan(within=""))
    (shared,) = activation_ranges(made.module)
    with torch.no_grad():
        before = made.module(x)
        ends = shared.ends
        shared.ends = ends
        assert shared.ends == pytest.approx(ends)
        assert torch.equal(made.module(x), before)
        shared.ends = ends[0] / 2, ends[1] / 2
        cut = made.module(x)
    assert shared.ends[1] == pytest.approx(ends[1] / 2, rel=0.02)
    assert not torch.allclose(cut, before, atol=0.1 * float(before.std()))
    # XNNPACK refuses a concatenation whose inputs and output differ in scale.
    pairs = [n for n in made.module.graph.nodes if "quantize_per_tensor" in n.name]
    assert len(pairs) == 6 and len({pair.args[1:3] for pair in pairs}) == 1
    # What a range sees is not rounded and not cut by the ranges there are.
    (seen,) = observe(made.module, [shared], [(x,)])
    first, second, _ = _Branches().network
    with torch.no_grad():
        tensors = [first(x), second(x)]
    low, high = seen.ends(100.0)
    assert low == pytest.approx(min(float(t.min()) for t in tensors), abs=0.02)
    assert high == pytest.approx(max(float(t.max()) for t in tensors), abs=0.02)
