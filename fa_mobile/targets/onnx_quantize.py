"""int8 for one member's ONNX graph: QDQ around the network, everything else stays float.

The ranges are chosen per member: a clipped outlier costs highlights, a kept one costs resolution
everywhere, and which is worse depends on the member's noise. A few percentiles are tried and the
one that loses least on the calibration samples is kept.
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
from onnx import numpy_helper
from onnxruntime.quantization import CalibrationMethod, QuantType
from onnxruntime.quantization.calibrate import TensorData, TensorsData
from onnxruntime.quantization.qdq_quantizer import QDQQuantizer
from torch import nn

from fa_mobile.folding.mosaic import MosaicMember
from fa_mobile.targets.base import CalibrationSample
from fa_mobile.targets.islands import MAX_LOSS_DB, Ladder, psnr_loss
from fa_mobile.targets.onnx_equalize import equalize
from fa_mobile.targets.onnx_member import feeds, load, network_nodes, probe
from fa_mobile.targets.settling import BIAS, WEIGHT, can_settle, settle

LADDER: Final[Ladder] = (
    (),
    ("head", "conv0*", "pool", "enc0*"),
    ("head", "conv0*", "pool", "enc0*", "dec0*", "tail"),
    ("head", "conv0*", "pool", "enc0*", "dec0*", "tail", "*.align*", "down0*", "up0*", "skip0*"),
    ("stem", "reduce", "enc0*", "dec0*", "tail", "align0*", "down1*", "up1*"),
    ("[!m]*",),
    ("*",),
)
"""Float islands, fewest first: none; where the full-resolution signal enters; the first level's
blocks; what leads to and from it and Feature-Align too, of the paper's network and of ``mobile``;
all but the middle; everything. Patterns of module paths inside the network."""
PERCENTILES: Final = (100.0, 99.99, 99.9, 99.7)
"""Candidates: the share of a tensor's values inside its int8 range, in percent."""
_SAMPLED: Final = 40_000
"""Values kept per tensor and sample for the percentiles."""
_OPERATORS: Final = ["Conv", "ConvTranspose", "Relu", "Add", "Mul", "Resize", "Concat", "Split"]

Range = tuple[float, float]


class Quantized(NamedTuple):
    """A member in int8: its float islands (module paths), the percentile kept, the loss in dB."""

    model: onnx.ModelProto
    islands: tuple[str, ...]
    percentile: float
    loss_db: float


class Settling(NamedTuple):
    """What :func:`fa_mobile.targets.settling.settle` needs: the folded member, and flat colours."""

    member: nn.Module
    flat: Sequence[CalibrationSample]


def quantize(
    model: onnx.ModelProto,
    samples: Sequence[CalibrationSample],
    ladder: Ladder = LADDER,
    settling: Settling | None = None,
) -> Quantized:
    """Quantize the network inside a member's model.

    Weights are int8, symmetric, per output channel; activations uint8 with a zero point, which
    x86's VNNI multiplies twice as fast as int8 and ARM's dot products as fast.

    Args:
        model: from :func:`fa_mobile.targets.onnx_member.member_model`, metadata in place.
        samples: at least one; of the member's own subrange.
        ladder: float islands to try, fewest first; the first that loses little is kept, the
            last one in any case.
        settling: with which int8 gets the means of float on flat colours.

    Raises:
        ValueError: without samples.
    """
    if not samples:
        raise ValueError("no calibration samples were given; int8 needs at least one per member")
    equal = onnx.shape_inference.infer_shapes(equalize(model, samples))
    paths = network_nodes(equal)
    ranges = _ranges(equal, set(paths), samples)
    flat = settling.flat if settling and can_settle(settling.member) else ()
    reference = _outputs(equal, [*flat, *samples])
    for islands in ladder:
        floats = {path for path in paths.values() if any(fnmatchcase(path, p) for p in islands)}
        inside = [name for name, path in paths.items() if path not in floats]
        if not inside:
            return Quantized(equal, tuple(sorted(floats)), 100.0, 0.0)
        made = _best_percentile(equal, inside, ranges, samples, reference[len(flat) :])
        found = Quantized(made[0], tuple(sorted(floats)), made[1], made[2])
        if settling is not None and can_settle(settling.member):
            found = _settled(found, samples, settling.member, settling.flat, reference)
        if found.loss_db <= MAX_LOSS_DB:
            break
    return found


def _settled(
    made: Quantized,
    samples: Sequence[CalibrationSample],
    member: MosaicMember,
    flat: Sequence[CalibrationSample],
    reference: Sequence[npt.NDArray[np.float32]],
) -> Quantized:
    """``made`` with the means of float, whose outputs for ``flat`` and ``samples`` are given."""
    int8 = _outputs(made.model, [*flat, *samples])
    change = settle(member, flat, samples, reference, int8)
    for name, more in zip((WEIGHT, BIAS), change, strict=True):
        (held,) = (item for item in made.model.graph.initializer if item.name == name)
        held.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(held) + more, name))
    after = _outputs(made.model, samples)
    return made._replace(loss_db=psnr_loss(samples, reference[len(flat) :], after))


def _outputs(
    model: onnx.ModelProto, samples: Sequence[CalibrationSample]
) -> list[npt.NDArray[np.float32]]:
    session = load(model)
    return [session.run(None, feeds(sample))[0] for sample in samples]


def _best_percentile(
    model: onnx.ModelProto,
    inside: Sequence[str],
    ranges: Mapping[float, Mapping[str, Range]],
    samples: Sequence[CalibrationSample],
    reference: Sequence[npt.NDArray[np.float32]],
) -> tuple[onnx.ModelProto, float, float]:
    """The candidate that loses least: (model, percentile, loss in dB)."""
    candidates = []
    for percentile in PERCENTILES:
        candidate = _insert_qdq(model, inside, ranges[percentile])
        loss = psnr_loss(samples, reference, _outputs(candidate, samples))
        candidates.append((candidate, percentile, loss))
    return min(candidates, key=lambda made: made[2])


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
