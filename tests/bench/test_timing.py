"""The engine of interleaved rounds, with a clock of its own."""

from __future__ import annotations

import gc
from collections.abc import Callable
from itertools import pairwise

import pytest

from fa_mobile.bench.timing import order_of, race, repeats_for


class Clock:
    """Moves only when a call takes its time."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def taking(self, seconds: float, log: list[str], name: str) -> Callable[[], None]:
        def call() -> None:
            log.append(name)
            self.now += seconds

        return call


def test_rounds_are_interleaved_and_rotated() -> None:
    clock, log = Clock(), list[str]()
    calls = {name: clock.taking(0.001, log, name) for name in "ABC"}
    race(calls, rounds=4, warmup=0, clock=clock)
    assert "".join(log) == "ABCBCACABCBA"


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_each_subject_takes_each_place_equally_often(count: int) -> None:
    names = [str(i) for i in range(count)]
    orders = [order_of(names, number) for number in range(2 * count)]
    for place in range(count):
        assert sorted(order[place] for order in orders) == sorted(names * 2)
    after = {pair for order in orders for pair in pairwise(order)}
    if count > 2:  # mirrored turns: whoever follows another is followed by it too
        assert all(pair[::-1] in after for pair in after)


def test_all_samples_are_kept_in_milliseconds_and_the_warm_up_is_not() -> None:
    clock, log = Clock(), list[str]()
    durations = iter([9.0, 0.001, 0.5, 0.002])

    def call() -> None:
        clock.now += next(durations)

    done: list[int] = []
    found = race({"A": call}, rounds=3, warmup=1, clock=clock, progress=done.append)
    assert found.samples_ms["A"] == pytest.approx([1, 500, 2])
    assert found.started_s == pytest.approx([0, 0.001, 0.501])
    assert done == [1, 2, 3] and not log


def test_what_is_too_short_is_repeated_and_averaged() -> None:
    clock, log = Clock(), list[str]()
    calls = {"A": clock.taking(0.004, log, "A"), "B": clock.taking(0.2, log, "B")}
    repeats = {name: repeats_for(call, 50, clock) for name, call in calls.items()}
    assert repeats == {"A": 13, "B": 1}
    log.clear()
    found = race(calls, rounds=1, warmup=0, repeats=repeats, clock=clock)
    assert log == ["A"] * 13 + ["B"]
    assert found.samples_ms["A"] == pytest.approx([4]) and found.samples_ms["B"] == [
        pytest.approx(200)
    ]


def test_a_sustained_race_goes_on_until_its_time_is_over() -> None:
    clock, log = Clock(), list[str]()
    calls = {name: clock.taking(0.25, log, name) for name in "AB"}
    found = race(calls, rounds=2, seconds=2.0, warmup=0, clock=clock)
    assert len(found.samples_ms["A"]) == 4
    assert len(race(calls, rounds=6, seconds=2.0, warmup=0, clock=clock).started_s) == 6


def test_garbage_is_collected_again_afterwards_also_after_an_error() -> None:
    def broken() -> None:
        assert not gc.isenabled()
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        race({"A": broken}, rounds=1, warmup=0)
    assert gc.isenabled()


def test_nothing_to_time_is_refused() -> None:
    with pytest.raises(ValueError):
        race({}, rounds=1)
    with pytest.raises(ValueError):
        race({"A": lambda: None}, rounds=0)
