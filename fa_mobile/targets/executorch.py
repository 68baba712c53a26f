"""Export to ExecuTorch: one .pte whose selection runs portably and whose networks run in XNNPACK.

``form="call"`` gives one method ``forward(raw, gain)`` or ``forward(raw, a, b)``.
``form="methods"`` uses documented interfaces only, and leaves the chaining to the caller:
``select`` gives (a, b, index), then ``denoise_<index>(raw, a, b)``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

import numpy as np
import torch
from torch import nn
from torch.export import ExportedProgram

from fa_mobile.denoiser import RawDenoiser
from fa_mobile.errors import UserError
from fa_mobile.files import replace_file
from fa_mobile.folding import UNFOLDED, FoldPlan, fold
from fa_mobile.quantization import QuantizationPlan
from fa_mobile.runtimes.executorch import ExecutorchModel
from fa_mobile.targets.base import Exported, ExportError, ExportJob, check_job
from fa_mobile.targets.executorch_int8 import int8_member
from fa_mobile.targets.executorch_lowering import quiet
from fa_mobile.targets.executorch_member import (
    DelegateMember,
    Member,
    check_tile,
    export_for_calibration,
    export_member,
)
from fa_mobile.targets.executorch_memory import MEMORY
from fa_mobile.targets.executorch_methods import methods_program
from fa_mobile.targets.executorch_selector import selecting_program
from fa_mobile.targets.settling import flat_samples
from fa_mobile.targets.tuned import plan_for

Form = Literal["call", "methods"]
MODEL_FILE: Final = "model.pte"
FOLD_PLAN: Final = FoldPlan(group_width=16, mosaic="columns")
"""Where nothing was measured (:mod:`fa_mobile.targets.tuned`). ``stem`` takes more memory: XNNPACK
keeps a table of pointers for every convolution but those of 1 x 1."""


def export(
    job: ExportJob,
    *,
    form: Form | None = None,
    quantization: QuantizationPlan | None = None,
) -> Exported:
    """Write ``model.pte`` into the job's folder, load it and run it once.

    Args:
        job: ``precision`` fp32 or int8. ``tile`` is the one H and W, multiples of the network's
            stride.
        form: one callable, or one method per member (see the module); None takes the callable,
            except for a naive export, whose members are not one delegate each.
        quantization: what stays float in int8, each pattern matching something; None finds it
            for each member on its calibration samples (see :func:`int8_member`).

    Raises:
        ExportError: for another precision, a wrong tile, missing calibration, operators that
            XNNPACK leaves outside, or a file that does not run.
    """
    check_job(job, ("fp32", "int8"))
    denoiser = RawDenoiser(job.array).eval()
    check_tile(denoiser, job.sides)
    folds = job.folds or plan_for(
        "executorch", job.precision, job.array.spec.network, FOLD_PLAN, job.report
    )
    naive = folds == UNFOLDED
    form = form or ("methods" if naive else "call")
    members = [_folded(member, folds) for member in denoiser.members]
    plan = QuantizationPlan() if job.all_int8 else quantization
    programs, islands = _member_programs(job, members, denoiser.stride, plan)
    job.report(f"lowering {len(programs)} members to XNNPACK")
    given = (denoiser, members[0], programs, job.selector, job.sides)
    if form == "call":
        edge, delegated, outside = selecting_program(*given)
    else:
        edge, delegated, outside = methods_program(*given, one_delegate=not naive)
    with quiet():
        manager = edge.to_executorch(MEMORY)
    with replace_file(job.folder / MODEL_FILE) as partial:
        partial.write_bytes(manager.buffer)
    _try_out(job, denoiser)
    inputs = ("raw", "gain") if job.selector == "gain" else ("raw", "a", "b")
    plans = manager.executorch_program.execution_plan
    return Exported(
        files=(MODEL_FILE,),
        inputs=inputs,
        fixed_shape=True,
        fold_plan=folds,
        delegated=dict(sorted(delegated.items())),
        undelegated=dict(sorted(outside.items())),
        float_islands=islands,
        planned_memory_bytes=sum(sum(plan.non_const_buffer_sizes) for plan in plans),
        notes=_notes(job, form),
    )


def _folded(member: nn.Module, folds: FoldPlan) -> Member:
    folded = fold(member, folds)
    assert isinstance(folded, Member)
    return folded


def _member_programs(
    job: ExportJob, members: Sequence[Member], stride: int, plan: QuantizationPlan | None
) -> tuple[list[ExportedProgram], tuple[str, ...]]:
    """Each member as a ``(raw, *scalars)`` program, and what int8 left float."""
    programs: list[ExportedProgram] = []
    islands: list[str] = []
    scalars = len(members[0].scalars(torch.ones(1), torch.ones(1)))
    for index, member in enumerate(members):
        module: nn.Module = DelegateMember(member).eval()
        if job.precision == "int8":
            program = export_for_calibration(module, stride, scalars)
            flat = flat_samples(job.array.spec, index)
            job.report(f"member {index}: searching the ranges of int8")
            try:
                made, loss = int8_member(
                    program, job.calibration[index], member, plan, flat, job.progress
                )
            except ValueError as error:
                raise ExportError(f"member {index}: {error}") from error
            kept = made.float_operators
            job.report(f"member {index}: int8 loses {loss:.3f} dB, {len(kept)} operators float")
            islands += [f"{index}.{name}" for name in kept]
            module = made.module
        programs.append(export_member(module, job.sides, scalars))
    return programs, tuple(islands)


def _try_out(job: ExportJob, denoiser: RawDenoiser) -> None:
    """Load the file and run each member once: an export that succeeds may still not run.

    Raises:
        ExportError: when it does not, or gives values that are not finite.
    """
    job.report("loading and running the file")
    raw = np.full((1, 1, *job.sides), denoiser.spec.profile.white_level / 2, np.float32)
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
