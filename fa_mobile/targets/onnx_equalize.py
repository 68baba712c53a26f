"""Channel equalization: the same network with channels of similar range, for int8 activations.

An int8 tensor has one scale for all channels, so a channel whose values are ten times smaller than
its neighbour's keeps three bits fewer. Scaling channels is free where the operators between two
convolutions commute with it (ReLU, bilinear resizing, sums of tensors with the same scaling): the
first convolution's rows are multiplied, the next one's columns divided (M. Nagel et al.,
"Data-Free Quantization through Weight Equalization and Bias Correction", ICCV 2019). Here it runs
on the exported graph, so that tensors joined by residual sums share one scaling, and a product
(Feature-Align's gamma) takes the ratio of the scalings around it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import onnx
from onnx import numpy_helper

from fa_mobile.targets.base import CalibrationSample
from fa_mobile.targets.onnx_member import network_nodes, probe

PERCENTILE: Final = 99.9
"""Of a channel's magnitudes: what counts as its range."""
LARGEST_RATIO: Final = 64.0
"""Channels quieter than the loudest by more than this are treated as if they were not: a dead
channel must not be blown up to where its weights dominate."""

Scale = npt.NDArray[np.float64]


class _Classes:
    """Union-find over tensor names: tensors of one class share one scaling."""

    def __init__(self) -> None:
        self._parent: dict[str, str] = {}

    def find(self, name: str) -> str:
        self._parent.setdefault(name, name)
        while self._parent[name] != name:
            name = self._parent[name]
        return name

    def join(self, *names: str) -> None:
        for name in names[1:]:
            self._parent[self.find(name)] = self.find(names[0])

    def names(self) -> list[str]:
        return list(self._parent)


def equalize(model: onnx.ModelProto, samples: Sequence[CalibrationSample]) -> onnx.ModelProto:
    """A copy of a member's model with equalized channels; equal up to float32 rounding.

    Args:
        model: from :func:`fa_mobile.targets.onnx_member.member_model`, metadata in place.
        samples: the member's calibration samples.
    """
    copied = onnx.ModelProto()
    copied.CopyFrom(model)
    nodes = _nodes(copied)
    classes, fixed, products = _constraints(copied, nodes)
    roots = {classes.find(name) for name in classes.names()}
    ranges = _channel_ranges(copied, samples, classes)
    frozen = {classes.find(name) for name in fixed}
    scales = {
        root: np.ones_like(ranges[root]) if root in frozen else _scale(ranges[root])
        for root in roots
        if root in ranges
    }
    by_tensor = {
        name: scales[classes.find(name)] for name in classes.names() if classes.find(name) in scales
    }
    for product in products:
        features, gain = product.input
        by_tensor[gain] = by_tensor[product.output[0]] / by_tensor[features]
    _rescale_convolutions(copied, nodes, by_tensor)
    return copied


def _nodes(model: onnx.ModelProto) -> list[onnx.NodeProto]:
    names = network_nodes(model)
    return [node for node in model.graph.node if node.name in names]


def _group(node: onnx.NodeProto) -> int:
    return next((int(item.i) for item in node.attribute if item.name == "group"), 1)


def _constraints(
    model: onnx.ModelProto, nodes: Sequence[onnx.NodeProto]
) -> tuple[_Classes, set[str], list[onnx.NodeProto]]:
    """Classes of tensors with one scaling, tensors that must keep theirs, and the products.

    What is not known to commute with a scaling (anything but the operators named here, group
    convolutions, the network's own input and output) freezes the tensors that it touches.
    """
    constants = {item.name for item in model.graph.initializer}
    producer = {output: node for node in nodes for output in node.output}
    readers: dict[str, int] = {}
    for node in nodes:
        for name in node.input:
            readers[name] = readers.get(name, 0) + 1
    classes, fixed, products = _Classes(), set[str](), []
    for node in nodes:
        tensors = [n for n in (*node.input, *node.output) if n and n not in constants]
        for name in tensors:
            classes.find(name)
            if name not in producer:
                fixed.add(name)
        gain = node.input[1] if node.op_type == "Mul" else ""
        if node.op_type in ("Relu", "Add") or (node.op_type == "Resize" and len(tensors) == 2):
            classes.join(*tensors)
        elif gain in producer and producer[gain].op_type == "Conv" and readers[gain] == 1:
            products.append(node)
        elif node.op_type != "Conv" or _group(node) != 1:
            fixed.update(tensors)
    names = {node.name for node in nodes}
    for node in model.graph.node:
        if node.name not in names:
            fixed.update(name for name in node.input if name in producer)
    return classes, fixed, [p for p in products if p.input[1] not in fixed]


def _channel_ranges(
    model: onnx.ModelProto, samples: Sequence[CalibrationSample], classes: _Classes
) -> dict[str, Scale]:
    """Per class, per channel: the largest percentile of magnitudes over tensors and samples."""
    ranges: dict[str, Scale] = {}
    values_of = probe(model, classes.names())
    for sample in samples:
        for name, values in values_of(sample).items():
            if values.ndim != 4:  # shapes, and the steps of a pixel shuffle: nobody's channels
                continue
            channels = np.abs(values).reshape(values.shape[1], -1)
            found = np.percentile(channels, PERCENTILE, axis=1)
            root = classes.find(name)
            ranges[root] = np.maximum(ranges.get(root, 0.0), found)
    return ranges


def _scale(ranges: Scale) -> Scale:
    """Factors that bring every channel to the geometric mean of the ranges."""
    floored = np.maximum(ranges, max(float(ranges.max()) / LARGEST_RATIO, 1e-12))
    return np.asarray(np.exp(np.log(floored).mean()) / floored, np.float64)


def _rescale_convolutions(
    model: onnx.ModelProto, nodes: Sequence[onnx.NodeProto], scales: Mapping[str, Scale]
) -> None:
    """Give every dense convolution weights for its scaled input and output.

    Each gets constants of its own: the exporter stores equal ones once, and equal before scaling
    is not equal after it.
    """
    constants = {item.name: numpy_helper.to_array(item) for item in model.graph.initializer}
    for node in nodes:
        if node.op_type != "Conv" or _group(node) != 1:
            continue
        rows, columns = scales[node.output[0]], scales[node.input[0]]
        values = [constants[node.input[1]] * rows[:, None, None, None] / columns[:, None, None]]
        values += [constants[name] * rows for name in node.input[2:3]]
        for position, value in enumerate(values, start=1):
            name = f"{node.name}/{node.input[position]}"
            scaled = numpy_helper.from_array(value.astype(np.float32), name)
            model.graph.initializer.append(scaled)
            node.input[position] = name
    used = {name for node in model.graph.node for name in node.input}
    kept = [item for item in model.graph.initializer if item.name in used]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)
