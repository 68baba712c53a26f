"""Losses of arXiv 2103.01524, section 3.3."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

CHARBONNIER_C: Final = 1e-6
CHARBONNIER_WEIGHT: Final = 393.5


def charbonnier(error: Tensor) -> Tensor:
    """Mean of sqrt(error^2 + c) times the paper's weight; ``error`` of any shape, signal 0..1."""
    return CHARBONNIER_WEIGHT * torch.sqrt(error * error + CHARBONNIER_C).mean()
