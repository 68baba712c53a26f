"""Average pooling as convolution: one delegate needs no pooling operator."""

from __future__ import annotations

import torch
from torch import nn

from fa_mobile.folding.rewrite import Rewrite
from fa_mobile.networks.blocks import PooledConv


def pooled_conv(module: nn.Module) -> nn.Module | None:
    """Average pooling and the 1x1 after it become one 2x2 convolution of stride 2."""
    if not isinstance(module, PooledConv):
        return None
    conv = module.conv
    folded = nn.Conv2d(conv.in_channels, conv.out_channels, 2, stride=2).to(conv.weight)
    with torch.no_grad():
        folded.weight.copy_(conv.weight.expand(-1, -1, 2, 2) / 4)
        folded.bias.copy_(conv.bias)  # type: ignore[union-attr, arg-type]
    return folded


class DepthwiseMean(nn.Conv2d):
    """2x2 average pooling written as a depthwise convolution with fixed weights."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, channels, 2, stride=2, groups=channels, bias=False)
        with torch.no_grad():
            self.weight.fill_(0.25)


def lone_pool(channels: int) -> Rewrite:
    """Rewrite for the pools of the noisy input, which have ``channels`` channels."""

    def rewrite(module: nn.Module) -> nn.Module | None:
        return DepthwiseMean(channels) if isinstance(module, nn.AvgPool2d) else None

    return rewrite
