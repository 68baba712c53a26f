"""The multi-method form: documented interfaces of ExecuTorch only, chained by the caller."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import torch
from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
from executorch.exir import EdgeProgramManager, to_edge_transform_and_lower
from torch import Tensor, nn
from torch.export import ExportedProgram

from fa_mobile.denoiser import GainSelector, RawDenoiser, Selected, subrange_index
from fa_mobile.noise import NoiseParameters
from fa_mobile.targets.base import SelectorKind
from fa_mobile.targets.executorch_member import (
    check_delegation,
    count_operators,
    delegates,
    k_sigma_scalars,
    quiet,
)


class MethodMember(nn.Module):
    """``denoise_k(raw, a, b)``."""

    anchor_a: Tensor
    anchor_ratio: Tensor

    def __init__(self, member: nn.Module, anchor: NoiseParameters) -> None:
        super().__init__()
        self.member = member
        self.register_buffer("anchor_a", torch.tensor([anchor.a]))
        self.register_buffer("anchor_ratio", torch.tensor([anchor.b / anchor.a]))

    def forward(self, raw: Tensor, a: Tensor, b: Tensor) -> Tensor:
        out: Tensor = self.member(raw, *k_sigma_scalars(a, b, self.anchor_a, self.anchor_ratio))
        return out


class SelectByGain(nn.Module):
    """``select(gain)`` to (a, b, index)."""

    def __init__(self, selector: GainSelector) -> None:
        super().__init__()
        self.selector = selector

    def forward(self, gain: Tensor) -> Selected:
        out: Selected = self.selector(gain)
        return out


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
    members: Sequence[ExportedProgram],
    selector: SelectorKind,
    side: int,
    sides: dict[int, Any],
) -> tuple[EdgeProgramManager, Counter[str], Counter[str]]:
    """``select`` and ``denoise_0`` .. in one program; operators inside and outside of delegates.

    Raises:
        ExportError: naming the operators of a member that XNNPACK left outside.
    """
    raw = torch.full((1, 1, side, side), 100.0)
    select = (SelectByGain if selector == "gain" else SelectByNoise)(denoiser.selector)
    scalars = tuple(torch.ones(1) for _ in range(1 if selector == "gain" else 2))
    programs = {"select": torch.export.export(select.eval(), scalars, strict=False)}
    for index, (member, anchor) in enumerate(zip(members, denoiser.spec.anchors, strict=True)):
        programs[f"denoise_{index}"] = torch.export.export(
            MethodMember(member.module(), anchor),
            (raw, torch.ones(1), torch.ones(1)),
            dynamic_shapes=(sides, None, None),
            strict=False,
        )
    names = [name for name in programs if name != "select"]
    with quiet():
        edge = to_edge_transform_and_lower(
            programs, partitioner={name: [XnnpackPartitioner()] for name in names}
        )
    inside: Counter[str] = Counter()
    for name in names:
        graph_module = edge.exported_program(name).graph_module
        check_delegation(graph_module, name)
        for lowered in delegates(graph_module):
            inside += count_operators(lowered.original_module.graph_module)
    outside = count_operators(edge.exported_program("select").graph_module)
    return edge, inside, outside
