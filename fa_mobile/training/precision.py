"""The arithmetic of a training: float32, or bfloat16 where that does not hurt."""

from __future__ import annotations

import torch

from fa_mobile.training.config import Precision


def arithmetic(precision: Precision) -> torch.autocast:
    """What runs within: convolutions and products of matrices, in the precision asked for.

    Weights, their average, moments and sums of errors stay float32.
    """
    return torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16")
