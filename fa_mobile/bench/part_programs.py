"""The member of ``mobile`` and the same with parts left out, as modules to lower and time."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, Final, TypeVar

import torch
from torch import Tensor, nn

from fa_mobile.bench.parts import CELLS, FRONT, NO_ALIGN, NO_SUMS, WHOLE
from fa_mobile.denoiser import MemberDenoiser
from fa_mobile.folding import fold
from fa_mobile.folding.cells import MergedTrunk
from fa_mobile.folding.mosaic import MosaicMember
from fa_mobile.networks import build_network
from fa_mobile.networks.blocks import ARNetBlock
from fa_mobile.networks.mobile import CELL_CHANNELS, CellAlign, MobileNet
from fa_mobile.nsma import new_spec
from fa_mobile.sensor import load_profile
from fa_mobile.targets.executorch import FOLD_PLAN
from fa_mobile.targets.executorch_member import DelegateMember

Example = tuple[Tensor, ...]
_Network = TypeVar("_Network", bound=nn.Module)
CELL: Final = 2 * MobileNet.CELL
"""Mosaic pixels along a side of a cell."""


class _Cells(nn.Module):
    """[1, h, w, 16] both, as the delegate keeps them: nothing is transposed for the test."""

    def __init__(self, front: nn.Module, direct: nn.Module, network: nn.Module | None) -> None:
        super().__init__()
        self.front, self.direct, self.network = front, direct, network

    def forward(self, cells: Tensor) -> Tensor:
        noisy = self.front(cells.permute(0, 3, 1, 2))
        out: Tensor = self.direct(noisy)
        if self.network is not None:
            out = out + self.network(noisy)
        return out.permute(0, 2, 3, 1)


class _Unaligned(nn.Module):
    def __init__(self, _layer: CellAlign) -> None:
        super().__init__()

    def forward(self, features: Tensor, _noisy: Tensor) -> Tensor:
        return features


class _UnalignedTrunk(MergedTrunk):
    def leave(self, features: Tensor, noisy: Tensor) -> Tensor:  # noqa: ARG002
        residual: Tensor = self.tail(features)
        return residual


class _Unsummed(nn.Module):
    def __init__(self, block: ARNetBlock) -> None:
        super().__init__()
        self.body = nn.Sequential(block.reduce, nn.ReLU(), block.spatial, nn.ReLU(), block.expand)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.body(x)
        return out


def _replaced(network: _Network, kind: type, make: Callable[[Any], nn.Module]) -> _Network:
    changed = copy.deepcopy(network)
    for name, child in list(changed.named_modules()):
        if isinstance(child, kind):
            changed.set_submodule(name, make(child))
    return changed


def programs(rows: int, columns: int) -> dict[str, tuple[nn.Module, Example, str]]:
    """Each part as (module, inputs, precision), with random weights: time does not depend on them.

    Args:
        rows, columns: of the mosaic, multiples of the network's stride.
    """
    torch.manual_seed(0)
    profile = load_profile("imx258")
    anchor = new_spec("parts", "mobile", profile, 1).anchors[0]
    network = build_network("mobile")
    assert isinstance(network, MobileNet)
    member = fold(MemberDenoiser(network, anchor, profile).eval(), FOLD_PLAN)
    assert isinstance(member, MosaicMember)
    trunk = member.network
    raw = torch.randint(64, 1024, (1, 1, rows, columns)).float()
    scalars = member.scalars(*(torch.tensor([value]) for value in profile.noise(16)))
    cells = (torch.rand(1, rows // CELL, columns // CELL, CELL_CHANNELS) * 4,)
    assert isinstance(trunk, MergedTrunk) and isinstance(member.pack, nn.Sequential)
    assert member.direct is not None
    front, direct = member.pack[1], member.direct
    unaligned = _UnalignedTrunk(_replaced(trunk, CellAlign, _Unaligned), trunk.reduce)
    unsummed = _replaced(unaligned, ARNetBlock, _Unsummed)

    def between(network: nn.Module | None) -> nn.Module:
        return _Cells(front, direct, network).eval()

    return {
        WHOLE: (DelegateMember(member).eval(), (raw, *scalars), "int8"),
        CELLS: (between(trunk), cells, "int8"),
        FRONT: (between(None), cells, "fp32"),
        NO_ALIGN: (between(unaligned), cells, "int8"),
        NO_SUMS: (between(unsummed), cells, "int8"),
    }  # fmt: skip
