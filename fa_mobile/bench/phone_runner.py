"""The command-line runner at work in its folder on a phone."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from fa_mobile.bench.adb import Adb, Answer, first_line
from fa_mobile.bench.runner_file import LIBRARY, RUNNER, RunnerFiles
from fa_mobile.bench.runner_output import RunnerOutput, parse_output
from fa_mobile.errors import UserError

Array = npt.NDArray[np.float32]

FIRST_LIMIT_S: Final = 300
"""For runs of which nothing is known yet."""
_OUTPUT: Final = "out.json"
_GRACE_S: Final = 30
"""The runner ends itself at its limit; adb is given this much more to say so."""
_ENDS: Final = {
    126: "this phone does not start it; build it for the phone's ABI",
    134: "it aborted",
    135: "it crashed (SIGBUS)",
    136: "it crashed (SIGFPE)",
    137: "Android ended it, for want of memory as a rule; give a smaller --side",
    139: "it crashed (SIGSEGV)",
    142: "it took too long; give a smaller --side or fewer --rounds",
}


class PhoneRunner:
    """Pushes and runs; every name on the phone is fixed but the folder's random part."""

    def __init__(self, adb: Adb, folder: str, files: RunnerFiles) -> None:
        self._adb = adb
        self._folder = folder
        adb.push([files.program], f"{folder}/{RUNNER}")
        adb.push([files.library], f"{folder}/{LIBRARY}")
        adb.shell("chmod", "700", f"{folder}/{RUNNER}")

    def put_model(self, number: int, model: Path) -> None:
        """Copy a bundle's model to the place of this number."""
        self._adb.shell("mkdir", "-p", f"{self._folder}/{number}")
        self._adb.push([model], f"{self._folder}/{number}/model.onnx")

    def put_inputs(self, number: int, raw: Array, scalars: Sequence[Array]) -> None:
        """Copy what the model of this number is called with: ``raw`` [H, W], scalars [1]."""
        with tempfile.TemporaryDirectory() as name:
            files = [Path(name) / "raw.f32", Path(name) / "scalars.f32"]
            for file, array in zip(files, (raw, np.concatenate(scalars)), strict=True):
                file.write_bytes(array.astype("<f4").tobytes())
            self._adb.push(files, f"{self._folder}/{number}/")

    def denoised(self, number: int, shape: tuple[int, int]) -> Array:
        """What the first call of the last run with ``results`` returned, [H, W]."""
        with tempfile.TemporaryDirectory() as name:
            place = Path(name) / "denoised.f32"
            self._adb.pull(f"{self._folder}/{number}/denoised.f32", place)
            data = place.read_bytes()
        if len(data) != 4 * shape[0] * shape[1]:
            raise UserError(f"the runner's denoised.f32 has {len(data)} bytes; run it again")
        return np.frombuffer(data, "<f4").reshape(shape).astype(np.float32)

    def run(
        self,
        numbers: Sequence[int],
        size: tuple[int, int],
        *,
        threads: int,
        runs: int,
        warmup: int = 0,
        seconds: int = 0,
        results: bool = False,
        limit_s: int = FIRST_LIMIT_S,
    ) -> RunnerOutput:
        """One process that times the models of these numbers in interleaved rounds.

        Args:
            numbers: of models whose inputs are in place.
            size: (width, height) of the inputs.
            threads: of the runtime; 0 leaves the number to it.
            runs: rounds at least; 0 only loads and calls once.
            warmup: rounds before, not kept.
            seconds: rounds go on until these are over.
            results: keep the first call's outputs for :meth:`denoised`.
            limit_s: the process ends itself after so long.

        Raises:
            UserError: when it refuses, crashes, takes too long, or the phone is gone.
        """
        options = {
            "library": f"{self._folder}/{LIBRARY}", "output": f"{self._folder}/{_OUTPUT}",
            "width": size[0], "height": size[1], "threads": threads, "warmup": warmup,
            "runs": runs, "seconds": int(seconds), "limit": limit_s,
        }  # fmt: skip
        words = [f"{self._folder}/{RUNNER}"]
        for name, value in options.items():
            words += [f"--{name}", str(value)]
        words += ["--results"] * results + [f"{self._folder}/{number}" for number in numbers]
        answer = self._adb.ask(*words, limit_s=limit_s + _GRACE_S)
        if answer.code != 0:
            raise UserError(f"the runner failed on the phone: {self._reason(answer)}")
        with tempfile.TemporaryDirectory() as name:
            place = Path(name) / _OUTPUT
            self._adb.pull(f"{self._folder}/{_OUTPUT}", place)
            found = parse_output(place.read_bytes())
        if len(found.subjects) != len(numbers) or len(found.started_s) < runs:
            raise UserError("the runner's output is not of the run that was asked for")
        return found

    def _reason(self, answer: Answer) -> str:
        """In one line without the phone's folder, which will be gone."""
        said = f"{answer.complaint}\n{answer.output}".replace(f"{self._folder}/", "")
        told = first_line(said).removeprefix("fa_runner: ")
        if answer.code in _ENDS:
            return f"{_ENDS[answer.code]} ({told})"
        if "CANNOT LINK" in said:
            return f"{told}; link the runner with ANDROID_STL=c++_static"
        return f"{told} (exit code {answer.code})"


class PhoneModel:
    """A model on the phone, called as :class:`fa_mobile.runtimes.session.Model` is."""

    def __init__(self, runner: PhoneRunner, number: int, threads: int) -> None:
        self._runner = runner
        self._number = number
        self._threads = threads

    def run(self, raw: Array, *scalars: Array) -> Array:
        """``raw`` float32 [1, 1, H, W] and scalars float32 [1] to denoised [1, 1, H, W]."""
        height, width = raw.shape[2:]
        self._runner.put_inputs(self._number, raw[0, 0], scalars)
        self._runner.run(
            [self._number], (width, height), threads=self._threads, runs=0, results=True
        )
        return self._runner.denoised(self._number, (height, width))[None, None]
