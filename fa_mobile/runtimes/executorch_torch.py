"""The runtime in the ``executorch`` wheel, whose bindings speak torch tensors."""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from fa_mobile.errors import UserError
from fa_mobile.hush import hush_exporters
from fa_mobile.runtimes.executorch import Array, Method

_BACKEND: Final = "XnnpackBackend"


class _TorchMethod:
    def __init__(self, program: Any, name: str) -> None:
        self._program = program  # it owns the bytes that the method points into
        # The documented ``Method`` clones its outputs; the binding that it wraps need not.
        self._method = program.load_method(name)._method

    def __call__(self, inputs: Sequence[Array]) -> list[npt.NDArray[np.generic]]:
        import torch

        tensors = [torch.from_numpy(value) for value in inputs]
        # Cloned by torch, outputs would cost memory, a pass, and torch's threads, which then spin
        # on the cores that XNNPACK's need: measured, a quarter of the time on two cores.
        outputs = self._method.call(tensors, clone_outputs=False)
        return [np.asarray(_Lent(output.numpy(), self)) for output in outputs]


class _Lent:
    """What an array on the method's memory is based on, so that the memory lives as long."""

    def __init__(self, array: npt.NDArray[np.generic], lender: _TorchMethod) -> None:
        self.__array_interface__ = array.__array_interface__
        self._lender = lender


_open: weakref.WeakSet[_TorchMethod] = weakref.WeakSet()
"""Methods that hold on to the pool of threads."""


def load(data: bytes, threads: int) -> Mapping[str, Method]:
    """Load every method of a program.

    Raises:
        UserError: without the runtime or its XNNPACK, or for a number of threads other than that
            of the models that are open.
        RuntimeError: for a program that it refuses.
    """
    runtime = _runtime()
    if threads:
        _set_threads(threads)
    program = runtime.load_program(data)
    methods = {name: _TorchMethod(program, name) for name in program.method_names}
    _open.update(methods.values())
    return methods


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


def _set_threads(threads: int) -> None:
    """Size the process's one pool of threads.

    XNNPACK's part of a loaded method keeps a pointer to the pool it was loaded with, and sizing
    makes a new pool and frees the old one: only done while nothing is loaded. The two functions
    are private to ExecuTorch; the ``export`` extra pins its version.
    """
    from executorch.extension.pybindings import portable_lib

    running = portable_lib._threadpool_get_thread_count()
    if running == threads:
        return
    if _open:
        raise UserError(
            f"threads={threads} was given while ExecuTorch models with threads={running} are open; "
            "one process has one pool: open this model alone or in a process of its own"
        )
    portable_lib._unsafe_reset_threadpool(threads)
