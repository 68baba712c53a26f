"""The order of Feature-Align's product and sums.

``product`` is the layer's own ``features * gamma + beta``. ``residual`` is
``features + (features * (gamma - 1) + beta)``: one pass more, but what is added is small where
gamma is near 1.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from fa_mobile.folding.heads import trunk_of
from fa_mobile.networks.blocks import FeatureAlign
from fa_mobile.networks.mobile import CellAlign

Modulation = Literal["product", "residual"]


class ResidualAlign(nn.Module):
    """Feature-Align whose gamma convolution gives gamma - 1."""

    def __init__(self, layer: FeatureAlign | CellAlign) -> None:
        super().__init__()
        self.trunk = trunk_of(layer)
        self.gamma, self.beta = layer.gamma, layer.beta
        with torch.no_grad():
            self.gamma.bias.sub_(1)  # type: ignore[union-attr]

    def forward(self, features: Tensor, noisy: Tensor) -> Tensor:
        hidden = self.trunk(noisy)
        out: Tensor = features + (features * self.gamma(hidden) + self.beta(hidden))
        return out


def residual_align(module: nn.Module) -> nn.Module | None:
    """Feature-Align with two heads becomes a :class:`ResidualAlign`."""
    return ResidualAlign(module) if isinstance(module, FeatureAlign | CellAlign) else None
