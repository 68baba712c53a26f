"""The member of ``mobile`` and the same with parts left out, as modules to lower and time."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from fa_mobile.bench.parts import NO_ALIGN, NO_SUMS, PASSES, TRUNK, WHOLE
from fa_mobile.denoiser import MemberDenoiser
from fa_mobile.domains import Domain
from fa_mobile.folding import fold
from fa_mobile.folding.cells import MergedTrunk
from fa_mobile.folding.mosaic import MosaicMember
from fa_mobile.networks import build_network
from fa_mobile.networks.blocks import ARNetBlock
from fa_mobile.networks.mobile import NOISY_CHANNELS, CellAlign, MobileNet
from fa_mobile.nsma import new_spec
from fa_mobile.sensor import load_profile
from fa_mobile.targets.executorch import FOLD_PLAN
from fa_mobile.targets.executorch_member import DelegateMember

Example = tuple[Tensor, ...]
_Network = TypeVar("_Network", bound=nn.Module)


class _Passes(nn.Module):
    """The domain's way in and back, and no network between."""

    def __init__(self, domain: Domain, black: float, span: float) -> None:
        super().__init__()
        self._domain, self._black, self._span = domain, black, span

    def forward(self, raw: Tensor, *scalars: Tensor) -> Tensor:
        features = self._domain.enter(raw, *scalars)
        denoised = self._domain.leave(raw, features, features, *scalars)
        return torch.clamp(denoised, self._black, self._black + self._span)


class _Trunk(nn.Module):
    """With channels last outside as within the delegate: nothing is transposed for the test."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, noisy: Tensor) -> Tensor:
        out: Tensor = self.network(noisy.permute(0, 3, 1, 2))
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
    noisy = (torch.randn(1, rows // 4, columns // 4, NOISY_CHANNELS),)
    assert isinstance(trunk, MergedTrunk)
    unaligned = _UnalignedTrunk(_replaced(trunk, CellAlign, _Unaligned), trunk.reduce)
    unsummed = _replaced(unaligned, ARNetBlock, _Unsummed)
    passes = _Passes(member.domain, member.black, member.span)
    return {
        WHOLE: (DelegateMember(member).eval(), (raw, *scalars), "int8"),
        PASSES: (passes, (raw, *scalars), "fp32"),
        TRUNK: (_Trunk(trunk).eval(), noisy, "int8"),
        NO_ALIGN: (_Trunk(unaligned).eval(), noisy, "int8"),
        NO_SUMS: (_Trunk(unsummed).eval(), noisy, "int8"),
    }  # fmt: skip
