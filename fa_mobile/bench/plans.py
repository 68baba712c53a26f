"""How each target folds a network; read from the targets, which import the exporters."""

from __future__ import annotations

from fa_mobile.folding import UNFOLDED, FoldPlan
from fa_mobile.manifest import Manifest


def candidate_plans(manifest: Manifest) -> list[FoldPlan]:
    """The target's own folds, then none at all (a naive export)."""
    if manifest.target == "onnx":
        from fa_mobile.targets.onnx import PLANS

        return [PLANS[manifest.precision], UNFOLDED]
    if manifest.target == "executorch":
        from fa_mobile.targets.executorch import FOLD_PLAN

        return [FOLD_PLAN, UNFOLDED]
    return [UNFOLDED]
