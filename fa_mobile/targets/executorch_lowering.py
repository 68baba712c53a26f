"""Lowering to XNNPACK, with one pass of our own: no copy where the memory's order is right already.

XNNPACK's delegate keeps images with channels last. A permutation from [N, h, w, C] to
[N, C, h, w] and the change to channels last behind it undo each other, and so does the pair on
the way back: two transpositions of the whole image for nothing. The pass makes a view of each.

It leans on names of ExecuTorch's that are not its documented interface (the list of passes of its
preprocessing); :func:`lower` says so where one is missing.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from typing import Any, Final

import torch
from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
from executorch.exir import EdgeProgramManager, to_edge_transform_and_lower
from executorch.exir.dialects._ops import ops
from executorch.exir.pass_base import PassResult
from torch import fx
from torch.export import ExportedProgram

from fa_mobile.targets.base import ExportError

_CHANNELS_LAST_TAG: Final = "XNN_NHWC_NODE"
_TO_CHANNELS: Final = [0, 3, 1, 2]
_FROM_CHANNELS: Final = [0, 2, 3, 1]
_VIEW: Final = ops.edge.aten.view_copy.default
_PERMUTE: Final = ops.edge.aten.permute_copy.default
_TO_COPY: Final = ops.edge.aten._to_copy.default


def lower(
    programs: ExportedProgram | dict[str, ExportedProgram], *outside: str
) -> EdgeProgramManager:
    """Lower to XNNPACK, int8 or float, each program by the same partitioner.

    Args:
        programs: one, or several by their methods' names.
        outside: methods to leave as they are.

    Raises:
        ExportError: without ExecuTorch's private names.
    """
    partitioner: Any = [XnnpackPartitioner()]
    if isinstance(programs, dict):
        partitioner = {name: partitioner for name in programs if name not in outside}
    with quiet(), _views_kept():
        return to_edge_transform_and_lower(programs, partitioner=partitioner)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Without the deprecation warnings that ExecuTorch's own code causes by the dozen."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


@contextlib.contextmanager
def _views_kept() -> Iterator[None]:
    """XNNPACK's preprocessing with :func:`views_for_pairs` as its last pass."""
    try:
        from executorch.backends.xnnpack import xnnpack_preprocess
        from executorch.backends.xnnpack._passes.xnnpack_pass import XNNPACKPass
        from executorch.backends.xnnpack.xnnpack_preprocess import XNNPACKPassManager
    except ImportError as error:
        raise ExportError(
            f"this ExecuTorch has no {error.name or 'XNNPACK passes'} to lower with; "
            "install executorch 1.4.1"
        ) from error

    class ViewsForPairs(XNNPACKPass):  # type: ignore[misc]
        def call(self, graph_module: fx.GraphModule) -> PassResult:
            return PassResult(graph_module, views_for_pairs(graph_module.graph) > 0)

    class Manager(XNNPACKPassManager):  # type: ignore[misc]
        def __init__(self, program: ExportedProgram, passes: Any = None) -> None:
            super().__init__(program, passes)
            if not passes:
                self.passes: list[Any] = [*self.passes, ViewsForPairs]

    xnnpack_preprocess.XNNPACKPassManager = Manager
    try:
        yield
    finally:
        xnnpack_preprocess.XNNPACKPassManager = XNNPACKPassManager


def views_for_pairs(graph: fx.Graph) -> int:
    """Replace each permutation and change of memory format that undo each other by a view.

    Args:
        graph: behind XNNPACK's own passes, which mark what has its channels last.

    Returns:
        How many there were.
    """
    found = 0
    for node in list(graph.nodes):
        if node.target != _TO_COPY or node.args[0].target != _PERMUTE:
            continue
        source, order = node.args[0].args
        to_last = node.kwargs.get("memory_format") == torch.channels_last
        if list(order) != (_TO_CHANNELS if to_last else _FROM_CHANNELS):
            continue
        if _has_channels_last(source) == to_last:
            continue
        value = node.meta["val"]
        with graph.inserting_before(node):
            view = graph.call_function(_VIEW, (source, list(value.shape)))
        view.meta["val"] = value
        if to_last:
            view.meta[_CHANNELS_LAST_TAG] = True
        node.replace_all_uses_with(view)
        found += 1
    for node in graph.nodes:
        if node.target == _VIEW and node.args[0].target == _VIEW:
            node.replace_input_with(node.args[0], node.args[0].args[0])
    graph.eliminate_dead_code()
    return found


def _has_channels_last(node: fx.Node) -> bool:
    return bool(node.meta.get(_CHANNELS_LAST_TAG, False))
