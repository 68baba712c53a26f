"""Which member of the array serves a noise: pure, torch-free, the same everywhere."""

from __future__ import annotations

import numpy as np

Edges = tuple[float, ...]


def select(a: np.float32 | float, edges: Edges) -> int:
    """Index of the member for shot noise ``a``: the number of edges that ``a`` is not below.

    Compared in float32, like every artifact does. Total over the real numbers and clamped to the
    ends by construction; NaN selects 0 (runtimes refuse it before).
    """
    value = np.float32(a)
    return sum(bool(value >= np.float32(edge)) for edge in edges)
