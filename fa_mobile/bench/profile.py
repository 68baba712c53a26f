"""Where a bundle's time goes, by operator, as far as its runtime tells."""

from __future__ import annotations

import json
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from statistics import median
from typing import Any, Final

from fa_mobile.bench.jobs import BundleSubject, ProfileJob, ProfileResult
from fa_mobile.bench.subjects import frame, onnx_session, scalars
from fa_mobile.bundle import read_bundle
from fa_mobile.manifest import Manifest

KINDS: Final[dict[str, tuple[str, ...]]] = {
    "convolution": ("Conv", "FusedConv", "QLinearConv", "ConvTranspose", "ConvInteger"),
    "elementwise": (
        "Add", "Sub", "Mul", "Div", "Relu", "Clip", "Reciprocal", "QLinearAdd", "QLinearMul",
        "GreaterOrEqual", "QuickGelu",
    ),
    "resampling": ("Resize", "Upsample", "AveragePool", "QLinearAveragePool", "DepthToSpace",
                   "SpaceToDepth"),
    "quantization": ("QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear"),
    "layout": ("ReorderInput", "ReorderOutput", "Transpose", "Concat", "Split", "Slice",
               "Reshape", "QLinearConcat"),
}  # fmt: skip
"""onnxruntime's operators by what they do; one that is not listed is of the kind "other"."""
_CONTAINERS: Final = frozenset({"If", "Loop", "Scan"})
"""Their time is that of the operators in their branches, which the trace lists too."""
_SUFFIX: Final = "_kernel_time"


def kind_of(operator: str) -> str:
    """The kind under which ``operator`` is grouped."""
    return next((kind for kind, names in KINDS.items() if operator in names), "other")


def profile(job: ProfileJob) -> ProfileResult:
    """Run the job's bundle under its runtime's profiler, one model call a run.

    A frame beyond the tile is profiled on one tile.

    Raises:
        UserError: when the runtime refuses the bundle.
    """
    manifest = read_bundle(Path(job.subject.folder))
    if manifest.target == "onnx":
        return _profile_onnx(job, manifest)
    if manifest.target == "executorch":
        return _profile_executorch(job.subject, manifest)
    reason = f"not run: {manifest.target} does not run on this machine"
    return ProfileResult(operators=None, reason=reason, arena_bytes=None)


def _sides(subject: BundleSubject, manifest: Manifest) -> tuple[int, int]:
    """(width, height) of one call: the frame's, down to what one tile takes."""
    height, width = (
        max(manifest.min_side, min(side - side % manifest.stride, most))
        for side, most in zip((subject.height, subject.width), manifest.tile, strict=True)
    )
    return width, height


def _profile_onnx(job: ProfileJob, manifest: Manifest) -> ProfileResult:
    raw = frame(manifest, *_sides(job.subject, manifest))[None, None]
    given = [raw, *scalars(manifest, job.subject.gain)]
    path = Path(job.subject.folder) / manifest.files[0]
    with tempfile.TemporaryDirectory(prefix="fa-mobile-") as folder:
        session = onnx_session(path, job.threads, profile=Path(folder) / "trace")
        names = [item.name for item in session.get_inputs()]
        for _ in range(job.runs + 1):  # the first one allocates
            session.run(None, dict(zip(names, given, strict=True)))
        trace = json.loads(Path(session.end_profiling()).read_text(encoding="utf-8"))
    operators, arena = parse_trace(trace)
    return ProfileResult(operators=operators, reason=None, arena_bytes=arena)


def parse_trace(
    trace: Iterable[Mapping[str, Any]],
) -> tuple[tuple[tuple[str, int, float], ...], int | None]:
    """Operators of onnxruntime's trace, and the peak of its memory pool in bytes.

    Of each node the median over the runs counts, so that the first run, which allocates, and one
    that was disturbed do not.

    Args:
        trace: the events of the JSON file, microseconds.

    Returns:
        (operator, calls, milliseconds of one run) in falling order of time, and the peak (None
        where the trace does not tell): what was in use at once, before the pool rounds it up.
    """
    times: dict[tuple[str, str], list[float]] = defaultdict(list)
    peak = 0
    for event in trace:
        facts = event.get("args", {})
        if event.get("cat") != "Node" or not str(event.get("name", "")).endswith(_SUFFIX):
            continue
        peak = max(peak, int(facts.get("mem_in_use_peak", 0)))
        if facts["op_name"] not in _CONTAINERS:
            times[facts["op_name"], event["name"]].append(float(event["dur"]))
    total: dict[str, list[float]] = defaultdict(list)
    for (operator, _), durations in times.items():
        total[operator].append(median(durations))
    rows = [(name, len(each), sum(each) / 1000) for name, each in total.items()]
    return tuple(sorted(rows, key=lambda row: -row[2])), peak or None


def _profile_executorch(subject: BundleSubject, manifest: Manifest) -> ProfileResult:
    """Ask the runtime for an event trace (ETDump) rather than believe that it makes none.

    Here belongs a profile by other means (chains of operators differenced), once there is one.
    """
    try:
        import torch
        from executorch.extension.pybindings import portable_lib
    except ImportError as error:
        reason = f"not available: the runtime in use has no bindings to trace events ({error})"
        return ProfileResult(operators=None, reason=reason, arena_bytes=None)
    data = (Path(subject.folder) / manifest.files[0]).read_bytes()
    program = portable_lib._load_for_executorch_from_buffer(data, enable_etdump=True)
    if "forward" not in program.method_names():
        reason = "not available: the bundle has one method per member, and none was chosen"
        return ProfileResult(operators=None, reason=reason, arena_bytes=None)
    raw = frame(manifest, *_sides(subject, manifest))[None, None]
    program.forward([torch.from_numpy(x) for x in (raw, *scalars(manifest, subject.gain))])
    with tempfile.TemporaryDirectory(prefix="fa-mobile-") as folder:
        dump = Path(folder) / "trace.etdp"
        program.write_etdump_result_to_file(str(dump))
        traced = dump.is_file() and dump.stat().st_size > 0
    reason = (
        "not available: this runtime writes an event trace, which fa-mobile does not read yet"
        if traced
        else "not available: the installed runtime has no event tracer (ETDump)"
    )
    return ProfileResult(operators=None, reason=reason, arena_bytes=None)
