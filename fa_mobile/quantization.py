"""Int8 by PT2E: which operators become int8; ranges come after (:mod:`fa_mobile.graph_ranges`).

An operator is named by its module inside the quantized submodule and its own name:
``enc0.blocks.0.reduce.conv2d``, ``enc0.align.mul``. A :class:`QuantizationPlan` keeps operators
float by patterns over these names.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any, Final, NamedTuple

import torch
from executorch.backends.xnnpack.quantizer.xnnpack_quantizer import XNNPACKQuantizer
from torch import Tensor, fx
from torch.export import ExportedProgram
from torchao.quantization.pt2e import (
    FakeQuantize,
    MinMaxObserver,
    MovingAveragePerChannelMinMaxObserver,
    PerChannelMinMaxObserver,
)
from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e
from torchao.quantization.pt2e.quantizer import QuantizationConfig, QuantizationSpec

from fa_mobile.ranges import SMALLEST_SCALE

_ANNOTATION: Final = "quantization_annotation"


@dataclass(frozen=True)
class QuantizationPlan:
    """What stays float.

    Attributes:
        float_modules: glob patterns (``*`` also matches dots). A pattern that matches an
            operator's name, or a module that holds the operator, keeps it float: ``head``,
            ``*.align``, ``*.align.mul``.
        within: only this submodule of the member is quantized; everything else stays float.
    """

    float_modules: tuple[str, ...] = ()
    within: str = "network"


class QuantizedMember(NamedTuple):
    """A member with quantize/dequantize pairs, ready for export, and what stayed float.

    ``float_operators`` are the names of the operators within the plan's submodule that no pattern
    of the quantizer reached or that the plan kept.
    """

    module: fx.GraphModule
    float_operators: tuple[str, ...]


def quantize_member(
    program: ExportedProgram, samples: Sequence[tuple[Tensor, ...]], plan: QuantizationPlan
) -> QuantizedMember:
    """Quantize an exported member statically: int8 activations, int8 weights per channel.

    Activations' ranges are from the lowest to the highest value of the samples.

    Args:
        program: exported with dynamic sides (or the samples' own), not in strict mode.
        samples: inputs of the member, at least one.
        plan: what stays float.

    Raises:
        ValueError: without samples, for a pattern that matches nothing, or when nothing would be
            quantized.
    """
    if not samples:
        raise ValueError("no calibration samples were given; int8 needs at least one per member")
    graph_module = program.module()
    check_patterns(graph_module, plan)
    prepared = prepare_pt2e(graph_module, member_quantizer(plan))
    kept = float_operators(prepared, plan)
    with torch.no_grad():
        for sample in samples:
            prepared(*sample)
    converted = convert_pt2e(prepared)
    if not any("quantize_per_tensor" in str(node.target) for node in converted.graph.nodes):
        raise ValueError(
            f"float_modules={plan.float_modules} leaves nothing to quantize; allow at least one "
            "convolution, or export fp32"
        )
    return QuantizedMember(converted, kept)


def member_quantizer(plan: QuantizationPlan) -> XNNPACKQuantizer:
    """XNNPACK's quantizer, held to the plan."""
    observe = MinMaxObserver.with_args(eps=SMALLEST_SCALE)
    weights = PerChannelMinMaxObserver.with_args(eps=SMALLEST_SCALE)
    quantizer = XNNPACKQuantizer().set_global(_configuration(observe, weights))
    return quantizer.set_filter_function(_filter(plan))


def training_quantizer() -> XNNPACKQuantizer:
    """The same for training: every operator, rounded while gradients pass.

    Activations keep the ranges that they are given (:mod:`fa_mobile.training.rounding`); weights
    are measured at each step.
    """
    activation = FakeQuantize.with_args(observer=MinMaxObserver, eps=SMALLEST_SCALE)
    weight = FakeQuantize.with_args(
        observer=MovingAveragePerChannelMinMaxObserver,
        averaging_constant=1.0,
        eps=SMALLEST_SCALE,
    )
    return XNNPACKQuantizer().set_global(_configuration(activation, weight, training=True))


def _configuration(activations: Any, weights: Any, *, training: bool = False) -> QuantizationConfig:
    """int8 activations per tensor (affine), int8 weights per channel (symmetric), float biases."""
    activation = QuantizationSpec(
        dtype=torch.int8,
        quant_min=-128,
        quant_max=127,
        qscheme=torch.per_tensor_affine,
        is_dynamic=False,
        observer_or_fake_quant_ctr=activations,
    )
    weight = QuantizationSpec(
        dtype=torch.int8,
        quant_min=-127,
        quant_max=127,
        qscheme=torch.per_channel_symmetric,
        ch_axis=0,
        is_dynamic=False,
        observer_or_fake_quant_ctr=weights,
    )
    return QuantizationConfig(activation, activation, weight, None, is_qat=training)


def _filter(plan: QuantizationPlan) -> Callable[[fx.Node], bool]:
    def quantized(node: fx.Node) -> bool:
        # The quantizer asks about weights and biases too; refusing one refuses its convolution.
        if node.op != "call_function":
            return True
        name = operator_name(node, plan.within)
        return name is not None and not is_float(name, plan)

    return quantized


def operator_name(node: fx.Node, within: str) -> str | None:
    """``<module>.<operator>`` relative to the submodule ``within``; None outside of it."""
    stack = node.meta.get("nn_module_stack") or {}
    path = str(list(stack.values())[-1][0]) if stack else ""
    if path != within and not path.startswith(f"{within}."):
        return None
    operator = str(getattr(node.target, "__name__", node.target)).split(".")[0]
    inner = path.removeprefix(within).removeprefix(".")
    return f"{inner}.{operator}" if inner else operator


def is_float(name: str, plan: QuantizationPlan) -> bool:
    """Whether a pattern matches the operator ``name`` or a module that holds it."""
    return any(_matches(name, pattern) for pattern in plan.float_modules)


def _matches(name: str, pattern: str) -> bool:
    parts = name.split(".")
    prefixes = (".".join(parts[:end]) for end in range(1, len(parts) + 1))
    return any(fnmatchcase(prefix, pattern) for prefix in prefixes)


def fitting_plan(program: ExportedProgram, plan: QuantizationPlan) -> QuantizationPlan:
    """The plan without the patterns that match nothing in ``program``."""
    names = _names_within(program.graph_module, plan)
    fitting = (p for p in plan.float_modules if any(_matches(name, p) for name in names))
    return replace(plan, float_modules=tuple(fitting))


def check_patterns(graph_module: fx.GraphModule, plan: QuantizationPlan) -> None:
    """Refuse a plan with a pattern that matches no operator: most likely a typing error.

    Raises:
        ValueError: naming the pattern and the modules there are.
    """
    names = _names_within(graph_module, plan)
    for pattern in plan.float_modules:
        if not any(_matches(name, pattern) for name in names):
            tops = sorted({name.split(".")[0] for name in names})
            raise ValueError(
                f"float_modules has {pattern!r}, which matches no operator within "
                f"{plan.within!r}; there are {', '.join(tops)} and what they hold"
            )


def _names_within(graph_module: fx.GraphModule, plan: QuantizationPlan) -> list[str]:
    names = (operator_name(node, plan.within) for node in _operators(graph_module))
    return [name for name in names if name is not None]


def float_operators(prepared: fx.GraphModule, plan: QuantizationPlan) -> tuple[str, ...]:
    """Names within the plan's submodule whose nodes carry no annotation of the quantizer."""
    names = (
        operator_name(node, plan.within)
        for node in _operators(prepared)
        if not getattr(node.meta.get(_ANNOTATION), "_annotated", False)
    )
    return tuple(sorted({name for name in names if name is not None}))


def _operators(graph_module: fx.GraphModule) -> list[fx.Node]:
    return [n for n in graph_module.graph.nodes if n.op == "call_function"]
