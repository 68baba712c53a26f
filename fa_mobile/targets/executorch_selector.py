"""The selection among lowered members inside one ExecuTorch program.

``torch.cond`` does not delegate inside its branches, and a delegate cannot be called in a branch
that is being exported. So the program is exported with an operator of our own in the members'
places, which is replaced by the delegate calls once the program is in the edge dialect. That
leans on two names of ExecuTorch's that are not its documented interface
(``executorch_call_delegate`` and ``EdgeProgramManager``'s constructor, which collects the
delegates' named data); :func:`insert_delegates` says so where one is missing.
"""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

import torch
from executorch.exir import EdgeCompileConfig, EdgeProgramManager, to_edge
from executorch.exir.lowered_backend_module import LoweredBackendModule
from torch import Tensor, fx, nn
from torch.export import ExportedProgram

from fa_mobile.denoiser import RawDenoiser, subrange_index
from fa_mobile.targets.base import ExportError, SelectorKind
from fa_mobile.targets.executorch_lowering import quiet
from fa_mobile.targets.executorch_member import (
    Member,
    count_operators,
    lower_member,
)

Branch = Callable[..., Tensor]
"""(raw, index, *scalars) to denoised."""


@torch.library.custom_op("fa_mobile::member", mutates_args=())
def member_placeholder(raw: Tensor, scalars: list[Tensor], member: int) -> Tensor:
    """Where a member's delegate will be called; never run."""
    raise NotImplementedError(f"member {member} was not replaced by its delegate")


@member_placeholder.register_fake
def _(raw: Tensor, *_operands: object) -> Tensor:
    return torch.empty_like(raw)


class Selection(nn.Module):
    """(raw, a, b) to denoised: the domain's scalars and the tree of members, as exported.

    ``member`` is any folded one: they differ in weights and anchors only.
    """

    anchors_a: Tensor
    anchors_b: Tensor

    def __init__(self, denoiser: RawDenoiser, member: Member) -> None:
        super().__init__()
        self.selector = denoiser.selector
        anchors = denoiser.spec.anchors
        self.count = len(anchors)
        self.register_buffer("anchors_a", torch.tensor([anchor.a for anchor in anchors]))
        self.register_buffer("anchors_b", torch.tensor([anchor.b for anchor in anchors]))
        self._scalars_at = member.scalars_at
        self.run = _tree(0, self.count)

    def choose(self, raw: Tensor, a: Tensor, b: Tensor, index: Tensor) -> Tensor:
        """Run member ``index``, int64 [1]."""
        anchor_a = torch.index_select(self.anchors_a, 0, index)
        anchor_b = torch.index_select(self.anchors_b, 0, index)
        return self.run(raw, index, *self._scalars_at(a, b, anchor_a, anchor_b))


class GainProgram(Selection):
    """``forward(raw, gain)``."""

    def forward(self, raw: Tensor, gain: Tensor) -> Tensor:
        return self.choose(raw, *self.selector(gain))


class NoiseProfileProgram(Selection):
    """``forward(raw, a, b)``."""

    def forward(self, raw: Tensor, a: Tensor, b: Tensor) -> Tensor:
        return self.choose(raw, a, b, subrange_index(a, self.selector.edges))


def _tree(low: int, high: int) -> Branch:
    """A function that runs member ``index`` of low..high - 1: nested ``torch.cond``, balanced."""
    if high - low == 1:

        def leaf(raw: Tensor, _index: Tensor, *scalars: Tensor) -> Tensor:
            out: Tensor = torch.ops.fa_mobile.member(raw, list(scalars), low)
            return out

        return leaf
    middle = (low + high) // 2
    below, above = _tree(low, middle), _tree(middle, high)

    def fork(raw: Tensor, index: Tensor, *scalars: Tensor) -> Tensor:
        out: Tensor = torch.cond(index >= middle, above, below, (raw, index, *scalars))
        return out

    return fork


def selecting_program(
    denoiser: RawDenoiser,
    member: Member,
    members: Sequence[ExportedProgram],
    selector: SelectorKind,
    sides: tuple[int, int],
) -> tuple[EdgeProgramManager, Counter[str], Counter[str]]:
    """One callable over the members; operators inside and outside of their delegates.

    Args:
        member: one of them, folded, not exported.
        members: of signature (raw, *scalars), quantized or not.
        sides: H and W of ``raw``.

    Raises:
        ExportError: naming the operators of a member that XNNPACK left outside, or when the
            delegates cannot be put in.
    """
    lowered = [lower_member(program, f"member {k}") for k, program in enumerate(members)]
    scalars = 1 if selector == "gain" else 2
    program = (GainProgram if selector == "gain" else NoiseProfileProgram)(denoiser, member).eval()
    # Not one tensor twice: export would merge the two inputs.
    example = (torch.full((1, 1, *sides), 100.0), *(torch.ones(1) for _ in range(scalars)))
    with quiet():
        exported = torch.export.export(program, example, strict=False)
        config = EdgeCompileConfig(_check_ir_validity=False)
        edge = to_edge(exported, compile_config=config).exported_program()
        insert_delegates(edge.graph_module, lowered)
        manager = EdgeProgramManager(edge, compile_config=config)
    outside = _total(graph_modules(edge.graph_module))
    return manager, _total(m.original_module.graph_module for m in lowered), outside


def _total(modules: Iterable[fx.GraphModule]) -> Counter[str]:
    return sum((count_operators(module) for module in modules), Counter())


def insert_delegates(root: fx.GraphModule, members: Sequence[LoweredBackendModule]) -> None:
    """Replace every ``fa_mobile::member`` in ``root`` and its branches by a delegate call.

    Raises:
        ExportError: without ExecuTorch's private names, or when a member is not called just once.
    """
    try:
        from executorch.exir.delegate import executorch_call_delegate, get_lowered_module_name
    except ImportError as error:
        raise ExportError(
            f"this ExecuTorch has no {error.name or 'delegate call'} to build a one-call program "
            "with; install executorch 1.4.1 or export with form='methods'"
        ) from error
    called: list[int] = []
    for graph_module in graph_modules(root):
        graph = graph_module.graph
        for node in list(graph.nodes):
            if "fa_mobile.member" not in str(node.target):
                continue
            raw, scalars, member = node.args
            with graph.inserting_before(node):
                lowered = graph.get_attr(get_lowered_module_name(graph_module, members[member]))
                call = graph.call_function(executorch_call_delegate, (lowered, raw, *scalars))
                call.meta["val"] = [node.meta["val"]]
                result = graph.call_function(operator.getitem, (call, 0))
                result.meta["val"] = node.meta["val"]
            node.replace_all_uses_with(result)
            graph.erase_node(node)
            called.append(member)
        graph.lint()
        graph_module.recompile()
    if sorted(called) != list(range(len(members))):
        raise ExportError(
            f"the exported selection calls members {sorted(called)} of {len(members)}, not each "
            "once; export with form='methods' and report this"
        )


def graph_modules(root: fx.GraphModule) -> Iterator[fx.GraphModule]:
    """``root`` and the branches within it; delegates are not graph modules."""
    return (module for module in root.modules() if isinstance(module, fx.GraphModule))
