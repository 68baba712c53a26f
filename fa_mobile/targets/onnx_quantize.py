"""int8 for one member's ONNX graph: QDQ around the network, everything else stays float.

The ranges are chosen per member: a clipped outlier costs highlights, a kept one costs resolution
everywhere, and which is worse depends on the member's noise. A few percentiles are tried and the
one whose output is closest to float's on the calibration samples is kept.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import onnx
from onnxruntime.quantization import CalibrationMethod, QuantType
from onnxruntime.quantization.calibrate import TensorData, TensorsData
from onnxruntime.quantization.qdq_quantizer import QDQQuantizer

from fa_mobile.targets.base import CalibrationSample
from fa_mobile.targets.onnx_equalize import equalize
from fa_mobile.targets.onnx_member import feeds, load, network_nodes, probe

FLOAT_ISLANDS: Final = ("head", "conv0*", "pool", "enc0*")
"""Modules of the network that stay float, as patterns of their paths.

What is lost where the full-resolution signal enters is lost for everything behind it; the encoder's
first level in float halves the loss and costs a sixth of the time (docs of the targets).
"""
PERCENTILES: Final = (100.0, 99.99, 99.9, 99.7)
"""Candidates: the share of a tensor's values inside its int8 range, in percent."""
_SAMPLED: Final = 40_000
"""Values kept per tensor and sample for the percentiles."""
_OPERATORS: Final = ["Conv", "ConvTranspose", "Relu", "Add", "Mul", "Resize", "Concat", "Split"]

Range = tuple[float, float]


class Quantized(NamedTuple):
    """A member in int8, its float islands (module paths) and the percentile that was kept."""

    model: onnx.ModelProto
    islands: tuple[str, ...]
    percentile: float


def quantize(
    model: onnx.ModelProto,
    samples: Sequence[CalibrationSample],
    islands: Sequence[str] = FLOAT_ISLANDS,
) -> Quantized:
    """Quantize the network inside a member's model.

    Weights are int8, symmetric, per output channel; activations uint8 with a zero point, which
    x86's VNNI multiplies twice as fast as int8 and ARM's dot products as fast.

    Args:
        model: from :func:`fa_mobile.targets.onnx_member.member_model`, metadata in place.
        samples: at least one; of the member's own subrange.
        islands: patterns (fnmatch) of module paths inside the network that stay float.

    Raises:
        ValueError: without samples.
    """
    if not samples:
        raise ValueError("no calibration samples were given; int8 needs at least one per member")
    equal = onnx.shape_inference.infer_shapes(equalize(model, samples))
    paths = network_nodes(equal)
    floats = {path for path in paths.values() if any(fnmatchcase(path, p) for p in islands)}
    inside = [name for name, path in paths.items() if path not in floats]
    ranges = _ranges(equal, set(paths), samples)
    reference = [load(equal).run(None, feeds(sample))[0] for sample in samples]
    best: tuple[float, float, onnx.ModelProto] | None = None
    for percentile in PERCENTILES:
        candidate = _insert_qdq(equal, inside, ranges[percentile])
        session = load(candidate)
        error = float(
            np.mean(
                [
                    np.mean((session.run(None, feeds(sample))[0] - wanted) ** 2)
                    for sample, wanted in zip(samples, reference, strict=True)
                ]
            )
        )
        if best is None or error < best[0]:
            best = error, percentile, candidate
    assert best is not None
    return Quantized(best[2], tuple(sorted(floats)), best[1])


def _ranges(
    model: onnx.ModelProto, nodes: set[str], samples: Sequence[CalibrationSample]
) -> dict[float, dict[str, Range]]:
    """Per percentile, per tensor that a network's node reads or writes: its (low, high)."""
    names = [
        name
        for node in model.graph.node
        if node.name in nodes
        for name in (*node.input, *node.output)
    ]
    values_of = probe(model, names)
    rng = np.random.default_rng(0)
    drawn: dict[str, list[npt.NDArray[np.float32]]] = {}
    ends: dict[str, list[float]] = {}
    for sample in samples:
        for name, values in values_of(sample).items():
            drawn.setdefault(name, []).append(
                values.ravel()[rng.integers(0, values.size, _SAMPLED)]
            )
            ends.setdefault(name, []).extend((float(values.min()), float(values.max())))
    found: dict[float, dict[str, Range]] = {percentile: {} for percentile in PERCENTILES}
    for name, parts in drawn.items():
        together = np.concatenate(parts)
        for percentile in PERCENTILES:
            cut = (100 - percentile) / 2
            low, high = np.percentile(together, [cut, 100 - cut])
            kept = (min(ends[name]), max(ends[name])) if percentile == 100 else (low, high)
            found[percentile][name] = float(kept[0]), float(kept[1])
    return found


def _insert_qdq(
    model: onnx.ModelProto, nodes: Sequence[str], ranges: Mapping[str, Range]
) -> onnx.ModelProto:
    """A copy of ``model`` with quantize and dequantize operators around ``nodes``.

    onnxruntime's ``quantize_static`` does the same through files, with a calibration of its own
    that would run once per candidate.
    """
    copied = onnx.ModelProto()
    copied.CopyFrom(model)
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
