"""Exact graph rewrites: equal to the unfolded network in float64 to 1e-10, borders included."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from torch import nn

from fa_mobile.folding.affine import batch_norm
from fa_mobile.folding.cells import merged_mobile
from fa_mobile.folding.groups import regroup, widen_groups
from fa_mobile.folding.heads import dense_heads, fused_heads
from fa_mobile.folding.modulation import Modulation, residual_align
from fa_mobile.folding.mosaic import Mosaic, mosaic_member
from fa_mobile.folding.pooling import lone_pool, pooled_conv
from fa_mobile.folding.rewrite import Rewrite, rewritten
from fa_mobile.folding.skips import replicated_skip
from fa_mobile.folding.upsampling import UPSAMPLING, Upsample


@dataclass(frozen=True)
class FoldPlan:
    """Which exact rewrites a runtime gains from; which it does was measured (``tuned.json``).

    ``merge``: what is linear in ``mobile`` at the resolution of its cells, see
    :mod:`fa_mobile.folding.cells`. ``pooling``: average pooling as convolution. ``skips``: the
    shrunk skip's replication within its 1x1. ``group_width``: merge groups until each has this
    many input channels; None makes the convolutions dense, 0 leaves them. ``dense_heads``: gamma's
    and beta's convolutions without groups. ``fuse_heads``: one gamma|beta convolution, dense as
    well. ``upsample``: see :mod:`fa_mobile.folding.upsampling`. ``modulation``: order of
    Feature-Align's product and sums where its heads are two, see
    :mod:`fa_mobile.folding.modulation`. ``mosaic``: how the Bayer planes are packed, see
    :mod:`fa_mobile.folding.mosaic`.
    """

    merge: bool = True
    pooling: bool = True
    skips: bool = True
    group_width: int | None = 0
    dense_heads: bool = False
    fuse_heads: bool = False
    upsample: Upsample = "own"
    modulation: Modulation = "product"
    mosaic: Mosaic = "shuffle"

    def rewrites(self) -> tuple[Rewrite, ...]:
        """The rewrites in the order in which they apply."""
        # The mosaic goes first: it looks for the networks' own layers.
        chain: list[Rewrite] = [batch_norm]
        if self.mosaic != "planes":
            chain.append(mosaic_member(self.mosaic, merge=self.merge))
        if self.merge:
            chain.append(merged_mobile)
        if self.pooling:
            chain += [pooled_conv, lone_pool(4)]
        if self.skips:
            chain.append(replicated_skip)
        if self.fuse_heads:
            chain.append(fused_heads)
        elif self.dense_heads:
            chain.append(dense_heads)
        if self.modulation == "residual":
            chain.append(residual_align)
        if self.group_width != 0:
            chain.append(widen_groups(self.group_width))
        # After the groups: what an upsampling does per channel is no group to merge.
        if self.upsample != "own":
            chain.append(UPSAMPLING[self.upsample])
        return tuple(chain)


UNFOLDED: Final = FoldPlan(merge=False, pooling=False, skips=False, mosaic="planes")
"""The network as its authors would write it: what a naive export gives, for comparison."""


def fold(module: nn.Module, plan: FoldPlan) -> nn.Module:
    """A folded copy of ``module`` (a network or a whole denoiser) in eval mode."""
    return rewritten(module, *plan.rewrites())


__all__ = ["UNFOLDED", "FoldPlan", "fold", "regroup", "rewritten"]
