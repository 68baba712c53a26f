"""Batch normalisation folded into the convolution before it."""

from __future__ import annotations

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval


def batch_norm(module: nn.Module) -> nn.Module | None:
    """In a Sequential, each Conv2d followed by a BatchNorm2d becomes one Conv2d.

    fa-mobile's own networks have none; checkpoints of one's own may. Only this order is exact: a
    normalisation before a zero-padded convolution is not a fold, because the padding is not
    normalised.
    """
    if not isinstance(module, nn.Sequential):
        return None
    layers: list[nn.Module] = []
    for layer in module:
        if isinstance(layer, nn.BatchNorm2d) and layers and isinstance(layers[-1], nn.Conv2d):
            layers[-1] = fuse_conv_bn_eval(layers[-1], layer)
        else:
            layers.append(layer)
    return None if len(layers) == len(module) else nn.Sequential(*layers)
