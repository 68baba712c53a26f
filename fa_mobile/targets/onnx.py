"""The ONNX target: one model for onnxruntime on every system, in the browser included."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import onnx
import onnxruntime

from fa_mobile.denoiser import RawDenoiser
from fa_mobile.folding import FoldPlan, fold
from fa_mobile.targets.base import Exported, ExportError, ExportJob, check_job
from fa_mobile.targets.islands import Ladder
from fa_mobile.targets.onnx_compose import branches, compose
from fa_mobile.targets.onnx_member import member_model
from fa_mobile.targets.onnx_quantize import LADDER, Quantized, Settling, quantize
from fa_mobile.targets.settling import flat_samples
from fa_mobile.targets.tuned import plan_for

MODEL_FILE: Final = "model.onnx"
PLANS: Final = {
    "fp32": FoldPlan(group_width=16, mosaic="stem"),
    # onnxruntime has no int8 kernels for groups; dense ones are 3 to 10 times as fast.
    "int8": FoldPlan(group_width=None, mosaic="stem"),
}
"""Where nothing was measured (:mod:`fa_mobile.targets.tuned`)."""


def export(
    job: ExportJob,
    *,
    plan: FoldPlan | None = None,
    ladder: Ladder = LADDER,
) -> Exported:
    """Write ``model.onnx``: raw and gain (or a and b) in, denoised out; H and W dynamic.

    Args:
        job: precision "fp32" or "int8"; int8 needs calibration samples for every member.
        plan: the folds; None takes the job's, or what was measured.
        ladder: for int8, float islands to try, fewest first.

    Raises:
        ExportError: for a precision or calibration that does not fit, a graph that onnx's checker
            refuses, and a model that onnxruntime does not load and run.
    """
    check_job(job, tuple(PLANS))
    plan = plan or job.folds
    if plan is None:
        guess, network = PLANS[job.precision], job.array.spec.network
        plan = plan_for("onnx", job.precision, network, guess, job.report)
    if job.all_int8:
        ladder = ((),)
    denoiser = RawDenoiser(job.array).eval()
    models, quantized = [], []
    for index, member in enumerate(denoiser.members):
        folded = fold(member, plan)
        model = member_model(folded, denoiser.stride)
        if job.precision == "int8":
            flat = flat_samples(job.array.spec, index)
            job.report(f"member {index}: searching the ranges of int8")
            settling = Settling(folded, flat)
            made = quantize(model, job.calibration[index], ladder, settling, job.progress)
            quantized.append(made)
            model = made.model
            job.report(
                f"member {index}: int8 loses {made.loss_db:.3f} dB, "
                f"{len(made.islands)} modules stay float"
            )
        else:
            job.report(f"member {index}: exported")
        models.append(model)
    spec = job.array.spec
    composed = compose(models, spec.edges, spec.profile, job.selector)
    path = job.folder / MODEL_FILE
    _write(composed, path)
    _run_once(path, denoiser.stride, float(spec.profile.black_level[0]))
    job.report(f"{MODEL_FILE}: loaded and run in onnxruntime {onnxruntime.__version__}")
    inside, outside = optimized_operators(path)
    return Exported(
        files=(MODEL_FILE,),
        inputs=("raw", "gain") if job.selector == "gain" else ("raw", "a", "b"),
        fixed_shape=False,
        fold_plan=plan,
        delegated=inside,
        undelegated=outside,
        float_islands=_islands(quantized),
        notes=_notes(quantized),
    )


def _islands(quantized: Sequence[Quantized]) -> tuple[str, ...]:
    return tuple(f"{i}.{path}" for i, made in enumerate(quantized) for path in made.islands)


def _notes(quantized: Sequence[Quantized]) -> dict[str, str]:
    if not quantized:
        return {}
    return {
        "activations": "uint8 per tensor, asymmetric",
        "weights": "int8 per output channel, symmetric",
        "activation_percentiles": ", ".join(str(made.percentile) for made in quantized),
        "channels": ", ".join(
            "equalized" if made.equalized else "as trained" for made in quantized
        ),
        "calibration_loss_db": ", ".join(f"{made.loss_db:.3f}" for made in quantized),
    }


def _write(model: onnx.ModelProto, path: Path) -> None:
    """Infer shapes, check and save.

    Raises:
        ExportError: when the checker refuses the graph.
    """
    try:
        onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True)
        onnx.checker.check_model(model, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise ExportError(f"the composed ONNX graph is not valid: {str(error)[:300]}") from error
    onnx.save_model(model, str(path))


def _run_once(path: Path, stride: int, black: float) -> None:
    """Load the file and denoise a small black mosaic with it.

    Raises:
        ExportError: when onnxruntime refuses it or returns something else than a finite mosaic.
    """
    from fa_mobile.runtimes.onnx import OnnxModel

    raw = np.full((1, 1, 4 * stride, 5 * stride), black, np.float32)
    try:
        model = OnnxModel(path, threads=1)
        out = model.run(raw, *(np.array([1e-3], np.float32) for _ in range(len(model.inputs) - 1)))
    except Exception as error:  # whatever the runtime raises, the export did not succeed
        raise ExportError(f"onnxruntime does not run {path.name}: {error}") from error
    if out.shape != raw.shape or not np.isfinite(out).all():
        raise ExportError(
            f"{path.name} returned shape {out.shape} for {raw.shape}, or values not finite"
        )


def optimized_operators(path: Path) -> tuple[dict[str, int], dict[str, int]]:
    """Operators by type as onnxruntime runs them on the CPU: inside the members, and around them.

    Fused ones show what the runtime made of the file: QLinearConv of dequantize, convolution,
    quantize; FusedConv of a convolution and its ReLU. Level "extended" is the highest that can be
    written to a file that other processors read.
    """
    with tempfile.TemporaryDirectory(prefix="fa-mobile-") as folder:
        target = Path(folder) / MODEL_FILE
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
        options.optimized_model_filepath = str(target)
        onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        graph = onnx.load(str(target)).graph
    members = branches(graph)
    if members[0] is graph:
        return dict(sorted(Counter(node.op_type for node in graph.node).items())), {}
    inside = Counter(node.op_type for member in members for node in member.node)
    outside = Counter(_selection_operators(graph))
    return dict(sorted(inside.items())), dict(sorted(outside.items()))


def _selection_operators(graph: onnx.GraphProto) -> list[str]:
    """Operators of a graph and of its branches, as far as they hold an ``If``."""
    found = [node.op_type for node in graph.node]
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("g") and any(n.op_type == "If" for n in attribute.g.node):
                found += _selection_operators(attribute.g)
    return found
