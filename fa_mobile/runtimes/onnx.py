"""Running an ONNX bundle here: onnxruntime on the CPU. Imports no torch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fa_mobile.errors import UserError

if TYPE_CHECKING:
    import onnxruntime

Array = npt.NDArray[np.float32]


class OnnxModel:
    """A bundle's ``model.onnx``, loaded.

    Args:
        path: the file.
        threads: onnxruntime's threads; 0 leaves the number to it.

    Raises:
        UserError: when onnxruntime is missing, or the file is missing, damaged, or not a denoiser.
    """

    def __init__(self, path: Path, *, threads: int = 0) -> None:
        if threads < 0:
            raise UserError(f"threads={threads} was given; allowed are whole numbers from 0")
        self.path = path
        self._session = _session(path, threads)
        self.inputs = tuple(item.name for item in self._session.get_inputs())
        """Names of the inputs in the order of :meth:`run`."""
        outputs = tuple(item.name for item in self._session.get_outputs())
        if self.inputs not in (("raw", "gain"), ("raw", "a", "b")) or outputs != ("denoised",):
            raise UserError(
                f"{path} is not a fa-mobile denoiser: its inputs are {', '.join(self.inputs)} and "
                f"its outputs {', '.join(outputs)}; allowed are raw, gain or raw, a, b and "
                "denoised; export the bundle again"
            )

    def run(self, raw: Array, *scalars: Array) -> Array:
        """Denoise one mosaic.

        Args:
            raw: float32 [1, 1, H, W] in DN, RGGB at the origin, H and W multiples of the stride.
            scalars: float32 [1] each: gain, or a and b.

        Returns:
            denoised, float32 [1, 1, H, W] in DN.

        Raises:
            UserError: for another number of scalars, other dtypes or shapes, and for a file that
                onnxruntime cannot run.
        """
        given = (raw, *scalars)
        if len(given) != len(self.inputs):
            raise UserError(
                f"{len(given)} inputs were given to {self.path}; it takes {', '.join(self.inputs)}"
            )
        if raw.ndim != 4 or raw.shape[:2] != (1, 1) or any(s.shape != (1,) for s in scalars):
            raise UserError(
                f"inputs of shapes {[list(item.shape) for item in given]} were given; allowed are "
                "raw [1, 1, H, W] and [1] for each scalar"
            )
        if any(item.dtype != np.float32 for item in given):
            raise UserError(
                f"inputs of types {[str(item.dtype) for item in given]} were given; allowed is "
                "float32; convert with .astype(np.float32)"
            )
        try:
            outputs = self._session.run(None, dict(zip(self.inputs, given, strict=True)))
        except Exception as error:  # onnxruntime raises classes of its own C++ module
            raise UserError(
                f"{self.path} cannot be run on a mosaic of {raw.shape[2]} x {raw.shape[3]} "
                f"({_first_line(error)}); check that both sides are multiples of the stride in "
                "the manifest"
            ) from error
        return np.asarray(outputs[0], np.float32)


def _session(path: Path, threads: int) -> onnxruntime.InferenceSession:
    try:
        import onnxruntime
    except ImportError as error:
        raise UserError(
            "onnxruntime is not installed; install it with 'pip install onnxruntime'"
        ) from error
    if not path.is_file():
        raise UserError(f"ONNX model {path} was not found; give the path of a model.onnx")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 4  # what goes wrong is raised, and told by the UserError
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises classes of its own C++ module
        raise UserError(
            f"{path} is not a readable ONNX model ({_first_line(error)}); "
            "compare it with the bundle's SHA256SUMS and copy it again"
        ) from error


def _first_line(error: Exception) -> str:
    lines = str(error).splitlines()
    return lines[0] if lines else type(error).__name__
