"""Weights of VGG16's shape: random, for tests that need activations and not their meaning."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fa_mobile.training.vgg import tensor_shapes

Arrays = dict[str, npt.NDArray[np.generic]]


def random_arrays(seed: int = 0) -> Arrays:
    """float16, of a spread that keeps activations alike from layer to layer."""
    rng = np.random.default_rng(seed)
    arrays: Arrays = {}
    for name, shape in tensor_shapes().items():
        scale = math.sqrt(2 / math.prod(shape[1:])) if len(shape) > 1 else 0.1
        arrays[name] = (scale * rng.standard_normal(shape, np.float32)).astype(np.float16)
    return arrays


def write_weights(path: Path, arrays: Arrays) -> Path:
    np.savez(path, **arrays)  # type: ignore[arg-type]
    return path
