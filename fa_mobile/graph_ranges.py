"""int8 ranges of a graph that PT2E converted: read, set, and what their tensors took."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, fx

from fa_mobile.ranges import Ends, Seen, affine, covered


class GraphRange:
    """The range of quantize and dequantize operators of a converted graph that share one."""

    def __init__(self, module: fx.GraphModule, operators: Sequence[fx.Node]) -> None:
        self.quantizing = tuple(operators)
        self._module = module
        self._operators = [n for node in operators for n in (node, *node.users)]

    @property
    def ends(self) -> Ends:
        """Lowest and highest value that 8 bits cover."""
        scale, zero_point, low, high = self._operators[0].args[1:5]
        return covered(scale, zero_point, low, high)  # type: ignore[arg-type]

    @ends.setter
    def ends(self, value: Ends) -> None:
        for node in self._operators:
            _, _, _, low, high, *rest = node.args
            node.args = (node.args[0], *affine(value, low, high), low, high, *rest)  # type: ignore[arg-type]
        self._module.recompile()


def activation_ranges(module: fx.GraphModule) -> list[GraphRange]:
    """Every range of activations in a converted graph, from its input to its output.

    Operators that the quantizer held to one range (a concatenation's) share it here.
    """
    together: dict[tuple[Any, ...], list[fx.Node]] = {}
    # Known once there is a converted graph: importing torch alone does not register it.
    quantize = torch.ops.quantized_decomposed.quantize_per_tensor.default
    for node in module.graph.nodes:
        if node.target is quantize:
            together.setdefault(tuple(node.args[1:3]), []).append(node)
    return [GraphRange(module, nodes) for nodes in together.values()]


@torch.no_grad()
def observe(
    module: fx.GraphModule, ranges: Sequence[GraphRange], inputs: Sequence[tuple[Tensor, ...]]
) -> list[Seen]:
    """What the tensors of each range take where no activation is rounded.

    Args:
        inputs: of the graph, one capture each.
    """
    seen = [Seen() for _ in ranges]
    by_node = {
        node: one for each, one in zip(ranges, seen, strict=True) for node in each.quantizing
    }
    unrounded = _Unrounded(module, by_node)
    for given in inputs:
        unrounded.run(*given)
    return seen


class _Unrounded(fx.Interpreter):
    """Runs a converted graph with its activations in float, and keeps what would be rounded."""

    def __init__(self, module: fx.GraphModule, seen: dict[fx.Node, Seen]) -> None:
        super().__init__(module)
        self._seen = seen
        self._passed = {user for node in seen for user in node.users} | set(seen)

    def run_node(self, n: fx.Node) -> Any:
        if n not in self._passed:
            return super().run_node(n)
        (value, *_), _ = self.fetch_args_kwargs_from_env(n)
        if n in self._seen:
            self._seen[n].add(np.asarray(value.numpy(), np.float32))
        return value
