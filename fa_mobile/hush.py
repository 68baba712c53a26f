"""Keeping libraries' notes to their own developers off the user's terminal."""

from __future__ import annotations

import logging


def hush_exporters() -> None:
    """Call before the export stack is imported: torchao warns of CUDA parts that a CPU lacks."""
    for name in ("torchao", "torch.utils._pytree", "coremltools"):
        logging.getLogger(name).setLevel(logging.ERROR)
