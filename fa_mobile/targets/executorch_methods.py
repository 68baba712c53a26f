"""The multi-method form: documented interfaces of ExecuTorch only, chained by the caller."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import torch
from executorch.exir import EdgeProgramManager
from torch import Tensor, nn
from torch.export import ExportedProgram

from fa_mobile.denoiser import GainSelector, RawDenoiser, subrange_index
from fa_mobile.noise import NoiseParameters
from fa_mobile.targets.base import SelectorKind
from fa_mobile.targets.executorch_lowering import lower
from fa_mobile.targets.executorch_member import (
    Member,
    check_delegation,
    count_operators,
    delegates,
)


class MethodMember(nn.Module):
    """``denoise_k(raw, a, b)``."""

    anchor_a: Tensor
    anchor_b: Tensor

    def __init__(self, exported: nn.Module, member: Member, anchor: NoiseParameters) -> None:
        super().__init__()
        self.exported = exported
        self._scalars_at = member.scalars_at
        self.register_buffer("anchor_a", torch.tensor([anchor.a]))
        self.register_buffer("anchor_b", torch.tensor([anchor.b]))

    def forward(self, raw: Tensor, a: Tensor, b: Tensor) -> Tensor:
        scalars = self._scalars_at(a, b, self.anchor_a, self.anchor_b)
        out: Tensor = self.exported(raw, *scalars)
        return out


class SelectByGain(nn.Module):
    """``select(gain)`` to (a, b, index)."""

    def __init__(self, selector: GainSelector) -> None:
        super().__init__()
        self.selector = selector

    def forward(self, gain: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        # A plain tuple: ExecuTorch writes no named ones.
        a, b, index = self.selector(gain)
        return a, b, index


class SelectByNoise(nn.Module):
    """``select(a, b)`` to index, int64 [1]."""

    edges: Tensor

    def __init__(self, selector: GainSelector) -> None:
        super().__init__()
        self.register_buffer("edges", selector.edges)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:  # noqa: ARG002
        return subrange_index(a, self.edges)


def methods_program(
    denoiser: RawDenoiser,
    member: Member,
    members: Sequence[ExportedProgram],
    selector: SelectorKind,
    sides: tuple[int, int],
    *,
    one_delegate: bool = True,
) -> tuple[EdgeProgramManager, Counter[str], Counter[str]]:
    """``select`` and ``denoise_0`` .. in one program; operators inside and outside of delegates.

    Raises:
        ExportError: with ``one_delegate``, naming the operators of a member that XNNPACK left
            outside.
    """
    raw = torch.full((1, 1, *sides), 100.0)
    select = (SelectByGain if selector == "gain" else SelectByNoise)(denoiser.selector)
    scalars = tuple(torch.ones(1) for _ in range(1 if selector == "gain" else 2))
    programs = {"select": torch.export.export(select.eval(), scalars, strict=False)}
    for index, (exported, anchor) in enumerate(zip(members, denoiser.spec.anchors, strict=True)):
        programs[f"denoise_{index}"] = torch.export.export(
            MethodMember(exported.module(), member, anchor),
            (raw, torch.ones(1), torch.ones(1)),
            strict=False,
        )
    names = [name for name in programs if name != "select"]
    edge = lower(programs, "select")
    inside: Counter[str] = Counter()
    outside = count_operators(edge.exported_program("select").graph_module)
    for name in names:
        graph_module = edge.exported_program(name).graph_module
        if one_delegate:
            check_delegation(graph_module, name)
        else:
            outside += count_operators(graph_module)
        for lowered in delegates(graph_module):
            inside += count_operators(lowered.original_module.graph_module)
    return edge, inside, outside
