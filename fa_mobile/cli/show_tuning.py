"""The evidence of the tuner as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fa_mobile.cli import show

if TYPE_CHECKING:
    from fa_mobile.targets.tuned import Entry, Trial

COLUMNS = ("rewrite", "value", "min ms", "median ms", "ratio of min", "of medians", "")


def trial_row(trial: Trial) -> list[str]:
    """One value that was tried, as cells."""
    if trial.times is None:
        return [trial.field, str(trial.value), "-", "-", "-", "-", trial.reason or ""]
    t = trial.times
    return [
        trial.field,
        str(trial.value),
        f"{t.min_ms:.1f}",
        f"{t.median_ms:.1f}",
        f"{t.min_ratio:.3f}",
        f"{t.median_ratio:.3f}",
        "kept" if trial.kept else "",
    ]


def show_entries(entries: Sequence[Entry]) -> None:
    """Print one table per entry."""
    for entry in entries:
        c = entry.conditions
        title = (
            f"{entry.target} {entry.precision}, {entry.network}: {entry.ratio:.3f} of the time of "
            f"the plan before\n{c.cpu}, {c.threads} thread, {c.side} x {c.side}, {c.rounds} "
            f"interleaved rounds, {c.date}; ratios to the first value of each rewrite"
        )
        show.table(title, COLUMNS, [trial_row(trial) for trial in entry.trials])
