"""Lowering to XNNPACK: what our own pass makes of its graphs."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
import torch
from executorch.backends.xnnpack import xnnpack_preprocess
from torch import Tensor, nn

from fa_mobile.folding.mosaic import PackedColumns, UnpackedColumns
from fa_mobile.runtimes.executorch_torch import load
from fa_mobile.targets.executorch_lowering import lower, quiet

CELL = 4
SIDES = (48, 80)


class Between(nn.Module):
    """A convolution of packed cells, in the mosaic's place."""

    def __init__(self, pack: nn.Module, unpack: nn.Module) -> None:
        super().__init__()
        self.pack, self.conv, self.unpack = pack, nn.Conv2d(CELL**2, CELL**2, 3, padding=1), unpack

    def forward(self, mosaic: Tensor) -> Tensor:
        out: Tensor = self.unpack(self.conv(self.pack(mosaic)))
        return out


def lowered(module: nn.Module, monkeypatch: pytest.MonkeyPatch) -> tuple[Counter[str], bytes]:
    """The nodes that XNNPACK is given, by kind, and the program."""
    found: Counter[str] = Counter()
    usual = xnnpack_preprocess.serialize_xnnpack_binary

    def serialize(graph: Any, *rest: Any) -> Any:
        found.update(type(node.xnode_union).__name__ for node in graph.xnodes)
        return usual(graph, *rest)

    monkeypatch.setattr(xnnpack_preprocess, "serialize_xnnpack_binary", serialize)
    program = torch.export.export(module.eval(), (torch.rand(1, 1, *SIDES),), strict=False)
    with quiet():
        return found, lower(program).to_executorch().buffer


def test_columns_are_transposed_once_each_way(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    columns = Between(PackedColumns(CELL), UnpackedColumns(CELL))
    usual = Between(nn.PixelUnshuffle(CELL), nn.PixelShuffle(CELL))
    nodes, program = lowered(columns, monkeypatch)
    assert nodes["XNNStaticTranspose"] == 2
    assert lowered(usual, monkeypatch)[0]["XNNStaticTranspose"] == 4
    mosaic = torch.rand(1, 1, *SIDES)
    got = np.asarray(load(program, 1)["forward"]([mosaic.numpy()])[0])
    np.testing.assert_allclose(got, columns(mosaic).detach().numpy(), rtol=0, atol=1e-5)


def test_a_real_change_of_order_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows and columns swapped before a convolution: no pair undoes that."""

    class Turned(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(SIDES[0], 8, 1)

        def forward(self, x: Tensor) -> Tensor:
            out: Tensor = self.conv(x.permute(0, 2, 3, 1))
            return out

    torch.manual_seed(0)
    turned = Turned()
    nodes, program = lowered(turned, monkeypatch)
    assert nodes["XNNStaticTranspose"] == 3
    given = torch.rand(1, 1, *SIDES)
    got = np.asarray(load(program, 1)["forward"]([given.numpy()])[0])
    np.testing.assert_allclose(got, turned(given).detach().numpy(), rtol=0, atol=1e-5)


def test_executorchs_own_passes_are_back_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    before = xnnpack_preprocess.XNNPACKPassManager
    lowered(nn.Conv2d(1, 2, 1), monkeypatch)
    assert xnnpack_preprocess.XNNPACKPassManager is before


@pytest.mark.parametrize("shape", [(1, 1, 8, 12), (3, 1, 4, 4)], ids=str)
def test_columns_are_the_unshuffle_by_another_order(shape: tuple[int, ...]) -> None:
    mosaic = torch.rand(shape)
    order = torch.arange(CELL**2).view(CELL, CELL).T.flatten()
    packed = PackedColumns(CELL)(mosaic)
    assert torch.equal(packed, nn.PixelUnshuffle(CELL)(mosaic)[:, order])
    assert torch.equal(UnpackedColumns(CELL)(packed), mosaic)
