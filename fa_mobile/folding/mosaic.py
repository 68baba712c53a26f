"""The whole member on the mosaic: what needs no packed planes is done without them.

Packing is a pixel unshuffle and unpacking a pixel shuffle, and all between them but the network
is elementwise. Where the four channels share their black and white level, the elementwise part
works on the mosaic as well, in DN, with the levels folded into its scalars.

What is left of the packing is one of ``shuffle`` (pixel unshuffle and shuffle around the
network), ``columns`` (of ``mobile``: the same with the positions of a cell in the order in which
kernels with channels last read them, see :class:`PackedColumns`), ``convolution`` (the same as
convolutions of stride 2 or 4 with fixed weights) and ``stem`` (the convolutions that take the
noisy input take the mosaic itself, at the stride of a cell; a shuffle unpacks). The unpacking is
not folded into the tail: a transposed convolution to one channel has one bias, the tail has one
for each position of the cell.

Of ``mobile``, the float front end belongs to the packing, and what goes straight from there to the
residual (:mod:`fa_mobile.folding.cells`) stands beside the network: int8 begins behind them.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Final, Literal

import torch
from torch import Tensor, nn

from fa_mobile.denoiser import MemberDenoiser
from fa_mobile.domains import Scalars
from fa_mobile.folding.cells import merged_cells
from fa_mobile.folding.rewrite import Rewrite
from fa_mobile.folding.stem import on_mosaic, takes_mosaic
from fa_mobile.networks.mobile import CellFront, MobileNet, MobileTrunk

Mosaic = Literal["planes", "shuffle", "columns", "convolution", "stem"]

_PACKED: Final = 2


class MosaicMember(nn.Module):
    """A :class:`MemberDenoiser` whose levels are shared by all channels: equal, in fewer passes.

    ``network`` takes what ``pack`` makes of [N, 1, H, W], and ``unpack`` makes that of what it
    returns. ``direct``, where there is one, takes and gives the same, and is added.
    """

    anchor_a: Tensor
    anchor_b: Tensor

    def __init__(
        self,
        member: MemberDenoiser,
        network: nn.Module,
        pack: nn.Module,
        unpack: nn.Module,
        direct: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.pack = pack
        self.direct = direct
        self.network = network
        self.unpack = unpack
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
        features = self.domain.enter(raw, *scalars)
        residual = self.unpack(self._packed_residual(self.pack(features)))
        denoised = self.domain.leave(raw, features, residual, *scalars)
        return torch.clamp(denoised, self.black, self.black + self.span)

    def _packed_residual(self, packed: Tensor) -> Tensor:
        # First: a runtime then need not keep the float input while the network runs.
        direct = None if self.direct is None else self.direct(packed)
        residual: Tensor = self.network(packed)
        return residual if direct is None else direct + residual

    def forward(self, raw: Tensor, a: Tensor, b: Tensor) -> Tensor:
        return self.denoise(raw, *self.scalars(a, b))


class PackingConv(nn.Conv2d):
    """Pixel unshuffle as a convolution: [N, 1, H, W] to [N, cell^2, H / cell, W / cell]."""

    def __init__(self, cell: int) -> None:
        super().__init__(1, cell**2, cell, stride=cell, bias=False)
        with torch.no_grad():
            self.weight.copy_(_one_hot_cells(cell))


class UnpackingConv(nn.ConvTranspose2d):
    """Pixel shuffle as a transposed convolution: the inverse of :class:`PackingConv`."""

    def __init__(self, cell: int) -> None:
        super().__init__(cell**2, 1, cell, stride=cell, bias=False)
        with torch.no_grad():
            self.weight.copy_(_one_hot_cells(cell))


class PackedColumns(nn.Module):
    """Pixel unshuffle whose channels are the cell's positions column by column.

    [N, 1, H, W] to [N, cell^2, H / cell, W / cell]. With channels last in memory it is one
    transposition of the ``cell`` rows of a row of cells; row by row it would move groups of
    ``cell`` values, for which a runtime may have no fast kernel (XNNPACK has none).
    """

    def __init__(self, cell: int) -> None:
        super().__init__()
        self.cell = cell

    def forward(self, mosaic: Tensor) -> Tensor:
        count, _, height, width = mosaic.shape
        rows = mosaic.reshape(-1, self.cell, width).transpose(1, 2)
        cells = rows.reshape(count, height // self.cell, width // self.cell, self.cell**2)
        return cells.permute(0, 3, 1, 2)


class UnpackedColumns(nn.Module):
    """The inverse of :class:`PackedColumns`: [N, cell^2, h, w] to [N, 1, h cell, w cell]."""

    def __init__(self, cell: int) -> None:
        super().__init__()
        self.cell = cell

    def forward(self, packed: Tensor) -> Tensor:
        count, _, height, width = packed.shape
        columns = packed.permute(0, 2, 3, 1).reshape(-1, width * self.cell, self.cell)
        return columns.transpose(1, 2).reshape(count, 1, height * self.cell, width * self.cell)


def _one_hot_cells(cell: int) -> Tensor:
    """[cell^2, 1, cell, cell]: kernel k picks position k, row by row."""
    return torch.eye(cell**2).view(cell**2, 1, cell, cell)


def mosaic_member(form: Mosaic, *, merge: bool = True) -> Rewrite:
    """Rewrite of a whole member; it stays where the channels' levels differ.

    ``merge``: what is linear in ``mobile``, see :mod:`fa_mobile.folding.cells`.

    ``stem`` needs to know which layers take the noisy input; of networks for which
    :func:`fa_mobile.folding.stem.takes_mosaic` does not, it makes ``shuffle``. So does
    ``columns`` of networks without cells.
    """

    def rewrite(module: nn.Module) -> nn.Module | None:
        if not isinstance(module, MemberDenoiser) or not _shares_levels(module):
            return None
        network = module.network
        if isinstance(network, MobileNet):
            return _on_cells(module, network, form, merge)
        if form == "convolution":
            return MosaicMember(module, network, PackingConv(_PACKED), UnpackingConv(_PACKED))
        if form == "stem" and takes_mosaic(network, _PACKED):
            return MosaicMember(module, network, nn.Identity(), nn.PixelShuffle(_PACKED))
        return MosaicMember(module, network, nn.PixelUnshuffle(_PACKED), nn.PixelShuffle(_PACKED))

    return rewrite


def _shares_levels(member: MemberDenoiser) -> bool:
    levels = (member.pack.black.flatten(), member.pack.span.flatten())
    return all(torch.equal(level, level[:1].expand(4)) for level in levels)


def _on_cells(
    member: MemberDenoiser, network: MobileNet, form: Mosaic, merge: bool
) -> MosaicMember:
    cell = _PACKED * MobileNet.CELL
    front, trunk = on_mosaic_cells(network, by_column=form == "columns")
    if form in ("convolution", "stem"):
        front.conv = on_mosaic(front.conv, cell)
        pack: nn.Module = front
    else:
        opening = PackedColumns(cell) if form == "columns" else nn.PixelUnshuffle(cell)
        pack = nn.Sequential(opening, front)
    unpack = _UNPACK.get(form, nn.PixelShuffle)(cell)
    if not merge:
        return MosaicMember(member, trunk, pack, unpack)
    merged = merged_cells(trunk)
    return MosaicMember(member, merged.trunk, pack, unpack, merged.direct)


_UNPACK: Final[dict[str, Callable[[int], nn.Module]]] = {
    "columns": UnpackedColumns,
    "convolution": UnpackingConv,
}
"""Where it is not a pixel shuffle."""


def on_mosaic_cells(
    network: MobileNet, *, by_column: bool = False
) -> tuple[CellFront, MobileTrunk]:
    """Front end and trunk for channels in the order of one 4 x 4 unshuffle of the mosaic.

    The network's own order is that of two unshuffles of 2 x 2 in a row: Bayer channel first.
    ``by_column``: positions in a cell column by column, as :class:`PackedColumns` gives them.
    """
    front, trunk = copy.deepcopy(network.front), copy.deepcopy(network.trunk)
    channels = _PACKED**2 * MobileNet.CELL**2
    cell = _numbered_cell(_PACKED * MobileNet.CELL)
    order = nn.functional.pixel_unshuffle(
        nn.functional.pixel_unshuffle(cell.mT if by_column else cell, _PACKED), MobileNet.CELL
    ).flatten()
    # order[k] is the position in the cell, by row or by column, of the network's channel k.
    inverse = torch.empty(channels, dtype=torch.long)
    inverse[order] = torch.arange(channels)
    with torch.no_grad():
        front.conv.weight.copy_(front.conv.weight[:, inverse])
        trunk.tail.weight.copy_(trunk.tail.weight[inverse])
        trunk.tail.bias.copy_(trunk.tail.bias[inverse])  # type: ignore[union-attr, index]
    return front, trunk


def _numbered_cell(side: int) -> Tensor:
    return torch.arange(side * side).view(1, 1, side, side)
