"""Feature-Align's two heads: each without groups, or both as one convolution, split behind it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from fa_mobile.folding.groups import regroup
from fa_mobile.networks.blocks import FeatureAlign
from fa_mobile.networks.mobile import CellAlign


class FusedAlign(nn.Module):
    """Feature-Align with one dense convolution to 2C channels for gamma | beta."""

    def __init__(self, layer: FeatureAlign | CellAlign) -> None:
        super().__init__()
        self.trunk = trunk_of(layer)
        self.channels = layer.gamma.out_channels
        gamma, beta = regroup(layer.gamma, 1), regroup(layer.beta, 1)
        self.heads = nn.Conv2d(
            gamma.in_channels, 2 * self.channels, gamma.kernel_size,  # type: ignore[arg-type]
            stride=gamma.stride, padding=gamma.padding,  # type: ignore[arg-type]
        ).to(gamma.weight)  # fmt: skip
        with torch.no_grad():
            self.heads.weight.copy_(torch.cat([gamma.weight, beta.weight]))
            self.heads.bias.copy_(torch.cat([gamma.bias, beta.bias]))  # type: ignore[list-item, union-attr]

    def forward(self, features: Tensor, noisy: Tensor) -> Tensor:
        heads = self.heads(self.trunk(noisy))
        out: Tensor = features * heads[:, : self.channels] + heads[:, self.channels :]
        return out


def trunk_of(layer: FeatureAlign | CellAlign) -> nn.Module:
    """What gamma and beta share: a convolution with its ReLU, or nothing."""
    if isinstance(layer, CellAlign):
        return nn.Identity()
    return nn.Sequential(layer.trunk, layer.act)


def fused_heads(module: nn.Module) -> nn.Module | None:
    """Feature-Align's gamma and beta convolutions become one, where their kernels are alike."""
    if not isinstance(module, FeatureAlign | CellAlign):
        return None
    return FusedAlign(module) if module.gamma.kernel_size == module.beta.kernel_size else None


def dense_heads(module: nn.Module) -> nn.Module | None:
    """Feature-Align's gamma and beta convolutions lose their groups, in place."""
    if not isinstance(module, FeatureAlign):
        return None
    module.gamma, module.beta = regroup(module.gamma, 1), regroup(module.beta, 1)
    return module
