"""int8 ranges of a member's ONNX graph: seen, inserted as QDQ, read and set in place."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import onnx
from onnx import numpy_helper
from onnxruntime.quantization import CalibrationMethod, QuantType
from onnxruntime.quantization.calibrate import TensorData, TensorsData
from onnxruntime.quantization.qdq_quantizer import QDQQuantizer

from fa_mobile.ranges import Ends, Seen, affine, covered
from fa_mobile.targets.base import CalibrationSample
from fa_mobile.targets.onnx_member import probe

_OPERATORS: Final = ["Conv", "ConvTranspose", "Relu", "Add", "Mul", "Resize", "Concat", "Split"]
_LEVELS: Final = (0, 255)
_INT32: Final = np.iinfo(np.int32)


def observe(
    model: onnx.ModelProto, nodes: Sequence[str], samples: Sequence[CalibrationSample]
) -> dict[str, Seen]:
    """What each tensor that the named nodes of a float model read or write takes."""
    wanted = set(nodes)
    names = [
        name
        for node in model.graph.node
        if node.name in wanted
        for name in (*node.input, *node.output)
    ]
    values_of = probe(model, names)
    seen: dict[str, Seen] = {}
    for sample in samples:
        for name, values in values_of(sample).items():
            seen.setdefault(name, Seen()).add(values)
    return seen


def insert_qdq(
    model: onnx.ModelProto,
    nodes: Sequence[str],
    seen: Mapping[str, Seen],
    percentile: float = 100.0,
) -> onnx.ModelProto:
    """A copy of ``model`` with quantize and dequantize operators around ``nodes``.

    onnxruntime's ``quantize_static`` does the same through files, with a calibration of its own.

    Args:
        seen: what each tensor that the nodes read or write takes.
        percentile: at which its range ends; 100 keeps all of it.
    """
    copied = onnx.shape_inference.infer_shapes(model)
    ranges = {name: values.ends(percentile) for name, values in seen.items()}
    tensors = TensorsData(
        CalibrationMethod.MinMax,
        {
            name: TensorData(lowest=np.float32(low), highest=np.float32(high))
            for name, (low, high) in ranges.items()
        },
    )
    with contextlib.redirect_stdout(io.StringIO()):
        quantizer = QDQQuantizer(
            copied,
            True,  # per channel
            False,  # reduce_range: 7-bit weights, for x86 without VNNI only
            QuantType.QInt8,
            QuantType.QUInt8,
            tensors,
            list(nodes),
            [],
            _OPERATORS,
            {"ActivationSymmetric": False},
        )
        quantizer.quantize_model()
        quantizer.model.topological_sort()
    result: onnx.ModelProto = quantizer.model.model
    return result


class _Bias(NamedTuple):
    """A convolution's bias, whose int32 steps are those of its input times those of its weights."""

    values: npt.NDArray[np.float64]
    weight_scale: npt.NDArray[np.float64]
    held: onnx.TensorProto
    scale: onnx.TensorProto


class QdqRange:
    """The range of one uint8 activation, in the initializers of a quantized model."""

    def __init__(
        self, scale: onnx.TensorProto, zero_point: onnx.TensorProto, biases: Sequence[_Bias]
    ) -> None:
        self._scale = scale
        self._zero_point = zero_point
        self._biases = tuple(biases)

    @property
    def ends(self) -> Ends:
        """Lowest and highest value that 8 bits cover."""
        scale, zero_point = map(numpy_helper.to_array, (self._scale, self._zero_point))
        return covered(float(scale), int(zero_point), *_LEVELS)

    @ends.setter
    def ends(self, value: Ends) -> None:
        scale, zero_point = affine(value, *_LEVELS)
        _put(self._scale, np.float32(scale))
        _put(self._zero_point, np.uint8(zero_point))
        for bias in self._biases:
            step = (scale * bias.weight_scale).astype(np.float32)
            steps = np.clip(np.round(bias.values / step), _INT32.min, _INT32.max)
            _put(bias.scale, step)
            _put(bias.held, steps.astype(np.int32))


def _put(held: onnx.TensorProto, value: npt.ArrayLike) -> None:
    held.CopyFrom(numpy_helper.from_array(np.asarray(value), held.name))


def activation_ranges(model: onnx.ModelProto) -> dict[str, QdqRange]:
    """Every range of activations in a quantized model by its tensor, from the input on.

    Setting one changes ``model``.
    """
    held = {item.name: item for item in model.graph.initializer}
    dequantized = {
        node.output[0]: node for node in model.graph.node if node.op_type == "DequantizeLinear"
    }
    biases: dict[str, list[_Bias]] = {}
    for node in model.graph.node:
        parts = [dequantized.get(name) for name in node.input]
        if node.op_type in ("Conv", "ConvTranspose") and len(parts) == 3 and all(parts):
            activation, weight, bias = (part.input for part in parts if part is not None)
            quantized, scale, weight_scale = (
                numpy_helper.to_array(held[name]).astype(np.float64)
                for name in (bias[0], bias[1], weight[1])
            )
            biases.setdefault(activation[1], []).append(
                _Bias(quantized * scale, weight_scale, held[bias[0]], held[bias[1]])
            )
    return {
        node.input[0]: QdqRange(
            held[node.input[1]], held[node.input[2]], biases.get(node.input[1], ())
        )
        for node in model.graph.node
        if node.op_type == "QuantizeLinear"
    }
