"""The search: field by field from a plan, keeping the value whose call is fastest."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Final, NamedTuple

from fa_mobile.bench.statistics import round_ratios
from fa_mobile.folding import FoldPlan
from fa_mobile.targets.tuned import Times, Trial, Value
from fa_mobile.tuning.candidates import CANDIDATES, with_value

Call = Callable[[], object]
Build = Callable[[FoldPlan], Call]
"""A member, folded, in its runtime; raises :class:`Refused`."""
Measure = Callable[[Mapping[str, Call]], Mapping[str, Sequence[float]]]
"""Milliseconds of each call, sample i of all of them from the same round."""
Report = Callable[[str], None]

WORTH: Final = 0.98
"""A value replaces the present one below this ratio, of the minima and of the medians: what is
within 2 % on a shared machine may be the other way round in the next run."""
_PRESENT: Final = "present"


class Refused(Exception):
    """The exporter or the runtime does not take a plan; the message says why."""


class Found(NamedTuple):
    """The plan kept, its time as a ratio to the start's, and every value tried."""

    plan: FoldPlan
    ratio: float
    trials: tuple[Trial, ...]


class Search:
    """One search from ``start``.

    Args:
        start: the plan that is used now; its time is the first to compare with.
        build: makes a plan's call.
        shape: text that is equal for plans which fold this network alike; only one is measured.
        measure: times calls together.
        report: takes one line per step.
        budget_s: after this many seconds nothing new is built; what is left is "not run".
        clock: gives seconds.
        candidates: values by field, see :data:`CANDIDATES`.
    """

    def __init__(
        self,
        start: FoldPlan,
        build: Build,
        shape: Callable[[FoldPlan], str],
        measure: Measure,
        report: Report,
        *,
        budget_s: float,
        clock: Callable[[], float] = time.monotonic,
        candidates: Mapping[str, Sequence[Value]] = CANDIDATES,
    ) -> None:
        self._start, self._build, self._shape = start, build, shape
        self._measure, self._report, self._candidates = measure, report, candidates
        self._clock, self._end = clock, clock() + budget_s

    def run(self) -> Found:
        """Try every field once.

        Raises:
            Refused: when the start itself is.
        """
        plan, first = self._start, self._build(self._start)
        call, trials = first, list[Trial]()
        for name in self._candidates:
            plan, call, tried = self._try_field(name, plan, call)
            trials += tried
        if plan == self._start:
            return Found(plan, 1.0, tuple(trials))
        samples = self._measure({_PRESENT: first, "plan": call})
        ratio = times_of(samples["plan"], samples[_PRESENT]).median_ratio
        self._report(f"{ratio:.3f} of the first plan's time")
        if ratio >= 1:  # single gains that do not add up are none
            return Found(self._start, 1.0, tuple(trials))
        return Found(plan, ratio, tuple(trials))

    def _try_field(
        self, name: str, plan: FoldPlan, call: Call
    ) -> tuple[FoldPlan, Call, list[Trial]]:
        calls: dict[str, Call] = {_PRESENT: call}
        values: dict[str, Value] = {_PRESENT: getattr(plan, name)}
        missing: list[Trial] = []
        shapes = {self._shape(plan)}
        for value in self._candidates[name]:
            other = with_value(plan, name, value)
            if (shape := self._shape(other)) in shapes:
                continue
            shapes.add(shape)
            try:
                calls[str(value)] = self._built(name, other)
                values[str(value)] = value
            except Refused as error:
                self._report(f"{name} = {value}: {error}")
                missing.append(
                    Trial(field=name, value=value, kept=False, times=None, reason=str(error))
                )
        if len(calls) == 1:
            return plan, call, missing
        samples = self._measure(calls)
        times = {key: times_of(samples[key], samples[_PRESENT]) for key in calls}
        best = fastest(times)
        if best != _PRESENT and not self._again({_PRESENT: call, best: calls[best]}):
            best = _PRESENT
        for key, found in times.items():
            self._report(f"{name} = {values[key]}: {found.median_ms:.1f} ms")
        tried = [
            Trial(field=name, value=values[key], kept=key == best, times=times[key])
            for key in calls
        ]
        return with_value(plan, name, values[best]), calls[best], [*tried, *missing]

    def _again(self, pair: Mapping[str, Call]) -> bool:
        """Whether what was fastest of many is faster than the present one alone as well.

        The least of several noisy times is often the luckiest.
        """
        samples = self._measure(pair)
        times = {key: times_of(samples[key], samples[_PRESENT]) for key in pair}
        return fastest(times) != _PRESENT

    def _built(self, name: str, plan: FoldPlan) -> Call:
        if self._clock() > self._end:
            raise Refused("not run: the time for this search was over")
        self._report(f"{name} = {getattr(plan, name)}: building")
        try:
            return self._build(plan)
        except Refused as error:
            raise Refused(f"refused: {error}"[:400]) from error


def times_of(samples: Sequence[float], present: Sequence[float]) -> Times:
    """Both are milliseconds, sample i of the same round."""
    return Times(
        min_ms=round(min(samples), 3),
        median_ms=round(median(samples), 3),
        min_ratio=round(min(samples) / min(present), 4),
        median_ratio=round(median(round_ratios(samples, present)), 4),
    )


def fastest(times: Mapping[str, Times]) -> str:
    """The key to keep: the present one unless another is clearly faster."""
    better = {
        key: found
        for key, found in times.items()
        if found.min_ratio < WORTH and found.median_ratio < WORTH
    }
    return min(better, key=lambda key: better[key].median_ratio) if better else _PRESENT
