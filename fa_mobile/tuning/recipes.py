"""What a recipe's network and targets gain from, measured before its export."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from fa_mobile.exporting import wanted_targets
from fa_mobile.nsma import read_spec
from fa_mobile.recipe import checkpoint_folder, load_recipe
from fa_mobile.targets.table import target_named
from fa_mobile.targets.tuned import Entry
from fa_mobile.tuning.child import tune_apart
from fa_mobile.tuning.search import Report
from fa_mobile.tuning.tune import Request


def tune_recipe(path: Path, report: Report, only: Sequence[str] | None = None) -> list[Entry]:
    """Tune the network of a recipe for each of its targets and precisions.

    A target whose runtime does not run here is reported "not run" and keeps its plan.

    Args:
        path: of the recipe.
        report: receives one line per step.
        only: names of the recipe's targets; None takes all.

    Raises:
        UserError: for a wrong recipe or checkpoint, or a plan in use that cannot be measured.
    """
    recipe = load_recipe(path)
    network = read_spec(checkpoint_folder(recipe, path)).network
    entries = []
    for asked in wanted_targets(recipe, only):
        for precision in asked.precisions:
            name = f"{asked.name} {precision} {network}"
            if not target_named(asked.name).runs_here:
                report(f"{name}: not run, its runtime is not on this machine; its plan stays")
                continue
            request = Request(target=asked.name, precision=precision, network=network)
            entries.append(tune_apart(request, partial(_report, report, name)))
    return entries


def _report(report: Report, name: str, line: str) -> None:
    report(f"{name}: {line}")
