"""The part that runs inside QEMU: opens one model, then runs it as often as it is told.

Started as ``python arm_guest.py MODEL`` with fa_mobile beside numpy and the runtimes on its path:
nothing else is there, pydantic neither. Each line of standard input is a JSON object with the
paths ``inputs`` and ``outputs`` (null: not kept) of .npz files; each is answered by a line of
JSON: the shapes of the outputs, or the error. Around every run it takes a reading of the counter of
instructions, so what is read and written between runs is not counted.

One thread: onnxruntime is asked for one; ExecuTorch's pool has one for each core that
/sys/devices/system/cpu/present tells of, and the guest's root tells of one.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fa_mobile.errors import UserError

Arrays = Sequence[npt.NDArray[Any]]
MARK = 987654321
"""A file descriptor that is never open; benchmarks/arm/insn_count.c counts up to its closing."""


def take_reading() -> None:
    """Have the counter write its total."""
    with contextlib.suppress(OSError):
        os.close(MARK)


def open_model(path: Path) -> Callable[[Arrays], Arrays]:
    """A model file as a call on arrays in the order of its inputs.

    Args:
        path: ``.onnx``, or ``.pte`` with the method ``forward``, or of a bundle's other form.

    Raises:
        UserError: for another kind of file, or one that its runtime refuses.
    """
    if path.suffix == ".onnx":
        return _open_onnx(path)
    if path.suffix != ".pte":
        raise UserError(f"{path} was given; allowed are .pte and .onnx files")
    from fa_mobile.runtimes.executorch import ExecutorchModel, load_methods

    methods = load_methods(path)
    if "forward" in methods:
        return methods["forward"]
    model = ExecutorchModel(path, lends=True)
    return lambda inputs: [model.run(*inputs)]


def _open_onnx(path: Path) -> Callable[[Arrays], Arrays]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    names = [item.name for item in session.get_inputs()]

    def run(inputs: Arrays) -> Arrays:
        outputs: Arrays = session.run(None, dict(zip(names, inputs, strict=True)))
        return outputs

    return run


def answer(model: Callable[[Arrays], Arrays], line: str) -> dict[str, object]:
    """Run one job."""
    job = json.loads(line)
    with np.load(job["inputs"], allow_pickle=False) as file:
        inputs = [np.ascontiguousarray(file[name]) for name in file.files]
    take_reading()
    outputs = model(inputs)
    take_reading()
    if job["outputs"]:
        np.savez(job["outputs"], *outputs)
    return {"shapes": [list(output.shape) for output in outputs]}


def main() -> None:
    """Open the model named by the one argument and answer jobs until the input ends."""
    # Answers keep standard output to themselves, whatever a runtime prints.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def reply(content: dict[str, object]) -> None:
        answers.write(json.dumps(content) + "\n")
        answers.flush()

    try:
        model = open_model(Path(sys.argv[1]))
        reply({"ready": True})
        for line in sys.stdin:
            reply(answer(model, line))
    except Exception as error:  # everything is told to the host, which knows what was asked
        reply({"error": f"{type(error).__name__}: {error}"})
        raise SystemExit(1) from error


if __name__ == "__main__":
    main()
