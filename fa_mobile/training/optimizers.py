"""The optimizers by name, and the names of the tensors that they keep per parameter."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import torch
from torch import nn

from fa_mobile.training.config import OptimizerName, Precision
from fa_mobile.training.muon import MOMENTS, Muon

STATE_NAMES: Final[dict[OptimizerName, tuple[str, ...]]] = {
    "muon": MOMENTS,
    "adam": ("step", "exp_avg", "exp_avg_sq"),
}
"""What a resumed run needs of each parameter. Kernels under Muon have no second moment."""


def build_optimizer(
    name: OptimizerName,
    parameters: Iterable[nn.Parameter],
    learning_rate: float,
    precision: Precision = "float32",
) -> torch.optim.Optimizer:
    """Muon, or Adam as D. Kingma and J. Ba state it (betas 0.9 and 0.999, no weight decay).

    ``precision`` is that of Muon's matrices.
    """
    if name == "muon":
        return Muon(parameters, lr=learning_rate, dtype=getattr(torch, precision))
    return torch.optim.Adam(parameters, lr=learning_rate)
