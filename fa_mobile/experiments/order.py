"""Sentences about the order of a table's rows, made from its numbers."""

from __future__ import annotations

from collections.abc import Sequence

from fa_mobile.experiments.results import Table
from fa_mobile.experiments.wording import CLAIMS, COLUMNS, Column, short_title


def ranked(table: Table, measure: str, among: Sequence[str]) -> list[str]:
    """Names of rows, the best mean over gains and seeds first; equal ones as they stand."""
    present = [name for name in table.names() if name in among]
    sign = 1 if COLUMNS[measure].smaller_is_better else -1
    return sorted(present, key=lambda name: sign * table.mean(name, measure))


def before_at_gains(table: Table, name: str, measure: str, among: Sequence[str]) -> list[float]:
    """The gains at which another row is strictly better than ``name``."""
    sign = 1 if COLUMNS[measure].smaller_is_better else -1
    own = table.by_gain(name, measure)
    others = [table.by_gain(o, measure) for o in table.names() if o in among and o != name]
    return [
        gain
        for gain, value, *rest in zip(table.settings.gains, own, *others, strict=True)
        if any(sign * other < sign * value for other in rest)
    ]


def verdict(table: Table) -> str:
    """How our order compares with the paper's, and what chance may have to do with it."""
    claim = CLAIMS[table.table]
    column = COLUMNS[claim.measure]
    if claim.measure not in table.settings.measures:
        return f"{claim.says}; it was not measured here, so nothing can be said of the order."
    order = ranked(table, claim.measure, claim.among)
    if claim.first not in order or len(order) < 2:
        there = ", ".join(_title(table, name) for name in order) or "none"
        return (
            f"{claim.says}; of the rows that this is about, {there} was measured here, so nothing "
            "can be said of the order."
        )
    values = {name: table.mean(name, claim.measure) for name in order}
    ahead = [name for name in order if _better(values[name], values[claim.first], column)]
    if ahead:
        listed = ", ".join(f"{_title(table, n)} ({_text(values[n], column)})" for n in ahead)
        first = f"{_title(table, claim.first)} ({_text(values[claim.first], column)})"
        stand = "stand" if len(ahead) > 1 else "stands"
        text = f"{claim.says}. **The order differs here**: {listed} {stand} before {first}."
    else:
        second = order[1] if order[0] == claim.first else order[0]
        gap = abs(values[claim.first] - values[second])
        text = (
            f"{claim.says}, and so does this table: {_title(table, claim.first)} "
            f"({_text(values[claim.first], column)}) is ahead of {_title(table, second)} by "
            f"{_text(gap, column)}."
        )
    return f"{text}{_by_gain(table)}{_chance(table, ahead, order)}"


def _better(value: float, other: float, column: Column) -> bool:
    return value < other if column.smaller_is_better else value > other


def _by_gain(table: Table) -> str:
    claim = CLAIMS[table.table]
    gains = before_at_gains(table, claim.first, claim.measure, claim.among)
    title = _title(table, claim.first)
    if not gains:
        return f" At every gain {title} is first."
    listed = ", ".join(f"{gain:g}" for gain in gains)
    return f" Gain by gain, another row is before {title} at {listed}."


def _chance(table: Table, ahead: Sequence[str], order: Sequence[str]) -> str:
    """Whether the seeds of the rows that decide the verdict lie apart."""
    claim = CLAIMS[table.table]
    rivals = ahead or [name for name in order if name != claim.first][:1]
    deciding = [claim.first, *rivals]
    if min(len(table.seeds_of(name)) for name in deciding) < 2:
        return " One seed each: how much of a difference is chance was not measured."
    spans = {name: [row.mean(claim.measure) for row in table.seeds_of(name)] for name in deciding}
    own = spans[claim.first]
    overlapping = [
        name for name in rivals if min(spans[name]) <= max(own) and min(own) <= max(spans[name])
    ]
    if overlapping:
        listed = ", ".join(_title(table, name) for name in overlapping)
        return f" The seeds of {_title(table, claim.first)} and {listed} overlap: it may be chance."
    return " The seeds of these rows do not overlap."


def _title(table: Table, name: str) -> str:
    return short_title(name, table.settings.members)


def _text(value: float, column: Column) -> str:
    return f"{value:.{column.digits}f}{column.unit}"
