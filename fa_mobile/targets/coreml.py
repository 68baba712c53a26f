"""The Core ML target: one callable from iOS 17 on, and a file of functions from iOS 18 on.

Core ML does not run on Linux. What is checked here is the structure of the packages; the apps
replay the golden vectors on a device.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from torch import nn

from fa_mobile.denoiser import RawDenoiser
from fa_mobile.folding import FoldPlan, fold
from fa_mobile.targets.base import Exported, ExportError, ExportJob, check_job
from fa_mobile.targets.coreml_program import (
    quiet,
    select_program,
    selected_program,
    traced_members,
)
from fa_mobile.targets.coreml_quantize import QuantizedMember, quantize_member
from fa_mobile.targets.coreml_structure import check_structure
from fa_mobile.targets.islands import Ladder

MODEL: Final = "model.mlpackage"
FUNCTIONS: Final = "model-ios18.mlpackage"
PRECISIONS: Final = ("fp16", "int8")
PLAN: Final = FoldPlan(group_width=16, mosaic="planes")
"""Packing stays a pixel shuffle: as convolution it would look like the networks' float16 ones."""
LADDER: Final[Ladder] = (
    ("head", "conv0*", "pool", "enc0*", "dec0*", "tail"),
    ("head", "conv0*", "pool", "enc0*", "dec0*", "tail", "*.align*", "down0*", "up0*", "skip0*"),
    ("[!m]*",),
    ("*",),
)
"""Modules whose activations stay float16 in int8, fewest first: the first level's blocks (with Core
ML's symmetric ranges anything less lost up to 2 dB); what leads to and from it too; all but the
middle; everything, which leaves int8 weights. Patterns of their paths in the network.
"""
_NETWORK: Final = "network"

Interface = Mapping[str, tuple[int, ...]]


def export(job: ExportJob, *, plan: FoldPlan = PLAN, ladder: Ladder = LADDER) -> Exported:
    """Write ``model.mlpackage`` and ``model-ios18.mlpackage`` at the fixed size of the tile.

    The networks compute in float16 (int8: with int8 weights, and int8 activations outside the
    islands); DN arithmetic, k-sigma, the residual sum and the clip stay float32: 16-bit DN do not
    fit in float16, and at 10 bits its step is 0.5 DN.

    Raises:
        ExportError: for a precision, tile or calibration that does not fit, a conversion that
            fails, and a package without the structure that it should have.
    """
    denoiser = RawDenoiser(job.array).eval()
    _check(job, denoiser.stride)
    spec = job.array.spec
    members: list[nn.Module] = [fold(m, plan) for m in denoiser.members]
    quantized: list[QuantizedMember] = []
    if job.precision == "int8":
        with quiet():  # torch announces the end of its quantized tensors
            quantized = [
                quantize_member(member, samples, ladder)
                for member, samples in zip(members, job.calibration, strict=True)
            ]
        members = [made.member for made in quantized]
        job.report("activation ranges measured")
    job.report("folds: a guess, their times on Core ML were not run")
    traced = traced_members(members, job.sides)
    mosaic = (1, 1, *job.sides)
    by_gain = job.selector == "gain"
    profile = spec.profile if by_gain else None
    scalars: Interface = {"gain": (1,)} if by_gain else {"a": (1,), "b": (1,)}
    program = selected_program(traced, spec.edges, profile)
    _convert(program, {"raw": mosaic, **scalars}, job.folder / MODEL, job.precision, "iOS17")
    job.report(f"{MODEL}: converted")
    _save_functions(job, traced)
    structure = check_packages(job.folder, spec.members)
    job.report(f"{MODEL}, {FUNCTIONS}: structure checked, not run")
    return Exported(
        files=(MODEL, FUNCTIONS),
        inputs=("raw", *scalars),
        fixed_shape=True,
        fold_plan=plan,
        delegated=structure["operators"],
        undelegated={},
        float_islands=tuple(
            f"{index}.{path}" for index, made in enumerate(quantized) for path in made.islands
        ),
        notes=_notes(job, quantized, function_names(spec.members)),
    )


def function_names(members: int) -> tuple[str, ...]:
    """Functions of the iOS 18 package: one per member, and the selection."""
    return (*(f"denoise_{index}" for index in range(members)), "select")


def check_packages(folder: Path, members: int) -> dict[str, Any]:
    """Check the structure of both packages of a bundle; returns the iOS 17 one's.

    Raises:
        ExportError: see :func:`fa_mobile.targets.coreml_structure.check_structure`.
    """
    check_structure(folder / FUNCTIONS, functions=function_names(members))
    return check_structure(folder / MODEL, conds=members - 1)


def _check(job: ExportJob, stride: int) -> None:
    check_job(job, PRECISIONS)
    if any(side < stride or side % stride for side in job.sides):
        raise ExportError(
            f"tile {job.sides} was given; allowed are multiples of the network's stride {stride}"
        )


