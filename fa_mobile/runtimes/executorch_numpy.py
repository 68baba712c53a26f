"""The runtime in ``executorch-numpy-runtime``: ExecuTorch and XNNPACK without torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fa_mobile.errors import UserError
from fa_mobile.runtimes.executorch import Array, Method, without_log


class _NumpyMethod:
    def __init__(self, method: Any, refusal: type[Exception]) -> None:
        self._method = method
        self._refusal = refusal
        self._expected: int = method.metadata["num_inputs"]
        self._ran = False

    def __call__(self, inputs: Sequence[Array]) -> list[npt.NDArray[np.generic]]:
        # The runtime itself runs on with what an earlier call left in place of missing inputs.
        if len(inputs) != self._expected:
            raise RuntimeError(f"it takes {self._expected} inputs, not {len(inputs)}")
        try:
            if self._ran:
                return list(self._method(inputs))
            with without_log():  # the first call is where the method is really loaded
                outputs = list(self._method(inputs))
        except self._refusal as error:
            raise RuntimeError(str(error)) from error
        self._ran = True
        return outputs


def load(data: bytes, threads: int) -> Mapping[str, Method]:
    """Load every method of a program.

    Raises:
        UserError: for any number of threads but 0: this runtime has no function to set it, and
            takes one for each of the machine's cores that are online.
        RuntimeError: for a program that it refuses.
    """
    import executorch_numpy_runtime as runtime  # type: ignore[import-not-found]

    if threads:
        raise UserError(
            f"threads={threads} was given, which executorch-numpy-runtime cannot set; give 0, or "
            "use the runtime of pip install 'fa-mobile[export]'"
        )
    try:
        program = runtime.Runtime.get().load_program(data)
        return {
            name: _NumpyMethod(program.load_method(name), runtime.ExecuTorchError)
            for name in program.method_names
        }
    except runtime.ExecuTorchError as error:
        raise RuntimeError(str(error)) from error
