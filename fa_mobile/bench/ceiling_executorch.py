"""Chains of convolutions as ExecuTorch programs: XNNPACK, static PT2E int8 as in the bundles."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from fa_mobile.bench.chains import LENGTH, Chain
from fa_mobile.quantization import QuantizationPlan, quantize_member
from fa_mobile.targets.executorch_lowering import lower, quiet
from fa_mobile.targets.executorch_member import check_delegation


class _Chained(nn.Module):
    """A chain under the name ``network``, which is what quantization looks for."""

    def __init__(self, chain: Chain) -> None:
        super().__init__()
        c, k = chain.channels, chain.kernel
        self.network = nn.Sequential(
            *(nn.Conv2d(c, c, k, padding=k // 2, bias=True) for _ in range(LENGTH))
        )

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.network(x)
        return out


def chain_program(chain: Chain, precision: str) -> bytes:
    """The program's file, all of it in one delegate.

    Raises:
        ExportError: when XNNPACK leaves something outside.
    """
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = _Chained(chain).eval()
        example = (torch.rand(1, chain.channels, chain.side, chain.side),)
        return module_program(module, example, precision, chain.name)


def module_program(
    module: nn.Module, example: tuple[Tensor, ...], precision: str, name: str
) -> bytes:
    """A module as a program's file, all of it in one delegate; int8 in its ``network``.

    Raises:
        ExportError: when XNNPACK leaves something outside.
    """
    with quiet(), torch.no_grad():
        program = torch.export.export(module, example, strict=False)
        if precision == "int8":
            made = quantize_member(program, [example], QuantizationPlan())
            program = torch.export.export(made.module, example, strict=False)
        edge = lower(program)
    check_delegation(edge.exported_program().graph_module, name)
    with quiet():
        data: bytes = edge.to_executorch().buffer
    return data
