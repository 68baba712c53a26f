"""One place in memory for what the members of a selection give.

ExecuTorch 1.4.1 plans the result of every branch of a ``torch.cond`` and the result of the cond
itself apart. Its emitter, however, moves the value of the branch that ran to the outside, so that
the places of the conds are reserved and never written: a frame's tile for each level of the tree
of members, and one more for the program's output. Here all of them are one place.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import torch
from executorch.exir import ExecutorchBackendConfig
from executorch.exir.memory_planning import MemoryPlanningAlgorithmSuite
from executorch.exir.passes import MemoryPlanningPass
from executorch.exir.tensor import TensorSpec
from torch import fx


def plan_selection(
    alignment: int,
    specs: Iterable[TensorSpec],
    graph_module: fx.GraphModule,
    graph_signature: object,
    extra_padding: int,
) -> list[int]:
    """ExecuTorch's own plan of one graph, but a cond's result lies where its branches' do.

    The interface is that of ``MemoryPlanningPass``'s ``memory_planning_algo``; branches are
    planned before the graph that holds them, and their places are not given away there.

    Returns:
        Bytes of each arena.
    """
    results = _cond_results(graph_module)
    others = {spec for spec in specs if id(spec) not in {id(outside) for outside, _ in results}}
    sizes: list[int] = MemoryPlanningAlgorithmSuite()(
        alignment, others, graph_module, graph_signature, extra_padding
    )
    for outside, inside in results:
        outside.mem_id, outside.mem_offset = inside.mem_id, inside.mem_offset
        outside.mem_obj_id = inside.mem_obj_id
        outside.realign(alignment)
    return sizes


def _cond_results(graph_module: fx.GraphModule) -> list[tuple[TensorSpec, TensorSpec]]:
    """(the result outside, the result of its branches) of the graph's one cond, or nothing.

    A second cond would write over the first one's result, and branches that put theirs in
    different places leave no one place to share: both are left to ExecuTorch's own plan.
    """
    conds = [
        node for node in graph_module.graph.nodes if node.target is torch.ops.higher_order.cond
    ]
    if len(conds) != 1:
        return []
    (cond,) = conds
    branches = [_results(getattr(graph_module, branch.target)) for branch in cond.args[1:3]]
    if len({tuple((spec.mem_id, spec.mem_offset) for spec in each) for each in branches}) != 1:
        return []
    return list(zip(cond.meta["spec"], branches[0], strict=True))


def _results(branch: fx.GraphModule) -> list[TensorSpec]:
    (given,) = branch.graph.output_node().args
    return [node.meta["spec"] for node in given]  # type: ignore[union-attr]


MEMORY: Final[Any] = ExecutorchBackendConfig(
    # The caller's own tensor is the input: a planned one would cost a copy of it.
    memory_planning_pass=MemoryPlanningPass(
        memory_planning_algo=plan_selection, alloc_graph_input=False
    )
)
