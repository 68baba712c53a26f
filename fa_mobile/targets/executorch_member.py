"""One member of the array as one XNNPACK delegate: its form, and its lowering.

The delegate takes ``(raw, scale, offset, inverse)``: k-sigma's scalars come from outside, so that
no constant of the member has to travel with the call.
"""

from __future__ import annotations

import contextlib
import warnings
from collections import Counter
from collections.abc import Iterator
from typing import Any

import torch
from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
from executorch.exir import to_edge_transform_and_lower
from executorch.exir.delegate import executorch_call_delegate
from executorch.exir.lowered_backend_module import LoweredBackendModule
from torch import Tensor, fx, nn
from torch.export import Dim, ExportedProgram
from torch.nn import functional

from fa_mobile.denoiser import MemberDenoiser, RawDenoiser
from fa_mobile.folding import FoldPlan, fold, rewritten
from fa_mobile.networks.blocks import ConvUpsample
from fa_mobile.targets.base import ExportError

SMALLEST = 2  # in strides: torch.export cannot keep a size dynamic that may be 1


class SmoothedUpsample(nn.Module):
    """``ConvUpsample`` in operators that XNNPACK runs with dynamic sizes: exact, borders included.

    Its own bilinear operator needs sizes known at export. Bilinear x2 with half-pixel centres is
    nearest x2, then a box of 2, then a box of 2 again. The first box reaches over the borders; an
    average that does not count padding equals the replicated border that bilinear assumes. The
    diagonal transposed convolution (nearest x2) costs half of one merged with the 1x1.
    """

    def __init__(self, layer: ConvUpsample) -> None:
        super().__init__()
        self.conv = layer.conv
        channels = layer.conv.out_channels
        self.spread = nn.ConvTranspose2d(channels, channels, 2, stride=2, bias=False)
        self.spread.to(layer.conv.weight)
        with torch.no_grad():
            diagonal = torch.eye(channels).view(channels, channels, 1, 1)
            self.spread.weight.copy_(diagonal.expand(-1, -1, 2, 2))

    def forward(self, x: Tensor) -> Tensor:
        y = self.spread(self.conv(x))
        y = functional.avg_pool2d(y, 2, stride=1, padding=1, count_include_pad=False)
        return functional.avg_pool2d(y, 2, stride=1, padding=0, count_include_pad=False)


def smoothed_upsample(module: nn.Module) -> nn.Module | None:
    """Rewrite: every ``ConvUpsample`` becomes a :class:`SmoothedUpsample`."""
    return SmoothedUpsample(module) if isinstance(module, ConvUpsample) else None


class DelegateMember(nn.Module):
    """A folded member: ``raw`` [1, 1, H, W] in DN and k-sigma's scalars, [1] each, to denoised."""

    def __init__(self, member: MemberDenoiser, plan: FoldPlan) -> None:
        super().__init__()
        folded = rewritten(fold(member, plan), smoothed_upsample)
        self.pack = folded.get_submodule("pack")
        self.network = folded.get_submodule("network")
        self.unpack = folded.get_submodule("unpack")

    def forward(self, raw: Tensor, scale: Tensor, offset: Tensor, inverse: Tensor) -> Tensor:
        x = self.pack(raw)
        residual = self.network(x * scale + offset)
        out: Tensor = self.unpack(torch.clamp(x + residual * inverse, 0.0, 1.0))
        return out


def k_sigma_scalars(
    a: Tensor, b: Tensor, anchor_a: Tensor, anchor_ratio: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """(scale, offset, inverse), [1] each, of noise (a, b) to the anchor (a0, b0).

    Args:
        a, b: the capture's noise, float32 [1].
        anchor_a: a0, float32 [1].
        anchor_ratio: b0 / a0, float32 [1].
    """
    scale = anchor_a / a
    return scale, scale * (b / a) - anchor_ratio, a / anchor_a


def dynamic_sides(denoiser: RawDenoiser, tile: int) -> dict[int, Any]:
    """The dynamic dimensions of ``raw``: H and W, multiples of the stride up to ``tile``.

    Raises:
        ExportError: for a tile that is not such a multiple, or too small to vary.
    """
    stride = denoiser.stride
    if tile % stride or tile <= SMALLEST * stride:
        raise ExportError(
            f"tile={tile} was given; allowed are multiples of {stride} above "
            f"{SMALLEST * stride}: choose one, for example {max(tile // stride, 8) * stride}"
        )
    most = tile // stride
    return {
        2: stride * Dim("rows", min=SMALLEST, max=most),
        3: stride * Dim("columns", min=SMALLEST, max=most),
    }


def export_member(module: nn.Module, side: int, sides: dict[int, Any]) -> ExportedProgram:
    """Export a ``(raw, scale, offset, inverse)`` module for dynamic sides."""
    raw = torch.full((1, 1, side, side), 100.0)
    scalars = (torch.tensor([1.0]), torch.tensor([0.5]), torch.tensor([2.0]))
    return torch.export.export(
        module, (raw, *scalars), dynamic_shapes=(sides, None, None, None), strict=False
    )


def lower_member(program: ExportedProgram, name: str) -> LoweredBackendModule:
    """Lower a member to its one delegate.

    Args:
        program: of signature (raw, scale, offset, inverse).
        name: of the member, for the error.

    Raises:
        ExportError: naming the operators that XNNPACK left outside.
    """
    with quiet():
        edge = to_edge_transform_and_lower(program, partitioner=[XnnpackPartitioner()])
    graph_module = edge.exported_program().graph_module
    check_delegation(graph_module, name)
    (call,) = (n for n in graph_module.graph.nodes if n.target is executorch_call_delegate)
    (lowered,) = delegates(graph_module)
    given = [node.name for node in call.args[1:]]
    wanted = ["raw", "scale", "offset", "inverse"]
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


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Without the deprecation warnings that ExecuTorch's own code causes by the dozen."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        warnings.simplefilter("ignore", DeprecationWarning)
        yield
