"""The selection around the members: one ONNX model with the members in the branches of ``If``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from fa_mobile.sensor import SensorProfile
from fa_mobile.targets.base import SelectorKind

IR_VERSION: Final = 10
"""What onnxruntime reads from 1.18 on, and onnxruntime-web of the same version."""
MOSAIC: Final = (1, 1, "H", "W")
_OUTER: Final = frozenset({"raw", "a", "b", ""})


def compose(
    members: Sequence[onnx.ModelProto],
    edges: Sequence[float],
    profile: SensorProfile,
    selector: SelectorKind,
) -> onnx.ModelProto:
    """One model: raw and gain (or a and b) in, denoised out.

    Args:
        members: models with inputs raw, a, b and one output, in the order of their subranges.
        edges: the len(members) - 1 values of a between them, rising.
        profile: gives a(gain) and b(gain) where the selector is "gain".
        selector: "gain" or "noise-profile".

    Raises:
        ValueError: for edges that do not fit the members.
    """
    if len(edges) != len(members) - 1:
        raise ValueError(f"{len(edges)} edges were given for {len(members)} members")
    if selector == "gain":
        scalars, nodes, constants = ["gain"], *_noise_of_gain(profile)
    else:
        scalars, nodes, constants = ["a", "b"], [], []
    for index, edge in enumerate(edges):
        constants.append(_scalar(f"edge_{index}", edge))
        reached = helper.make_node(
            "GreaterOrEqual", ["a", f"edge_{index}"], [_reached(index)], name=f"select_{index}"
        )
        nodes.append(reached)
    inner = _tree(members, 0, len(members), "denoised")
    nodes.extend(inner.node)
    constants.extend(inner.initializer)
    graph = helper.make_graph(
        nodes,
        "fa_mobile",
        [_mosaic("raw")]
        + [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in scalars],
        [_mosaic("denoised")],
        initializer=constants,
    )
    opsets = {item.domain: item.version for model in members for item in model.opset_import}
    return helper.make_model(
        graph,
        ir_version=IR_VERSION,
        producer_name="fa-mobile",
        opset_imports=[helper.make_opsetid(*item) for item in sorted(opsets.items())],
    )


def branches(graph: onnx.GraphProto) -> list[onnx.GraphProto]:
    """The members' graphs, in the order of their subranges; ``graph`` itself without ``If``."""
    chosen = [node for node in graph.node if node.op_type == "If"]
    if not chosen:
        return [graph]
    by_name = {item.name: item.g for item in chosen[0].attribute}
    return branches(by_name["else_branch"]) + branches(by_name["then_branch"])


def _noise_of_gain(
    profile: SensorProfile,
) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
    """a = gain a1 + a0 and b = (gain b2 + b1) gain + b0, in GainSelector's float32 steps."""
    (a1, a0), (b2, b1, b0) = profile.a_linear, profile.b_quadratic
    steps = (
        ("Mul", "gain", "a1", "a_slope"),
        ("Add", "a_slope", "a0", "a"),
        ("Mul", "gain", "b2", "b_square"),
        ("Add", "b_square", "b1", "b_slope"),
        ("Mul", "b_slope", "gain", "b_gain"),
        ("Add", "b_gain", "b0", "b"),
    )
    nodes = [
        helper.make_node(operator, [left, right], [output], name=f"noise_{output}")
        for operator, left, right, output in steps
    ]
    values = {"a1": a1, "a0": a0, "b2": b2, "b1": b1, "b0": b0}
    return nodes, [_scalar(name, value) for name, value in values.items()]


def _tree(members: Sequence[onnx.ModelProto], low: int, high: int, output: str) -> onnx.GraphProto:
    """A graph that gives ``output`` from one of members low .. high - 1 by halving."""
    if high - low == 1:
        return _branch(members[low], low, output)
    middle = (low + high) // 2
    node = helper.make_node(
        "If",
        [_reached(middle - 1)],
        [output],
        name=f"choose_{low}_{high}",
        then_branch=_tree(members, middle, high, f"{output}_from_{middle}"),
        else_branch=_tree(members, low, middle, f"{output}_below_{middle}"),
    )
    return helper.make_graph([node], f"members_{low}_{high}", [], [_mosaic(output)])


def _branch(model: onnx.ModelProto, index: int, output: str) -> onnx.GraphProto:
    """A member as a subgraph: its names get a prefix, raw, a and b come from outside.

    Names are unique across branches, which ONNX asks of a graph and the graphs inside it. The
    exporter's metadata is left behind: it names files of the machine that exported.
    """
    last = model.graph.output[0].name

    def named(name: str) -> str:
        if name == last:
            return output
        return name if name in _OUTER else f"m{index}/{name}"

    graph = onnx.GraphProto(name=f"member_{index}")
    for node in model.graph.node:
        copied = graph.node.add()
        copied.CopyFrom(node)
        copied.name = f"m{index}/{node.name}"
        copied.input[:] = [named(name) for name in node.input]
        copied.output[:] = [named(name) for name in node.output]
        copied.ClearField("doc_string")
        del copied.metadata_props[:]
    for constant in model.graph.initializer:
        value = numpy_helper.from_array(numpy_helper.to_array(constant), named(constant.name))
        graph.initializer.append(value)
    graph.output.append(_mosaic(output))
    return graph


def _reached(index: int) -> str:
    return f"reached_{index}"


def _scalar(name: str, value: float) -> onnx.TensorProto:
    return numpy_helper.from_array(np.array([value], np.float32), name)


def _mosaic(name: str) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, MOSAIC)
