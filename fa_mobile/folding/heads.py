"""Feature-Align's two heads as one convolution, split behind it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from fa_mobile.folding.groups import regroup
from fa_mobile.networks.blocks import FeatureAlign


class FusedFeatureAlign(nn.Module):
    """Feature-Align with one dense 3x3 4 -> 2C for gamma | beta."""

    def __init__(self, layer: FeatureAlign) -> None:
        super().__init__()
        self.trunk = layer.trunk
        self.act = layer.act
        self.channels = layer.gamma.out_channels
        gamma, beta = regroup(layer.gamma, 1), regroup(layer.beta, 1)
        self.heads = nn.Conv2d(gamma.in_channels, 2 * self.channels, 3, padding=1).to(gamma.weight)
        with torch.no_grad():
            self.heads.weight.copy_(torch.cat([gamma.weight, beta.weight]))
            self.heads.bias.copy_(torch.cat([gamma.bias, beta.bias]))  # type: ignore[list-item, union-attr]

    def forward(self, features: Tensor, noisy: Tensor) -> Tensor:
        heads = self.heads(self.act(self.trunk(noisy)))
        out: Tensor = features * heads[:, : self.channels] + heads[:, self.channels :]
        return out


def fused_heads(module: nn.Module) -> nn.Module | None:
    """Feature-Align's gamma and beta convolutions become one."""
    return FusedFeatureAlign(module) if isinstance(module, FeatureAlign) else None
