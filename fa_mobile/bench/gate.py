"""The regression gate: what grew from a baseline report to this one.

Counts are compared as they are: more than 1 % is a regression. Time is compared only as the ratio
to a named peer that ran interleaved with it, never as milliseconds of different runs: the ratio
must have grown more than 1.1-fold, and the two runs' ratios, every round's, must differ with
p < 0.002 (Mann-Whitney, two-sided). Either alone is noise; asv judges alike. The ratio has to have
grown in the median and between the fastest rounds: what else a machine does slows some rounds, a
regression slows all. And it has to be seen twice (:func:`confirmed`): rounds that follow one
another share the machine's state, so they are less independent than the test believes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from fa_mobile.bench.device import differences
from fa_mobile.bench.schema import Counts, Entry, Ratio, Report, Settings
from fa_mobile.bench.statistics import mann_whitney, median, smallest_p
from fa_mobile.errors import UserError

COUNT_GROWTH: Final = 0.01
TIME_GROWTH: Final = 1.1
TIME_P: Final = 0.002

_COUNTS: Final = {
    "executed_gmacs_per_mp": "executed GMACs/MP",
    "bundle_bytes": "bundle bytes",
    "arena_bytes": "arena bytes",
    "delegated": "delegated operators",
    "undelegated": "undelegated operators",
}


@dataclass(frozen=True)
class Regression:
    """One number that grew too much.

    Of times, ``before`` and ``now`` are medians, ``minima`` is the growth between the fastest
    rounds, and ``p`` is Mann-Whitney's; both are null for counts.
    """

    entry: str
    quantity: str
    before: float
    now: float
    p: float | None = None
    minima: float | None = None

    @property
    def growth(self) -> float:
        """now / before; infinite from zero."""
        return self.now / self.before if self.before else math.inf

    def __str__(self) -> str:
        percent = f"{(self.growth - 1) * 100:+.1f} %" if self.before else "was none"
        sure = "" if self.p is None else f", p = {self.p:.2g}"
        line = f"{self.entry}: {self.quantity} {_number(self.before)} -> {_number(self.now)}"
        return f"{line} ({percent}{sure})"


@dataclass(frozen=True)
class Comparison:
    """What grew, how many numbers were compared, and what could not be, with the reason."""

    regressions: tuple[Regression, ...]
    compared: int
    skipped: tuple[str, ...]

    @property
    def slower(self) -> tuple[Regression, ...]:
        """The regressions in time, which are to be seen twice."""
        return tuple(found for found in self.regressions if found.p is not None)


def confirmed(first: Comparison, second: Comparison) -> Comparison:
    """``first`` with only those regressions in time that a second run shows too."""
    again = {(found.entry, found.quantity) for found in second.slower}
    kept: list[Regression] = []
    dropped: list[Regression] = []
    for found in first.regressions:
        seen = found.p is None or (found.entry, found.quantity) in again
        (kept if seen else dropped).append(found)
    skipped = (*first.skipped, *(f"not seen again when timed once more: {d}" for d in dropped))
    return Comparison(tuple(kept), first.compared, skipped)


def compare(current: Report, baseline: Report, *, counts_only: bool = False) -> Comparison:
    """Compare two reports.

    Args:
        counts_only: leave time out; counts may then come from another machine.

    Raises:
        UserError: naming what differs, when machine or settings forbid comparing times, or when
            the reports have no bundle and size in common.
    """
    if not counts_only:
        _refuse_other_conditions(current, baseline)
    before = {entry.key: entry for entry in baseline.entries}
    pairs = [(entry, before[entry.key]) for entry in current.entries if entry.key in before]
    if not pairs:
        raise UserError(
            f"the baseline holds {', '.join(e.title for e in baseline.entries)}, this run "
            f"{', '.join(e.title for e in current.entries)}: nothing in common; time the "
            "same bundles at the same sizes"
        )
    regressions: list[Regression] = []
    skipped = [
        f"{entry.title}: in the {where} only"
        for entries, others, where in (
            (current.entries, before.keys(), "new run"),
            (baseline.entries, {entry.key for entry in current.entries}, "baseline"),
        )
        for entry in entries
        if entry.key not in others
    ]
    compared = 0
    for now, then in pairs:
        checks = list(_counts(now, then)) + ([] if counts_only else [_time(now, then)])
        for found in checks:
            if isinstance(found, str):
                skipped.append(f"{now.title}: {found}")
            else:
                compared += 1
                regressions += [found] if _grew(found) else []
    if counts_only:
        skipped.append("time: left out by --counts-only")
    return Comparison(tuple(regressions), compared, tuple(skipped))


def _grew(pair: Regression) -> bool:
    if pair.p is None:
        return pair.now > pair.before * (1 + COUNT_GROWTH)
    least = min(pair.growth, pair.growth if pair.minima is None else pair.minima)
    return least > TIME_GROWTH and pair.p < TIME_P


def _counts(now: Entry, then: Entry) -> Iterator[Regression | str]:
    """Each count as a pair, or a sentence on why it is none."""
    for name, title in _COUNTS.items():
        values = getattr(then.counts, name), getattr(now.counts, name)
        if None in values:
            yield f"{title} not known in both"
        else:
            yield Regression(now.title, title, *map(float, values))
    yield from _instructions(now.title, now.counts, then.counts)


def _instructions(title: str, now: Counts, then: Counts) -> Iterator[Regression | str]:
    for cpu in sorted(now.instructions_per_mp.keys() | then.instructions_per_mp.keys()):
        if cpu in now.instructions_per_mp and cpu in then.instructions_per_mp:
            before, after = then.instructions_per_mp[cpu], now.instructions_per_mp[cpu]
            yield Regression(title, f"instructions per MP on {cpu}", before, after)
        else:
            yield f"instructions on {cpu} not counted in both"


def _time(now: Entry, then: Entry) -> Regression | str:
    if now.ratio is None or then.ratio is None:
        return "no ratio to a peer in both; give the same --vs"
    if problem := _other_peer(now.ratio, then.ratio):
        return problem
    samples, before = now.ratio.samples, then.ratio.samples
    if smallest_p(len(samples), len(before)) >= TIME_P:
        return (
            f"{len(samples)} and {len(before)} rounds can never reach p < {TIME_P:g}; "
            "take at least 7 in both"
        )
    quantity = f"time over {now.ratio.peer}"
    p = mann_whitney(samples, before)
    minima = now.ratio.of_minima / then.ratio.of_minima
    return Regression(now.title, quantity, median(before), median(samples), p, minima)


def _other_peer(now: Ratio, then: Ratio) -> str | None:
    if now.peer != then.peer:
        return f"the peer is {now.peer}, was {then.peer}; give the same --vs"
    if now.peer_sha256 != then.peer_sha256:
        return f"the peer {now.peer} is another bundle than in the baseline; use the same files"
    return None


def check_settings(now: Settings, then: Settings) -> None:
    """Refuse a baseline of other settings; before a run, so that nobody waits for it.

    Raises:
        UserError: naming what differs.
    """
    _refuse(_setting_differences(now, then))


def _refuse_other_conditions(current: Report, baseline: Report) -> None:
    found = differences(current.device, baseline.device)
    _refuse(found + _setting_differences(current.settings, baseline.settings))


def _setting_differences(now: Settings, then: Settings) -> list[str]:
    found = [
        f"{name} is {getattr(now, name):g}, was {getattr(then, name):g}"
        for name in ("threads", "warmup", "seconds", "gain")
        if getattr(now, name) != getattr(then, name)
    ]
    return found if now.kind == then.kind else [*found, f"kind is {now.kind}, was {then.kind}"]


def _refuse(found: Sequence[str]) -> None:
    if found:
        raise UserError(
            f"the baseline was measured elsewhere: {'; '.join(found)}. Times are compared on one "
            "machine with one setting only; measure the baseline here, or give --counts-only"
        )


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"