def _in_network(operation: Any) -> bool:
    """Whether a MIL operator was made by a member's network (and not by what stands around it)."""
    from coremltools.converters.mil.mil.scope import ScopeSource

    return _NETWORK in operation.scopes.get(ScopeSource.TORCHSCRIPT_MODULE_NAME, [])


def _convert(
    program: Any,
    inputs: Interface,
    path: Path,
    precision: str,
    target: str,
    outputs: Mapping[str, Any] | None = None,
) -> None:
    """Convert a TorchScript program to a package; float32 in and out.

    Raises:
        ExportError: with the converter's words.
    """
    with quiet():
        import coremltools as ct

        named = {"denoised": np.float32} if outputs is None else outputs
        pipeline = ct.PassPipeline()
        # It would turn "times span, plus black" into a batch normalisation with an epsilon of
        # 1e-5: all DN too small by 5e-6 of the span.
        pipeline.remove_passes({"common::fuse_elementwise_to_batchnorm"})
        try:
            model = ct.convert(
                program,
                inputs=[
                    ct.TensorType(name, shape=shape, dtype=np.float32)
                    for name, shape in inputs.items()
                ],
                outputs=[ct.TensorType(name, dtype=dtype) for name, dtype in named.items()],
                minimum_deployment_target=getattr(ct.target, target),
                compute_precision=ct.transform.FP16ComputePrecision(op_selector=_in_network),
                pass_pipeline=pipeline,
                skip_model_load=True,
            )
            if precision == "int8" and outputs is None:
                model = _with_int8_weights(model)
            model.save(str(path))
        except Exception as error:  # the converter raises whatever its passes raise
            raise ExportError(
                f"coremltools {ct.__version__} does not convert {path.name}: "
                f"{type(error).__name__}: {str(error)[:300]}"
            ) from error


def _with_int8_weights(model: Any) -> Any:
    """All convolutions' weights in int8, symmetric, per output channel."""
    import coremltools.optimize.coreml as cto

    rule = cto.OpLinearQuantizerConfig(
        mode="linear_symmetric", granularity="per_channel", weight_threshold=0
    )
    config = cto.OptimizationConfig(op_type_configs={"conv": rule, "conv_transpose": rule})
    return cto.linear_quantize_weights(model, config=config)


def _save_functions(job: ExportJob, traced: Sequence[Any]) -> None:
    """Write the multifunction package: denoise_0 .. denoise_{n-1} and select."""
    spec = job.array.spec
    by_gain = job.selector == "gain"
    mosaic = (1, 1, *job.sides)
    with tempfile.TemporaryDirectory(prefix="fa-mobile-") as folder:
        parts: dict[str, Path] = {}
        for index, member in enumerate(traced):
            parts[f"denoise_{index}"] = Path(folder) / f"denoise_{index}.mlpackage"
            inputs = {"raw": mosaic, "a": (1,), "b": (1,)}
            _convert(member, inputs, parts[f"denoise_{index}"], job.precision, "iOS18")
        parts["select"] = Path(folder) / "select.mlpackage"
        noise = {"a": np.float32, "b": np.float32} if by_gain else {}
        _convert(
            select_program(spec.profile if by_gain else None, spec.edges),
            {"gain": (1,)} if by_gain else {"a": (1,)},
            parts["select"],
            job.precision,
            "iOS18",
            {**noise, "index": np.int32},
        )
        with quiet():
            import coremltools as ct

            described = ct.utils.MultiFunctionDescriptor()
            for name, path in parts.items():
                described.add_function(str(path), "main", name)
            described.default_function_name = "denoise_0"
            ct.utils.save_multifunction(described, str(job.folder / FUNCTIONS))


def _notes(
    job: ExportJob, quantized: Sequence[QuantizedMember], functions: Sequence[str]
) -> dict[str, str]:
    notes = {
        "delegation": "not run",
        "float32": "packing, normalisation, k-sigma, residual sum, clip, unpacking, selection",
        "float16": "the networks",
        MODEL: f"iOS 17: one call, tile {job.sides[0]} x {job.sides[1]}",
        FUNCTIONS: f"iOS 18: functions {', '.join(functions)}",
    }
    if quantized:
        notes["weights"] = "int8 per output channel, symmetric"
        notes["activations"] = (
            "int8 per tensor, symmetric, at the inputs of convolutions outside the float islands; "
            "float16 elsewhere"
        )
        notes["activation_percentiles"] = ", ".join(str(made.percentile) for made in quantized)
        losses = ", ".join(f"{made.loss_db:.3f}" for made in quantized)
        notes["calibration_loss_db"] = f"{losses} (simulated on the host, not run in Core ML)"
    return notes


__all__ = ["check_packages", "check_structure", "export"]
