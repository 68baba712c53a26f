"""One member of the array as one XNNPACK delegate: its form, and its lowering.

The delegate takes ``raw`` and the domain's scalars: those come from outside, so that no constant
of the member has to travel with the call.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

import torch
from executorch.exir.delegate import executorch_call_delegate
from executorch.exir.lowered_backend_module import LoweredBackendModule
from torch import Tensor, fx, nn
from torch.export import Dim, ExportedProgram

from fa_mobile.denoiser import MemberDenoiser, RawDenoiser
from fa_mobile.folding.mosaic import MosaicMember
from fa_mobile.targets.base import ExportError
from fa_mobile.targets.executorch_lowering import lower

Member = MemberDenoiser | MosaicMember
_SMALLEST: Final = 2
"""In strides, of calibration captures: torch.export cannot keep a size dynamic that may be 1."""


class DelegateMember(nn.Module):
    """A folded member as its delegate is called: ``raw`` [1, 1, H, W] in DN and scalars, [1] each.

    The submodules are the member's own, by the same names.
    """

    def __init__(self, member: Member) -> None:
        super().__init__()
        for name, child in member.named_children():
            self.add_module(name, child)
        self._denoise = member.denoise

    def forward(self, raw: Tensor, *scalars: Tensor) -> Tensor:
        return self._denoise(raw, *scalars)


def check_tile(denoiser: RawDenoiser, sides: tuple[int, int]) -> None:
    """Refuse a tile that the network cannot take.

    Raises:
        ExportError: for one that is not a multiple of the stride.
    """
    stride = denoiser.stride
    if any(side % stride or side <= 0 for side in sides):
        nearest = " x ".join(str(max(side // stride, 8) * stride) for side in sides)
        raise ExportError(
            f"tile={sides[0]} x {sides[1]} was given; allowed are multiples of {stride}: choose "
            f"one, for example {nearest}"
        )


def export_member(module: nn.Module, sides: tuple[int, int], scalars: int) -> ExportedProgram:
    """Export a ``(raw, *scalars)`` module for ``raw`` of exactly [1, 1, *sides].

    Sizes known at export make it faster: XNNPACK then interpolates and shuffles pixels itself and
    plans its memory for this size.
    """
    return torch.export.export(module, _example(sides, scalars), strict=False)


def export_for_calibration(module: nn.Module, stride: int, scalars: int) -> ExportedProgram:
    """Export the same for any H and W, multiples of ``stride``, as calibration captures have."""
    sides = {
        2: stride * Dim("rows", min=_SMALLEST),
        3: stride * Dim("columns", min=_SMALLEST),
    }
    example = _example((4 * _SMALLEST * stride, 4 * _SMALLEST * stride), scalars)
    shapes = (sides, *([None] * scalars)) if scalars else (sides,)
    return torch.export.export(
        module, example, dynamic_shapes={"raw": sides, "scalars": shapes[1:]}, strict=False
    )


def _example(sides: tuple[int, int], scalars: int) -> tuple[Tensor, ...]:
    # Not one tensor twice: export would merge the inputs.
    return torch.full((1, 1, *sides), 100.0), *(torch.ones(1) for _ in range(scalars))


def lower_member(program: ExportedProgram, name: str) -> LoweredBackendModule:
    """Lower a member to its one delegate.

    Args:
        program: of signature (raw, *scalars).
        name: of the member, for the error.

    Raises:
        ExportError: naming the operators that XNNPACK left outside.
    """
    graph_module = lower(program).exported_program().graph_module
    check_delegation(graph_module, name)
    (call,) = (n for n in graph_module.graph.nodes if n.target is executorch_call_delegate)
    (lowered,) = delegates(graph_module)
    given = [node.name for node in call.args[1:]]
    wanted = [str(name) for name in program.graph_signature.user_inputs]
    if given != wanted:
        raise ExportError(
            f"{name}: the delegate takes ({', '.join(given)}), not ({', '.join(wanted)}); "
            "a constant or an input is handled outside of it"
        )
    return lowered


def check_delegation(graph_module: fx.GraphModule, name: str) -> None:
    """Exactly one delegate call, and no operator beside it.

    Raises:
        ExportError: naming the operators outside and counting the delegates.
    """
    count = len(delegates(graph_module))
    outside = count_operators(graph_module)
    if count != 1 or outside:
        listed = ", ".join(f"{operator} x{times}" for operator, times in sorted(outside.items()))
        raise ExportError(
            f"{name} became {count} XNNPACK delegates, allowed is exactly one with nothing "
            f"beside it; left outside: {listed or 'nothing'}. Rewrite these operators in the "
            "network (convolution, transposed convolution, add, mul and clamp are delegated), or "
            "add a fold that does"
        )


def delegates(graph_module: fx.GraphModule) -> list[LoweredBackendModule]:
    """The lowered modules that a graph (branches not included) calls, in order."""
    return [
        getattr(graph_module, node.args[0].target)
        for node in graph_module.graph.nodes
        if node.target is executorch_call_delegate
    ]


def count_operators(graph_module: fx.GraphModule) -> Counter[str]:
    """Operators of a graph by name (``aten.convolution``), delegate calls and getitem left out."""
    return Counter(
        operator_name(node.target)
        for node in graph_module.graph.nodes
        if node.op == "call_function"
        and node.target is not executorch_call_delegate
        and getattr(node.target, "__name__", "") != "getitem"
    )


def operator_name(target: object) -> str:
    """``aten.ge`` for the operator aten.ge.Tensor, ``cond`` for the control flow."""
    return ".".join(str(getattr(target, "__name__", target)).split(".")[:2])
