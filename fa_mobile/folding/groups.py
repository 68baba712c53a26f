"""Group convolutions with fewer, wider groups: block-diagonal weights, the same function."""

from __future__ import annotations

import torch
from torch import nn

from fa_mobile.folding.rewrite import Rewrite


def regroup(conv: nn.Conv2d, groups: int) -> nn.Conv2d:
    """The same convolution in ``groups`` groups, a divisor of its present number.

    Neighbouring groups are merged; what they did not share becomes zeros, so executed MACs grow
    by the factor conv.groups / groups.
    """
    if conv.groups % groups:
        raise ValueError(
            f"groups={groups} was given for a convolution of {conv.groups} groups; "
            "allowed are divisors of that"
        )
    merged = conv.groups // groups
    folded = nn.Conv2d(
        conv.in_channels, conv.out_channels, conv.kernel_size,  # type: ignore[arg-type]
        stride=conv.stride, padding=conv.padding, dilation=conv.dilation,  # type: ignore[arg-type]
        groups=groups, bias=conv.bias is not None,
    ).to(conv.weight)  # fmt: skip
    outputs, inputs = conv.out_channels // conv.groups, conv.in_channels // conv.groups
    with torch.no_grad():
        folded.weight.zero_()
        for group in range(conv.groups):
            rows = slice(group * outputs, (group + 1) * outputs)
            start = (group % merged) * inputs
            folded.weight[rows, start : start + inputs] = conv.weight[rows]
        if conv.bias is not None:
            folded.bias.copy_(conv.bias)  # type: ignore[union-attr]
    return folded


def widen_groups(width: int | None) -> Rewrite:
    """Rewrite that merges groups until each has at least ``width`` input channels (None: dense).

    Depthwise convolutions (one output per group) have kernels of their own and stay.
    """

    def rewrite(module: nn.Module) -> nn.Module | None:
        if not isinstance(module, nn.Conv2d) or module.groups == 1:
            return None
        if module.groups == module.out_channels:
            return None
        groups = 1 if width is None else _groups_of(module, width)
        return None if groups == module.groups else regroup(module, groups)

    return rewrite


def _groups_of(conv: nn.Conv2d, width: int) -> int:
    """The largest divisor of the group count that leaves ``width`` inputs or more per group.

    A convolution that has fewer inputs in all (Feature-Align's heads have 4) keeps its groups.
    """
    for groups in range(conv.groups, 0, -1):
        if conv.groups % groups == 0 and conv.in_channels // groups >= width:
            return groups
    return conv.groups
