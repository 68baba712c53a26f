"""The whole member on the mosaic: what needs no packed planes is done without them.

Packing is a pixel unshuffle and unpacking a pixel shuffle, and all between them but the network
is elementwise. Where the four channels share their black and white level, the elementwise part
works on the mosaic as well, in DN, with the levels folded into its scalars.
"""

from __future__ import annotations

import copy
from typing import Final

import torch
from torch import Tensor, nn

from fa_mobile.denoiser import MemberDenoiser
from fa_mobile.domains import Scalars
from fa_mobile.networks.mobile import MobileNet

_PACKED: Final = 2


class MosaicMember(nn.Module):
    """A :class:`MemberDenoiser` whose levels are shared by all channels: equal, in fewer passes.

    ``network`` takes and returns [N, cell^2, H / cell, W / cell], the pixel unshuffle of a mosaic.
    """

    anchor_a: Tensor
    anchor_b: Tensor

    def __init__(self, member: MemberDenoiser, network: nn.Module, cell: int) -> None:
        super().__init__()
        self.unshuffle = nn.PixelUnshuffle(cell)
        self.network = network
        self.shuffle = nn.PixelShuffle(cell)
        self.domain = member.domain
        self.black = float(member.pack.black.flatten()[0])
        self.span = float(member.pack.span.flatten()[0])
        for name in ("anchor_a", "anchor_b"):
            self.register_buffer(name, getattr(member, name), persistent=False)

    def scalars(self, a: Tensor, b: Tensor) -> Scalars:
        """What :meth:`denoise` needs of the noise: [1] each."""
        return self.scalars_at(a, b, self.anchor_a, self.anchor_b)

    def scalars_at(self, a: Tensor, b: Tensor, anchor_a: Tensor, anchor_b: Tensor) -> Scalars:
        """The same for an anchor that a selector picked."""
        scalars = self.domain.scalars(a, b, anchor_a, anchor_b)
        return self.domain.in_dn(scalars, self.black, self.span)

    def denoise(self, raw: Tensor, *scalars: Tensor) -> Tensor:
        """``raw`` to denoised, both [N, 1, H, W] in DN."""
        features, slope = self.domain.enter(raw, *scalars)
        residual = self.shuffle(self.network(self.unshuffle(features)))
        return torch.clamp(raw + slope * residual, self.black, self.black + self.span)

    def forward(self, raw: Tensor, a: Tensor, b: Tensor) -> Tensor:
        return self.denoise(raw, *self.scalars(a, b))


def mosaic_member(module: nn.Module) -> nn.Module | None:
    """Rewrite of a whole member; None where the channels' levels differ."""
    if not isinstance(module, MemberDenoiser):
        return None
    levels = (module.pack.black.flatten(), module.pack.span.flatten())
    if any(not torch.equal(level, level[:1].expand(4)) for level in levels):
        return None
    if isinstance(module.network, MobileNet):
        cell = _PACKED * MobileNet.CELL
        return MosaicMember(module, on_mosaic_cells(module.network), cell)
    return MosaicMember(module, module.network, _PACKED)


def on_mosaic_cells(network: MobileNet) -> nn.Module:
    """The trunk of ``network`` for channels in the order of one 4 x 4 unshuffle of the mosaic.

    The network's own order is that of two unshuffles of 2 x 2 in a row: Bayer channel first.
    """
    trunk = copy.deepcopy(network.trunk)
    channels = _PACKED**2 * MobileNet.CELL**2
    order = nn.functional.pixel_unshuffle(
        nn.functional.pixel_unshuffle(_numbered_cell(_PACKED * MobileNet.CELL), _PACKED),
        MobileNet.CELL,
    ).flatten()
    # order[k] is the mosaic position, row by row in the cell, of the network's channel k.
    inverse = torch.empty(channels, dtype=torch.long)
    inverse[order] = torch.arange(channels)
    with torch.no_grad():
        for conv in trunk.noisy_consumers():
            conv.weight.copy_(conv.weight[:, inverse])
        trunk.tail.weight.copy_(trunk.tail.weight[inverse])
        trunk.tail.bias.copy_(trunk.tail.bias[inverse])  # type: ignore[union-attr, index]
    return trunk


def _numbered_cell(side: int) -> Tensor:
    return torch.arange(side * side).view(1, 1, side, side)
