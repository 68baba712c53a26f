"""Running a .pte on this machine, in the runtime of the ``executorch`` wheel or without torch.

The wheel's bindings need torch. Where they are not installed (the small install, or an ARM
machine that only runs bundles) the package ``executorch-numpy-runtime`` serves, which holds the
same C++ runtime and XNNPACK. Either is imported when a model is opened, not before.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from fa_mobile.errors import UserError

Array = npt.NDArray[np.float32]
Method = Callable[[Sequence[Array]], Sequence[npt.NDArray[np.generic]]]
"""A loaded method: float32 inputs to outputs, which may lie in the runtime's own memory and are
then good until the next call of any method of the program: methods share their memory."""
_IDENTIFIER: Final = slice(4, 8)
_IDENTIFIERS: Final = (b"ET12", b"ET13")


class ExecutorchModel:
    """A loaded ``model.pte`` of either form, called alike.

    Args:
        path: of the file.
        threads: of the runtime; 0 leaves the number to it (one for each core). ExecuTorch has one
            pool of threads for a process: models that are open together have the same number.
            The runtime without torch takes 0 only.
        lends: results are the runtime's own memory and good until the next call, which saves the
            memory and the time of a copy.

    Raises:
        UserError: without a runtime, for a file that is not a program of fa-mobile's, and for a
            number of threads that the runtime cannot give.
    """

    def __init__(self, path: Path, *, threads: int = 0, lends: bool = False) -> None:
        self._methods = load_methods(path, threads=threads)
        if "forward" not in self._methods and "select" not in self._methods:
            raise UserError(
                f"{path} has the methods {', '.join(sorted(self._methods)) or '(none)'}; allowed "
                "are 'forward', or 'select' with 'denoise_<member>': export it anew"
            )
        self._path = path
        self._lends = lends

    def run(self, raw: Array, *scalars: Array) -> Array:
        """Denoise.

        Args:
            raw: float32 [1, 1, H, W] in DN; H and W as the manifest allows.
            scalars: float32 [1] each: the gain, or a and b.

        Returns:
            float32 [1, 1, H, W] in DN.

        Raises:
            UserError: when the runtime refuses the inputs (a shape or count that is not allowed).
        """
        inputs = [np.ascontiguousarray(value, np.float32) for value in (raw, *scalars)]
        with _refusing(
            f"{self._path} refused inputs of shapes {[list(value.shape) for value in inputs]}; "
            "see the manifest for sizes and inputs"
        ):
            if "forward" in self._methods:
                (denoised,) = self._methods["forward"](inputs)
            else:
                *noise, index = self._methods["select"](inputs[1:])
                given = [np.array(value, np.float32) for value in noise[:2]]
                chosen = self._methods[f"denoise_{int(index.item())}"]
                (denoised,) = chosen([inputs[0], *(given if len(inputs) == 2 else inputs[1:])])
        return np.array(denoised, np.float32, copy=None if self._lends else True)


def load_methods(path: Path, *, threads: int = 0) -> Mapping[str, Method]:
    """Every method of a program by its name, from the runtime that is installed.

    Args:
        path: a ``.pte``, of fa-mobile's or another.
        threads: see :class:`ExecutorchModel`.

    Raises:
        UserError: as :class:`ExecutorchModel` does, but for the names of the methods.
    """
    if threads < 0:
        raise UserError(f"threads={threads} was given; allowed are whole numbers from 0")
    data = _read(path)
    load = _loader()
    with without_log(), _refusing(f"{path} cannot be loaded by ExecuTorch; export it anew"):
        return load(data, threads)


def _loader() -> Callable[[bytes, int], Mapping[str, Method]]:
    if find_spec("executorch") is not None and find_spec("torch") is not None:
        from fa_mobile.runtimes.executorch_torch import load
    elif find_spec("executorch_numpy_runtime") is not None:
        from fa_mobile.runtimes.executorch_numpy import load
    else:
        raise UserError(
            "running a .pte needs ExecuTorch's runtime; pip install 'fa-mobile[export]', or "
            "without torch (Python 3.12 or newer): pip install executorch-numpy-runtime==1.4.0"
        )
    return load


def _read(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error}") from error
    # The runtime checks this too, but also tries files that are not programs at all.
    if data[_IDENTIFIER] not in _IDENTIFIERS:
        raise UserError(f"{path} is no ExecuTorch program (.pte): export it anew")
    return data


@contextlib.contextmanager
def without_log() -> Iterator[None]:
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
