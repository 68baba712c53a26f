"""A member in int8 for XNNPACK: as much of it as loses little, its ranges and means put right."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, fx, nn
from torch.export import ExportedProgram

from fa_mobile.graph_ranges import activation_ranges, observe
from fa_mobile.progress import counter
from fa_mobile.quantization import QuantizationPlan, QuantizedMember, fitting_plan, quantize_member
from fa_mobile.ranges import best_start, search
from fa_mobile.targets.base import CalibrationSample
from fa_mobile.targets.executorch_member import Member
from fa_mobile.targets.islands import (
    HOPELESS,
    MAX_LOSS_DB,
    SEARCHED,
    Measure,
    added_loss,
    psnr_loss,
)
from fa_mobile.targets.settling import BIAS, WEIGHT, can_settle, settle

Array = npt.NDArray[np.float32]
# What costs most in 8 bits, measured: the full-resolution encoder and decoder carry the detail on
# top of a wide range; Feature-Align's products and the sums behind them add a rounding each.
_DETAIL: Final = ("head", "enc0.blocks", "dec0.blocks", "skip0", "down0", "add")
# What members of ``mobile`` lose most by, measured: the last product and the tail behind it.
LADDER: Final = (
    QuantizationPlan(),
    QuantizationPlan(("mul", "tail")),
    QuantizationPlan(("mul", "tail", "stem", "reduce", "enc0")),
    QuantizationPlan((*_DETAIL, "*.align.mul", "*.align.add")),
    QuantizationPlan((*_DETAIL, "enc0", "dec0", "enc1", "tail", "*.align.mul", "*.align.add")),
)
"""Float islands to try, fewest first; a pattern that the network has nothing for is left out."""


class _Work(NamedTuple):
    """A member and the captures that judge its int8: of photos, and of flat colours before them."""

    member: Member
    flat: Sequence[CalibrationSample]
    samples: Sequence[CalibrationSample]
    inputs: Sequence[tuple[Tensor, ...]]
    floats: Sequence[Array]

    def loss(self, module: nn.Module, measure: Measure) -> float:
        """dB that a quantized member loses on the photos."""
        start = len(self.flat)
        outputs = outputs_of(module, self.inputs[start:])
        return measure(self.samples, self.floats[start:], outputs)


def int8_member(
    program: ExportedProgram,
    samples: Sequence[CalibrationSample],
    member: Member,
    plan: QuantizationPlan | None,
    flat: Sequence[CalibrationSample] = (),
    progress: Callable[[int, int], None] | None = None,
) -> tuple[QuantizedMember, float]:
    """The member in int8, and the PSNR in dB that this loses on the samples.

    Args:
        program: the member in float, of signature (raw, *scalars), for any H and W.
        samples: at least one; ranges and the loss are measured on them.
        member: the folded member itself, for its scalars.
        plan: None takes the first rung of ``LADDER`` that loses little, the last in any case.
        flat: flat colours, whose means int8 is to keep where the member can settle them.
        progress: of the search of ranges, called with (ranges searched, searches in all).

    Raises:
        ValueError: without samples, or for a plan that does not fit the network.
    """
    flat = flat if can_settle(member) else ()
    inputs = [member_inputs(sample, member) for sample in (*flat, *samples)]
    work = _Work(member, flat, samples, inputs, outputs_of(program.module(), inputs))
    # A rung whose patterns a network does not have may be the same as the one before it.
    fitting = dict.fromkeys(fitting_plan(program, rung) for rung in LADDER)
    rungs = [plan] if plan else list(fitting)
    for rung in rungs:
        made = quantize_member(program, inputs[len(flat) :], rung)
        loss = _least_loss(made.module, work, progress)
        if loss <= MAX_LOSS_DB:
            break
    return made, loss


def _least_loss(
    module: fx.GraphModule, work: _Work, progress: Callable[[int, int], None] | None
) -> float:
    """PSNR in dB that a quantized member loses, put right unless that is hopeless."""
    ranges = activation_ranges(module)[::-1]
    seen = observe(module, ranges, work.inputs[len(work.flat) :])
    searched = ranges[:SEARCHED]
    with one_thread():
        _, loss = best_start(ranges, seen, lambda: work.loss(module, psnr_loss))
        if loss > HOPELESS * MAX_LOSS_DB:
            return loss
        count = counter(progress, len(searched))
        search(searched, lambda: work.loss(module, added_loss), count)
        if work.flat:
            _settle(module, work)
    return work.loss(module, psnr_loss)


def _settle(module: fx.GraphModule, work: _Work) -> None:
    """Give int8 the means of float on flat colours."""
    assert can_settle(work.member)
    int8 = outputs_of(module, work.inputs)
    change = settle(work.member, work.flat, work.samples, work.floats, int8)
    for name, more in zip((WEIGHT, BIAS), change, strict=True):
        path, _, attribute = name.rpartition(".")
        # A parameter of its own: the one that is there may be the float member's.
        value = module.get_parameter(name) + torch.from_numpy(more)
        setattr(module.get_submodule(path), attribute, nn.Parameter(value))


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """For thousands of small calls: threads that wait for each other take longer than one."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def outputs_of(module: nn.Module, inputs: Sequence[tuple[Tensor, ...]]) -> list[Array]:
    """What a member as the delegate is called makes of each (raw, *scalars)."""
    with torch.no_grad():
        return [np.asarray(module(*given).numpy(), np.float32) for given in inputs]


def member_inputs(sample: CalibrationSample, member: Member) -> tuple[Tensor, ...]:
    """The sample as the delegate takes it: (raw, *scalars)."""
    scalars = member.scalars(torch.tensor([sample.a]), torch.tensor([sample.b]))
    return torch.from_numpy(sample.raw), *scalars
