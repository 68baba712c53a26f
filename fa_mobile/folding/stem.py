"""Networks that take the mosaic: the pixel unshuffle folded into the layers that read it.

A k x k convolution of stride s over the unshuffled cells is a (cell k) x (cell k) convolution of
stride cell s over the mosaic, with the same number of MACs; its zero padding is the cells' own.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from fa_mobile.networks.feature_align import FeatureAlignNet


class MosaicPool(nn.Module):
    """2x2 average pooling of the noisy input, whose cells are 2 x 2 positions of the mosaic.

    The network pools twice by the same layer: the mosaic [N, 1, H, W], then the result
    [N, 4, H/4, W/4].
    """

    def __init__(self, pool: nn.AvgPool2d) -> None:
        super().__init__()
        means = nn.Conv2d(4, 4, 2, stride=2, bias=False)
        with torch.no_grad():
            means.weight.copy_(torch.eye(4).view(4, 4, 1, 1).expand(-1, -1, 2, 2) / 4)
        self.first = on_mosaic(means, 2)
        self.again = pool

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.first(x) if x.shape[1] == 1 else self.again(x)
        return out


def on_mosaic(conv: nn.Conv2d, cell: int) -> nn.Conv2d:
    """The convolution of a mosaic that equals ``conv``, without groups, of its cells."""
    assert not isinstance(conv.padding, str)  # "same" has no counterpart at a stride
    kernel, stride, padding = (
        (size[0] * cell, size[1] * cell) for size in (conv.kernel_size, conv.stride, conv.padding)
    )
    folded = nn.Conv2d(
        1, conv.out_channels, kernel, stride=stride, padding=padding, bias=conv.bias is not None
    ).to(conv.weight)
    with torch.no_grad():
        folded.weight.copy_(functional.pixel_shuffle(conv.weight, cell))
        if conv.bias is not None:
            folded.bias.copy_(conv.bias)  # type: ignore[union-attr]
    return folded


def takes_mosaic(network: nn.Module, cell: int) -> bool:
    """Make ``network`` take [N, 1, H, W] in place of its cells; False if that is not known how.

    Changes ``network`` itself.
    """
    if isinstance(network, FeatureAlignNet):
        network.head = on_mosaic(network.head, cell)
        for stage in (network.enc0, network.dec0):
            if stage.align is not None:
                stage.align.trunk = on_mosaic(stage.align.trunk, cell)
        if network.pool is not None:
            network.pool = MosaicPool(network.pool)  # type: ignore[assignment]
        return True
    return False
