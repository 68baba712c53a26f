"""Exact graph rewrites: equal to the unfolded network in float64 to 1e-10, borders included."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from torch import nn

from fa_mobile.folding.affine import batch_norm
from fa_mobile.folding.groups import regroup, widen_groups
from fa_mobile.folding.heads import fused_heads
from fa_mobile.folding.mosaic import mosaic_member
from fa_mobile.folding.pooling import lone_pool, pooled_conv
from fa_mobile.folding.rewrite import Rewrite, rewritten
from fa_mobile.folding.skips import replicated_skip


@dataclass(frozen=True)
class FoldPlan:
    """Which exact rewrites a runtime gains from; which it does was measured (``tuned.json``).

    ``pooling``: average pooling as convolution. ``skips``: the shrunk skip's replication within
    its 1x1. ``group_width``: merge groups until each has this many input channels; None makes the
    convolutions dense, 0 leaves them. ``fuse_heads``: one gamma|beta convolution. ``mosaic``: no
    packed planes, see :mod:`fa_mobile.folding.mosaic`.
    """

    pooling: bool = True
    skips: bool = True
    group_width: int | None = 0
    fuse_heads: bool = False
    mosaic: bool = True

    def rewrites(self) -> tuple[Rewrite, ...]:
        """The rewrites in the order in which they apply."""
        chain: list[Rewrite] = [batch_norm]
        if self.pooling:
            chain += [pooled_conv, lone_pool(4)]
        if self.skips:
            chain.append(replicated_skip)
        if self.fuse_heads:
            chain.append(fused_heads)
        if self.group_width != 0:
            chain.append(widen_groups(self.group_width))
        if self.mosaic:
            chain.append(mosaic_member)
        return tuple(chain)


UNFOLDED: Final = FoldPlan(pooling=False, skips=False, mosaic=False)
"""The network as its authors would write it: what a naive export gives, for comparison."""


def fold(module: nn.Module, plan: FoldPlan) -> nn.Module:
    """A folded copy of ``module`` (a network or a whole denoiser) in eval mode."""
    return rewritten(module, *plan.rewrites())


__all__ = ["UNFOLDED", "FoldPlan", "fold", "regroup", "rewritten"]
