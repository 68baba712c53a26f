"""Interleaved rounds: A B C, B C A, C A B, ... so that what disturbs one disturbs all."""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

Clock = Callable[[], float]

LEAST_MS: Final = 50.0
"""A sample should last this long. On a shared machine the scheduler takes a few milliseconds
away at a time: a sample of one millisecond is either hit or not, and their ratios say nothing."""


@dataclass(frozen=True)
class Race:
    """What a race gave: all samples, round by round.

    ``samples_ms[name][i]`` is round i of that subject; ``started_s[i]`` is when round i began,
    in seconds from the first.
    """

    samples_ms: dict[str, list[float]]
    started_s: list[float] = field(default_factory=list)


def order_of(names: Sequence[str], number: int) -> list[str]:
    """The order of round ``number``: rotated by one each round, mirrored after each full turn.

    Rotation alone would always run the same subject before another; what a subject leaves behind
    (warm or cold caches, heat) would then always meet the same successor.
    """
    turn, shift = divmod(number, len(names))
    rotated = [*names[shift:], *names[:shift]]
    return rotated[::-1] if turn % 2 else rotated


def repeats_for(
    call: Callable[[], object], least_ms: float = LEAST_MS, clock: Clock = time.perf_counter
) -> int:
    """How many calls make a sample of at least ``least_ms``, by the faster of two calls."""
    durations = []
    for _ in range(2):  # the first one may still allocate
        before = clock()
        call()
        durations.append((clock() - before) * 1000)
    return max(1, math.ceil(least_ms / max(min(durations), 1e-3)))


def race(
    calls: Mapping[str, Callable[[], object]],
    *,
    rounds: int,
    seconds: float = 0.0,
    warmup: int = 1,
    repeats: Mapping[str, int] | None = None,
    clock: Clock = time.perf_counter,
    progress: Callable[[int], None] | None = None,
) -> Race:
    """Time every call once per round.

    Args:
        calls: name to what is timed; at least one.
        rounds: at least this many.
        seconds: rounds go on until this much time has passed (0: not beyond ``rounds``).
        warmup: rounds before, not kept.
        repeats: calls that make one sample, by name (1 where none is given); the sample is their
            mean. See :func:`repeats_for`.
        clock: gives seconds; tests give their own.
        progress: called with the number of rounds done.

    Returns:
        Every sample, none discarded.

    Raises:
        ValueError: without calls, or for fewer than one round.
    """
    if not calls or rounds < 1:
        raise ValueError(f"{len(calls)} calls and {rounds} rounds were given; both start at 1")
    names = list(calls)
    times_of = {name: (repeats or {}).get(name, 1) for name in names}
    for _ in range(warmup):
        for call in calls.values():
            call()
    result = Race({name: [] for name in names})
    collecting = gc.isenabled()
    gc.disable()  # a collection in the middle of a sample belongs to no subject
    try:
        begin = clock()
        done = 0
        while done < rounds or clock() - begin < seconds:
            result.started_s.append(clock() - begin)
            for name in order_of(names, done):
                call, times = calls[name], times_of[name]
                before = clock()
                for _ in range(times):
                    call()
                result.samples_ms[name].append((clock() - before) * 1000 / times)
            done += 1
            if progress is not None:
                progress(done)
    finally:
        if collecting:
            gc.enable()
    return result
