"""How each target folds a network: what was tuned, the guess it starts from, nothing."""

from __future__ import annotations

from fa_mobile.folding import UNFOLDED, FoldPlan
from fa_mobile.manifest import Manifest
from fa_mobile.targets.tuned import shipped_table


def candidate_plans(manifest: Manifest) -> list[FoldPlan]:
    """Plans by which a bundle may have been folded, the likeliest first."""
    entry = shipped_table().entry(manifest.target, manifest.precision, manifest.network.name)
    tuned = [] if entry is None else [entry.plan]
    return [*tuned, *_guesses(manifest), UNFOLDED]


def _guesses(manifest: Manifest) -> list[FoldPlan]:
    """The target's own constant; its module imports the exporters."""
    if manifest.target == "onnx":
        from fa_mobile.targets.onnx import PLANS

        return [PLANS[manifest.precision]]
    if manifest.target == "executorch":
        from fa_mobile.targets.executorch import FOLD_PLAN

        return [FOLD_PLAN]
    return []
