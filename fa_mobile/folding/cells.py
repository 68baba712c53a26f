"""``mobile`` at the cells' resolution: what is linear there merged, beta of Feature-Align first.

``tail(features * gamma + beta)`` with a linear tail is ``tail(features * gamma) + tail(beta)``, and
tail and beta in a row are one 1 x 1 convolution from the noisy input straight to the residual. It
is the one part of the network through which the noisy input reaches the output unaltered, so int8
would blur most there. It is small enough to stay in float, beside the int8 network, where a member
works on the mosaic; on packed planes (channels of different levels) it is a part of that network,
as the front end is. The first block's 1 x 1 bottleneck behind the 1 x 1 stem is one convolution of
the noisy input as well.

Training keeps the layers apart: merged ones learn more slowly (0.4 dB less after 1,500 steps).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

from fa_mobile.networks.mobile import MobileNet, MobileTrunk

Layer = Callable[[Tensor], Tensor]


class Linear(Protocol):
    """What holds a 1 x 1 convolution's parameters: weight [O, I, 1, 1], bias [O]."""

    @property
    def weight(self) -> Tensor: ...

    @property
    def bias(self) -> Tensor | None: ...


class MergedTrunk(MobileTrunk):
    """A :class:`MobileTrunk` without its direct way from the noisy input to the residual.

    Args:
        trunk: whose layers these are, by the same names.
        reduce: the stem and the first bottleneck's 1 x 1 in one.
    """

    def __init__(self, trunk: MobileTrunk, reduce: Layer) -> None:
        nn.Module.__init__(self)  # not the parent's: its layers are those of ``trunk``
        for name, child in trunk.named_children():
            self.add_module(name, child)
        self.reduce = reduce

    def enter(self, noisy: Tensor) -> Tensor:
        block = self.enc0
        hidden = block.act(block.spatial(block.act(self.reduce(noisy))))
        x0: Tensor = self.stem(noisy) + block.expand(hidden)
        return x0

    def leave(self, features: Tensor, noisy: Tensor) -> Tensor:
        residual: Tensor = self.tail(features * self.align0.gamma(noisy))
        return residual


class MergedCells(NamedTuple):
    """A trunk in two parts, both from noisy [N, 24, h, w] to [N, 16, h, w]: their sum is its."""

    trunk: MergedTrunk
    direct: nn.Conv2d
    """1 x 1: beta of the last Feature-Align, then the tail without its bias."""


def merged_cells(trunk: MobileTrunk) -> MergedCells:
    """``trunk`` merged, as plain convolutions; takes its layers."""
    reduce = _convolution(*in_a_row(trunk.stem, trunk.enc0.reduce, bias=True))
    direct = _convolution(*in_a_row(trunk.align0.beta, trunk.tail, bias=False))
    merged = MergedTrunk(trunk, reduce)
    # Neither a block nor a Feature-Align any more: other rewrites look for those.
    block = trunk.enc0
    rest = {"spatial": block.spatial, "expand": block.expand, "act": block.act}
    merged.enc0 = nn.ModuleDict(rest)  # type: ignore[assignment]
    merged.align0 = nn.ModuleDict({"gamma": trunk.align0.gamma})  # type: ignore[assignment]
    return MergedCells(merged, direct)


class MergedMobile(MobileNet):
    """``mobile`` with its trunk merged."""

    def __init__(self, network: MobileNet) -> None:
        nn.Module.__init__(self)
        self.unshuffle, self.front, self.shuffle = network.unshuffle, network.front, network.shuffle
        self.trunk, self.direct = merged_cells(network.trunk)

    def forward(self, features: Tensor) -> Tensor:
        noisy = self.front(self.unshuffle(features))
        residual: Tensor = self.shuffle(self.direct(noisy) + self.trunk(noisy))
        return residual


def merged_mobile(module: nn.Module) -> nn.Module | None:
    """A :class:`MobileNet` on packed planes becomes a :class:`MergedMobile`."""
    if not isinstance(module, MobileNet) or isinstance(module, MergedMobile):
        return None
    return MergedMobile(module)


def merged_for_training(trunk: MobileTrunk) -> MergedTrunk:
    """The merged trunk whose weights are computed from the layers' own, so that those can learn.

    Its parameters are those of ``trunk``, by the same names.
    """
    layers = trunk.stem, trunk.enc0.reduce
    return MergedTrunk(trunk, lambda x: functional.conv2d(x, *in_a_row(*layers, bias=True)))


def in_a_row(first: Linear, then: Linear, *, bias: bool) -> tuple[Tensor, Tensor]:
    """Weight and bias of two 1 x 1 convolutions as one; ``bias``: with that of the second."""
    assert first.bias is not None and then.bias is not None  # as all of this network have
    rows = then.weight.flatten(1)
    weight = (rows @ first.weight.flatten(1))[:, :, None, None]
    # By one operator: a quantizer would round a sum.
    moved = torch.addmv(then.bias, rows, first.bias) if bias else torch.mv(rows, first.bias)
    return weight, moved


def _convolution(weight: Tensor, bias: Tensor) -> nn.Conv2d:
    conv = nn.Conv2d(weight.shape[1], weight.shape[0], 1).to(weight)
    with torch.no_grad():
        conv.weight.copy_(weight)
        conv.bias.copy_(bias)  # type: ignore[union-attr]
    return conv
