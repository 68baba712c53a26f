"""Instruction counts put into a report that was timed."""

from __future__ import annotations

from collections.abc import Mapping

from fa_mobile.bench.schema import Entry, Report
from fa_mobile.errors import UserError

_FIELD = "instructions_per_mp"


def with_instructions(report: Report, counted: Mapping[str, Mapping[str, float]]) -> Report:
    """The report with counts added to every size of a bundle, in place of the reason for none.

    Args:
        counted: by the bundle's name in the report, by CPU: instructions per 10^6 mosaic pixels.

    Raises:
        UserError: for a bundle that the report does not hold.
    """
    names = {entry.bundle for entry in report.entries}
    if unknown := sorted(counted.keys() - names):
        raise UserError(
            f"instructions of {', '.join(unknown)} were given; the report holds "
            f"{', '.join(sorted(names))}"
        )
    entries = tuple(
        _added(entry, counted[entry.bundle]) if counted.get(entry.bundle) else entry
        for entry in report.entries
    )
    return report.model_copy(update={"entries": entries})


def _added(entry: Entry, counts: Mapping[str, float]) -> Entry:
    every = {**entry.counts.instructions_per_mp, **counts}
    reasons = {name: reason for name, reason in entry.missing.items() if name != _FIELD}
    changes = {
        "counts": entry.counts.model_copy(update={_FIELD: every}),
        "missing": reasons,
    }
    return entry.model_copy(update=changes)
