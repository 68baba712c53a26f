"""Choosing between ExecuTorch's two runtimes, and what the classes add to them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from fa_mobile.errors import UserError
from fa_mobile.runtimes import executorch, executorch_torch
from fa_mobile.runtimes.executorch import ExecutorchModel, load_methods

Arrays = Sequence[npt.NDArray[Any]]
RAW = np.ones((1, 1, 8, 8), np.float32)
GAIN = np.full(1, 4, np.float32)


class RuntimeRefusal(Exception):
    """Stands for executorch_numpy_runtime.ExecuTorchError, which is no RuntimeError."""


class FakeMethod:
    def __init__(self, function: Callable[[Arrays], Arrays], inputs: int) -> None:
        self.metadata = {"num_inputs": inputs}
        self._function = function

    def __call__(self, inputs: Arrays) -> Arrays:
        return self._function(inputs)


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "model.pte"
    path.write_bytes(b"....ET12")
    return path


@pytest.fixture
def without_torch(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Pretend that only executorch-numpy-runtime is installed, with a program of these methods."""

    def install(**methods: FakeMethod) -> None:
        def load_program(data: bytes) -> Any:
            if data[8:]:
                raise RuntimeRefusal("corrupt")
            return SimpleNamespace(method_names=list(methods), load_method=methods.__getitem__)

        module = ModuleType("executorch_numpy_runtime")
        runtime = SimpleNamespace(load_program=load_program)
        vars(module).update(
            Runtime=SimpleNamespace(get=lambda: runtime), ExecuTorchError=RuntimeRefusal
        )
        monkeypatch.setitem(sys.modules, "executorch_numpy_runtime", module)
        monkeypatch.setattr(
            executorch, "find_spec", lambda name: name if name.endswith("numpy_runtime") else None
        )

    return install


def test_a_call_without_torch(program: Path, without_torch: Callable[..., None]) -> None:
    without_torch(forward=FakeMethod(lambda inputs: [inputs[0] * inputs[1]], 2))
    np.testing.assert_array_equal(ExecutorchModel(program).run(RAW, GAIN), RAW * 4)


def test_methods_without_torch(program: Path, without_torch: Callable[..., None]) -> None:
    def select(inputs: Arrays) -> Arrays:
        return [inputs[0] / 10, inputs[0] / 100, np.array([1], np.int64)]

    without_torch(
        select=FakeMethod(select, 1),
        denoise_0=FakeMethod(lambda inputs: [inputs[0] * 0], 3),
        denoise_1=FakeMethod(lambda inputs: [inputs[0] + inputs[1] + inputs[2]], 3),
    )
    got = ExecutorchModel(program).run(RAW, GAIN)
    np.testing.assert_allclose(got, 1 + 0.4 + 0.04, rtol=1e-6)


def test_what_the_runtime_refuses_is_told(
    program: Path, without_torch: Callable[..., None]
) -> None:
    def refuse(inputs: Arrays) -> Arrays:
        raise RuntimeRefusal("a shape")

    without_torch(forward=FakeMethod(refuse, 2))
    with pytest.raises(UserError, match=r"\[1, 1, 8, 8\], \[1\].*a shape"):
        ExecutorchModel(program).run(RAW, GAIN)
    with pytest.raises(UserError, match="takes 2 inputs, not 1"):
        ExecutorchModel(program).run(RAW)
    program.write_bytes(b"....ET12 and more")
    with pytest.raises(UserError, match="cannot be loaded by ExecuTorch.*corrupt"):
        ExecutorchModel(program)


def test_threads_without_torch(program: Path, without_torch: Callable[..., None]) -> None:
    without_torch(forward=FakeMethod(lambda inputs: inputs, 1))
    with pytest.raises(UserError, match="threads=2.*cannot set"):
        ExecutorchModel(program, threads=2)
    with pytest.raises(UserError, match="threads=-1.*from 0"):
        load_methods(program, threads=-1)


def test_neither_runtime(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executorch, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"fa-mobile\[export\].*executorch-numpy-runtime"):
        ExecutorchModel(program)


def test_another_program_is_refused(program: Path, without_torch: Callable[..., None]) -> None:
    without_torch(encode=FakeMethod(lambda inputs: inputs, 1))
    with pytest.raises(UserError, match="has the methods encode"):
        ExecutorchModel(program)


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """ExecuTorch's pool of threads, as its bindings show it."""
    from executorch.extension.pybindings import portable_lib

    state = SimpleNamespace(threads=4)
    monkeypatch.setattr(portable_lib, "_threadpool_get_thread_count", lambda: state.threads)
    monkeypatch.setattr(
        portable_lib, "_unsafe_reset_threadpool", lambda count: setattr(state, "threads", count)
    )
    monkeypatch.setattr(executorch_torch, "_open", set())
    return state


def test_the_pool_is_sized_while_nothing_is_open(pool: SimpleNamespace) -> None:
    executorch_torch._set_threads(2)
    assert pool.threads == 2
    executorch_torch._open.add("a method")  # type: ignore[arg-type]
    executorch_torch._set_threads(2)
    with pytest.raises(UserError, match="threads=1 was given while .* threads=2 are open"):
        executorch_torch._set_threads(1)
    assert pool.threads == 2


def test_the_wheel_has_the_private_functions() -> None:
    """The pinned version's; a newer one may have renamed them."""
    from executorch.extension.pybindings import portable_lib

    assert portable_lib._threadpool_get_thread_count() >= 1
    assert callable(portable_lib._unsafe_reset_threadpool)
