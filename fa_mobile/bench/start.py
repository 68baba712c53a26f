"""The first use of a bundle in a process of its own: time to load and run, and memory over it."""

from __future__ import annotations

import time
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from fa_mobile.bench import memory
from fa_mobile.bench.jobs import StartJob, StartResult
from fa_mobile.bench.subjects import buffers, bundle_call
from fa_mobile.bundle import read_bundle
from fa_mobile.hush import hush_exporters

_LIBRARIES: Final = {
    "onnx": ("onnxruntime",),
    "executorch": ("executorch.runtime", "executorch_numpy_runtime"),
}
"""The first that is installed is what the bundle will run on."""
_MORE_CALLS: Final = 2
"""onnxruntime plans its memory in the first call and holds more from the second on."""
_NO_PROC: Final = "not available: resident memory is read from Linux's /proc"


def first_use(job: StartJob) -> StartResult:
    """Load and run the job's bundle; memory is the highest of a few calls.

    The runtime's library (with ExecuTorch: torch, which no phone loads), the mosaic and, of a
    frame, its result are in memory before; load is from the file to a model that can be called.

    Raises:
        UserError: when the bundle's runtime is missing or refuses it.
    """
    subject = job.subject
    manifest = read_bundle(Path(subject.folder))
    held = buffers(manifest, subject.width, subject.height)
    _import_runtime(subject.target)
    base = memory.reset_peak()
    begin = time.perf_counter()
    call = bundle_call(subject, manifest, held, job.threads)
    loaded = time.perf_counter()
    call()
    ran = time.perf_counter()
    for _ in range(_MORE_CALLS):
        call()
    peak = memory.peak() if base is not None else None
    known = base is not None and peak is not None
    return StartResult(
        load_ms=(loaded - begin) * 1000,
        first_ms=(ran - loaded) * 1000,
        base_bytes=base if known else None,
        peak_bytes=max(0, peak - base) if peak is not None and base is not None else None,
        memory_reason=None if known else _NO_PROC,
    )


def _import_runtime(target: str) -> None:
    """Import the library; when it is missing, loading the model says so."""
    for name in _LIBRARIES.get(target, ()):
        if find_spec(name.split(".")[0]) is not None:
            hush_exporters()
            import_module(name)
            return
