"""Running a .pte on this machine, on the runtime in the ``executorch`` wheel.

That runtime's bindings need torch, so both are imported when a model is opened, not before.
"""

from __future__ import annotations

import contextlib
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from fa_mobile.errors import UserError
from fa_mobile.hush import hush_exporters

Array = npt.NDArray[np.float32]
_IDENTIFIER: Final = slice(4, 8)
_IDENTIFIERS: Final = (b"ET12", b"ET13")
_BACKEND: Final = "XnnpackBackend"


class ExecutorchModel:
    """A loaded ``model.pte`` of either form, called alike.

    Args:
        path: of the file.

    Raises:
        UserError: without the runtime, or for a file that is not a program of fa-mobile's.
    """

    def __init__(self, path: Path) -> None:
        data = _read(path)
        runtime = _runtime()
        with _without_log(), _refusing(f"{path} cannot be loaded by ExecuTorch; export it anew"):
            self._program = runtime.load_program(data)
            self._names = frozenset(self._program.method_names)
            if "forward" not in self._names and "select" not in self._names:
                raise UserError(
                    f"{path} has the methods {', '.join(sorted(self._names)) or '(none)'}; allowed "
                    "are 'forward', or 'select' with 'denoise_<member>': export it anew"
                )
            self._methods = {name: self._program.load_method(name) for name in self._names}
        self._path = path

    def run(self, raw: Array, *scalars: Array) -> Array:
        """Denoise.

        Args:
            raw: float32 [1, 1, H, W] in DN; H and W as the manifest allows.
            scalars: float32 [1] each: the gain, or a and b.

        Returns:
            float32 [1, 1, H, W] in DN, not shared with the runtime.

        Raises:
            UserError: when the runtime refuses the inputs (a shape or count that is not allowed).
        """
        inputs = [_tensor(raw), *(_tensor(scalar) for scalar in scalars)]
        with _refusing(
            f"{self._path} refused inputs of shapes {[list(value.shape) for value in inputs]}; "
            "see the manifest for sizes and inputs"
        ):
            if "forward" in self._names:
                (denoised,) = self._execute("forward", inputs)
            else:
                selected = self._execute("select", inputs[1:])
                noise = selected[:2] if len(inputs) == 2 else inputs[1:]
                (denoised,) = self._execute(f"denoise_{int(selected[-1])}", [inputs[0], *noise])
        return np.array(denoised.numpy(), np.float32)

    def _execute(self, method: str, inputs: Sequence[Any]) -> Sequence[Any]:
        outputs: Sequence[Any] = self._methods[method].execute(inputs)
        return outputs


def _read(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error}") from error
    # The runtime checks this too, but also tries files that are not programs at all.
    if data[_IDENTIFIER] not in _IDENTIFIERS:
        raise UserError(f"{path} is no ExecuTorch program (.pte): export it anew")
    return data


def _runtime() -> Any:
    hush_exporters()  # the bindings import torchao
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the bindings announce that they are experimental
            from executorch.runtime import Runtime

            runtime = Runtime.get()
    except ImportError as error:
        raise UserError(
            f"running a .pte needs ExecuTorch's runtime ({error}); pip install 'fa-mobile[export]'"
        ) from error
    if not runtime.backend_registry.is_available(_BACKEND):
        raise UserError(
            f"this build of ExecuTorch has no {_BACKEND}; pip install 'fa-mobile[export]' brings "
            "one that has"
        )
    return runtime


def _tensor(array: Array) -> Any:
    import torch

    return torch.from_numpy(np.ascontiguousarray(array, np.float32))


@contextlib.contextmanager
def _without_log() -> Iterator[None]:
    """Keep the runtime's own log off the terminal: it tells of files that only phones have.

    It is written by C++ to the process's standard error, past Python; failures raise as well.
    """
    sys.stderr.flush()
    saved = os.dup(2)
    try:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)


@contextlib.contextmanager
def _refusing(message: str) -> Iterator[None]:
    try:
        yield
    except (RuntimeError, TypeError, ValueError, KeyError) as error:
        raise UserError(f"{message} ({error})") from error
