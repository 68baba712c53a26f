"""Chains of convolutions as ONNX graphs, QDQ in int8 as in the bundles."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from fa_mobile.bench.chains import LENGTH, Chain

OPSET: Final = 18
IR_VERSION: Final = 10
_ACTIVATION_SCALE: Final = 1 / 64
_ZERO_POINT: Final = 128


class _Graph:
    """Nodes and constants as they are added."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, name: str, value: object, dtype: npt.DTypeLike) -> str:
        self.constants.append(numpy_helper.from_array(np.asarray(value, dtype), name))
        return name

    def add(self, operator: str, inputs: list[str], output: str, **facts: Any) -> str:
        self.nodes.append(helper.make_node(operator, inputs, [output], name=output, **facts))
        return output


def chain_model(chain: Chain, precision: str) -> bytes:
    """The model's file; int8: uint8 activations, int8 weights per output channel."""
    rng = np.random.default_rng(0)
    graph = _Graph()
    tensor = "x"
    if precision == "int8":
        graph.constant("scale", _ACTIVATION_SCALE, np.float32)
        graph.constant("zero", _ZERO_POINT, np.uint8)
        tensor = _quantized(graph, tensor, "in")
    shape = (chain.channels, chain.channels, chain.kernel, chain.kernel)
    for index in range(LENGTH):
        weights = rng.normal(0, (chain.channels * chain.kernel**2) ** -0.5, shape)
        tensor = _convolution(graph, tensor, index, weights, precision)
    value = [1, chain.channels, chain.side, chain.side]
    made = helper.make_graph(
        graph.nodes,
        chain.name,
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, value)],
        [helper.make_tensor_value_info(tensor, TensorProto.FLOAT, value)],
        initializer=graph.constants,
    )
    model = helper.make_model(
        made, ir_version=IR_VERSION, opset_imports=[helper.make_opsetid("", OPSET)]
    )
    onnx.checker.check_model(model, full_check=True)
    data: bytes = model.SerializeToString()
    return data


def _convolution(
    graph: _Graph,
    tensor: str,
    index: int,
    weights: npt.NDArray[np.float64],
    precision: str,
) -> str:
    facts = {"pads": [weights.shape[2] // 2] * 4, "kernel_shape": list(weights.shape[2:])}
    name = f"conv{index}"
    if precision != "int8":
        weight = graph.constant(f"{name}.weight", weights, np.float32)
        return graph.add("Conv", [tensor, weight], name, **facts)
    scales = np.abs(weights).max(axis=(1, 2, 3)) / 127
    levels = np.round(weights / scales[:, None, None, None])
    inputs = [
        graph.constant(f"{name}.weight", levels, np.int8),
        graph.constant(f"{name}.scale", scales, np.float32),
        graph.constant(f"{name}.zero", np.zeros(len(scales)), np.int8),
    ]
    weight = graph.add("DequantizeLinear", inputs, f"{name}.float", axis=0)
    return _quantized(graph, graph.add("Conv", [tensor, weight], name, **facts), name)


def _quantized(graph: _Graph, tensor: str, name: str) -> str:
    quantized = graph.add("QuantizeLinear", [tensor, "scale", "zero"], f"{name}.q")
    return graph.add("DequantizeLinear", [quantized, "scale", "zero"], f"{name}.dq")
