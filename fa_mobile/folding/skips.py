"""The shrunk skip's replication folded into its 1x1 convolution."""

from __future__ import annotations

import torch
from torch import nn

from fa_mobile.networks.blocks import ShrunkSkip


def replicated_skip(module: nn.Module) -> nn.Module | None:
    """1x1 C -> C/2 and a concatenation with itself become one 1x1 C -> C with doubled rows."""
    if not isinstance(module, ShrunkSkip):
        return None
    conv = module.shrink
    folded = nn.Conv2d(conv.in_channels, 2 * conv.out_channels, 1).to(conv.weight)
    with torch.no_grad():
        folded.weight.copy_(torch.cat([conv.weight, conv.weight]))
        folded.bias.copy_(torch.cat([conv.bias, conv.bias]))  # type: ignore[list-item, union-attr]
    return folded
