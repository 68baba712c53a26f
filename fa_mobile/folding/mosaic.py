"""Bayer packing and unpacking with the black and white level, each as one convolution."""

from __future__ import annotations

import torch
from torch import nn

from fa_mobile.denoiser import PackNormalize, UnpackDenormalize


def _one_hot_cells(reference: torch.Tensor) -> torch.Tensor:
    """[4, 1, 2, 2]: kernel k picks the sample at row k // 2, column k % 2 of the 2 x 2 cell."""
    return torch.eye(4).view(4, 1, 2, 2).to(reference)


def packing_convolution(module: nn.Module) -> nn.Module | None:
    """Pixel unshuffle, minus black, over span: one 2x2 convolution 1 -> 4 of stride 2."""
    if not isinstance(module, PackNormalize):
        return None
    conv = nn.Conv2d(1, 4, 2, stride=2).to(module.span)
    with torch.no_grad():
        conv.weight.copy_(_one_hot_cells(module.span) / module.span.view(4, 1, 1, 1))
        conv.bias.copy_(-(module.black / module.span).flatten())  # type: ignore[union-attr]
    return conv


def unpacking_convolution(module: nn.Module) -> nn.Module | None:
    """Times span, plus black, pixel shuffle: one 2x2 transposed convolution 4 -> 1 of stride 2.

    A transposed convolution has one bias for all four positions, so this holds only for a black
    level that the four channels share; otherwise the module stays.
    """
    if not isinstance(module, UnpackDenormalize):
        return None
    black = module.black.flatten()
    if not torch.equal(black, black[:1].expand(4)):
        return None
    conv = nn.ConvTranspose2d(4, 1, 2, stride=2).to(module.span)
    with torch.no_grad():
        conv.weight.copy_(_one_hot_cells(module.span) * module.span.view(4, 1, 1, 1))
        conv.bias.copy_(black[:1])  # type: ignore[union-attr]
    return conv
