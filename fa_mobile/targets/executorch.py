"""Export to ExecuTorch: one .pte whose selection runs portably and whose networks run in XNNPACK.

``form="call"`` gives one method ``forward(raw, gain)`` or ``forward(raw, a, b)``.
``form="methods"`` uses documented interfaces only, and leaves the chaining to the caller:
``select`` gives (a, b, index), then ``denoise_<index>(raw, a, b)``.
"""

from __future__ import annotations

from typing import Any, Final, Literal

import numpy as np
import torch
from torch import Tensor
from torch.export import ExportedProgram

from fa_mobile.denoiser import RawDenoiser
from fa_mobile.errors import UserError
from fa_mobile.files import replace_file
from fa_mobile.folding import FoldPlan
from fa_mobile.noise import NoiseParameters
from fa_mobile.quantization import QuantizationPlan, quantize_member
from fa_mobile.runtimes.executorch import ExecutorchModel
from fa_mobile.targets.base import CalibrationSample, Exported, ExportError, ExportJob
from fa_mobile.targets.executorch_member import (
    SMALLEST,
    DelegateMember,
    dynamic_sides,
    export_member,
    k_sigma_scalars,
    quiet,
)
from fa_mobile.targets.executorch_methods import methods_program
from fa_mobile.targets.executorch_selector import selecting_program

Form = Literal["call", "methods"]
MODEL_FILE: Final = "model.pte"
FOLD_PLAN: Final = FoldPlan(group_width=16, fuse_heads=False, mosaic=True)
QUANTIZATION_PLAN: Final = QuantizationPlan()


def export(
    job: ExportJob,
    *,
    form: Form = "call",
    quantization: QuantizationPlan = QUANTIZATION_PLAN,
) -> Exported:
    """Write ``model.pte`` into the job's folder, load it and run it once.

    Args:
        job: ``precision`` fp32 or int8. ``tile`` is the largest H and W, a multiple of the
            network's stride; the smallest are two strides.
        form: one callable, or one method per member (see the module).
        quantization: what stays float in int8.

    Raises:
        ExportError: for another precision, a wrong tile, missing calibration, operators that
            XNNPACK leaves outside, or a file that does not run.
    """
    if job.precision not in ("fp32", "int8"):
        raise ExportError(
            f"precision {job.precision!r} was given; ExecuTorch is exported as fp32 or int8"
        )
    denoiser = RawDenoiser(job.array).eval()
    sides = dynamic_sides(denoiser, job.tile)
    programs, islands = _member_programs(job, denoiser, sides, quantization)
    job.report(f"lowering {len(programs)} members to XNNPACK")
    build = selecting_program if form == "call" else methods_program
    edge, delegated, outside = build(denoiser, programs, job.selector, job.tile, sides)
    with quiet():
        manager = edge.to_executorch()
    with replace_file(job.folder / MODEL_FILE) as partial:
        partial.write_bytes(manager.buffer)
    _try_out(job, denoiser)
    inputs = ("raw", "gain") if job.selector == "gain" else ("raw", "a", "b")
    plans = manager.executorch_program.execution_plan
    return Exported(
        files=(MODEL_FILE,),
        inputs=inputs,
        fixed_shape=False,
        fold_plan=FOLD_PLAN,
        delegated=dict(sorted(delegated.items())),
        undelegated=dict(sorted(outside.items())),
        float_islands=islands,
        planned_memory_bytes=sum(sum(plan.non_const_buffer_sizes) for plan in plans),
        notes=_notes(job, form),
    )


def _member_programs(
    job: ExportJob, denoiser: RawDenoiser, sides: dict[int, Any], plan: QuantizationPlan
) -> tuple[list[ExportedProgram], tuple[str, ...]]:
    """Each member as a ``(raw, scale, offset, inverse)`` program, and what int8 left float."""
    if job.precision == "int8" and len(job.calibration) != len(denoiser.members):
        raise ExportError(
            f"{len(job.calibration)} sets of calibration samples were given for "
            f"{len(denoiser.members)} members; int8 needs one set, not empty, for each"
        )
    programs = []
    islands: tuple[str, ...] = ()
    for index, member in enumerate(denoiser.members):
        module = DelegateMember(member, FOLD_PLAN).eval()  # type: ignore[arg-type]
        program = export_member(module, job.tile, sides)
        if job.precision == "int8":
            job.report(f"member {index}: calibrating int8")
            anchor = denoiser.spec.anchors[index]
            samples = [member_inputs(sample, anchor) for sample in job.calibration[index]]
            try:
                quantized = quantize_member(program, samples, plan)
            except ValueError as error:
                raise ExportError(f"member {index}: {error}") from error
            islands = quantized.float_operators
            program = export_member(quantized.module, job.tile, sides)
        programs.append(program)
    return programs, islands


def member_inputs(sample: CalibrationSample, anchor: NoiseParameters) -> tuple[Tensor, ...]:
    """The sample as the delegate takes it: (raw, scale, offset, inverse)."""
    a, b = torch.tensor([sample.a]), torch.tensor([sample.b])
    anchor_a, ratio = torch.tensor([anchor.a]), torch.tensor([anchor.b / anchor.a])
    return torch.from_numpy(sample.raw), *k_sigma_scalars(a, b, anchor_a, ratio)


def _try_out(job: ExportJob, denoiser: RawDenoiser) -> None:
    """Load the file and run each member once: an export that succeeds may still not run.

    Raises:
        ExportError: when it does not, or gives values that are not finite.
    """
    job.report("loading and running the file")
    side = SMALLEST * denoiser.stride
    raw = np.full((1, 1, side, side), denoiser.spec.profile.white_level / 2, np.float32)
    try:
        model = ExecutorchModel(job.folder / MODEL_FILE)
        for gain in np.geomspace(*denoiser.spec.profile.gain_range, 4 * denoiser.spec.members):
            given = (gain,) if job.selector == "gain" else denoiser.spec.profile.noise(float(gain))
            out = model.run(raw, *(np.array([value], np.float32) for value in given))
            if out.shape != raw.shape or not np.isfinite(out).all():
                raise ExportError(
                    f"the exported file gives shape {out.shape}, finite: "
                    f"{bool(np.isfinite(out).all())}, at gain {gain:.3g}"
                )
    except UserError as error:
        raise ExportError(f"the exported file does not run: {error}") from error


def _notes(job: ExportJob, form: Form) -> dict[str, str]:
    if form == "call":
        return {}
    select = (
        "select(gain) gives (a, b, index)"
        if job.selector == "gain"
        else ("select(a, b) gives index")
    )
    return {"methods": f"{select}; then call denoise_<index>(raw, a, b)"}
