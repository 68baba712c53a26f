"""A model open inside QEMU: run from here, its instructions counted."""

from __future__ import annotations

import json
import select
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final

import numpy as np
import numpy.typing as npt

from fa_mobile.bench.arm_environment import ArmEnvironment, known_cpus
from fa_mobile.errors import UserError

Arrays = Sequence[npt.NDArray[Any]]
_GUEST: Final = Path(__file__).with_name("arm_guest.py")
_TIMEOUT: Final = 1200.0
"""Seconds for one answer. A frame of 1 MP takes about one minute on one core."""


class ArmProcess:
    """One process of QEMU with one model; a context manager.

    Args:
        environment: see :func:`fa_mobile.bench.arm_environment.find_arm_environment`.
        model: a ``.pte`` or ``.onnx`` file.
        cpu: as :func:`fa_mobile.bench.arm_environment.known_cpus` lists them.
        count: whether instructions are counted; without it a run takes less time.

    Raises:
        UserError: for a CPU that is not known, or a model that the guest's runtime refuses.
    """

    def __init__(
        self, environment: ArmEnvironment, model: Path, cpu: str, *, count: bool = True
    ) -> None:
        if cpu not in known_cpus(environment.folder):
            allowed = ", ".join(known_cpus(environment.folder))
            raise UserError(f"CPU {cpu!r} was given; this QEMU has {allowed}")
        if not model.is_file():
            raise UserError(f"model {model} was not found; give a .pte or .onnx file")
        self._model = model.resolve()
        self._folder = tempfile.TemporaryDirectory(prefix="fa-mobile-arm-")
        self._counts = Path(self._folder.name) / "counts" if count else None
        self._errors = (Path(self._folder.name) / "errors").open("w+", encoding="utf-8")
        self._process = subprocess.Popen(
            environment.command(cpu, self._counts, str(_GUEST), str(self._model)),
            env=environment.variables(), cwd=self._folder.name, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors,
        )  # fmt: skip
        try:
            self._answer()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> ArmProcess:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def run(self, inputs: Arrays, *, keep: bool = True) -> list[npt.NDArray[Any]]:
        """Run the model once.

        Args:
            inputs: in the order of the model's inputs.
            keep: whether the outputs are brought back; an empty list otherwise.

        Raises:
            UserError: when the model refuses the inputs, or the guest ends or hangs.
        """
        folder = Path(self._folder.name)
        given, outputs = folder / "inputs.npz", folder / "outputs.npz"
        np.savez(given, *inputs)
        job = {"inputs": str(given), "outputs": str(outputs) if keep else None}
        self._ask(json.dumps(job))
        if not keep:
            return []
        with np.load(outputs, allow_pickle=False) as file:
            return [file[name] for name in file.files]

    def counts(self) -> list[int]:
        """Guest instructions of every run so far, on one thread."""
        if self._counts is None:
            return []
        readings = [int(line) for line in self._counts.read_text(encoding="ascii").split()]
        return [
            after - before for before, after in zip(readings[::2], readings[1::2], strict=False)
        ]

    def close(self) -> None:
        """End the process and remove its files."""
        self._process.kill()
        self._process.communicate()
        self._errors.close()
        self._folder.cleanup()

    def _ask(self, line: str) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._ended() from None
        self._answer()

    def _answer(self) -> None:
        pipe: IO[str] | None = self._process.stdout
        assert pipe is not None
        # One line answers one question, so nothing is ever left in the reader's buffer.
        readable, _, _ = select.select([pipe], [], [], _TIMEOUT)
        if not readable:
            raise UserError(f"{self._model} gave no answer under QEMU in {_TIMEOUT:g} s")
        line = pipe.readline()
        if not line:
            raise self._ended()
        answer = json.loads(line)
        if "error" in answer:
            raise UserError(f"under QEMU: {answer['error']}")

    def _ended(self) -> UserError:
        code = self._process.wait()
        self._errors.flush()
        self._errors.seek(0)
        said = self._errors.read().strip().splitlines()
        return UserError(
            f"QEMU ended with code {code} on {self._model} ({said[-1] if said else 'no message'})"
        )
