"""Up by two in other operators: the same values, borders included.

``own`` leaves the network's. ``transposed``: bilinear interpolation by a transposed convolution
and two boxes. ``shuffle``: bilinear interpolation, or a 2x2 transposed convolution of stride 2, by
a convolution that makes the four sub-pixels as channels, and a pixel shuffle.
"""

from __future__ import annotations

from typing import Final, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from fa_mobile.folding.rewrite import Rewrite
from fa_mobile.networks.blocks import ConvUpsample

Upsample = Literal["own", "transposed", "shuffle"]


class SmoothedUpsample(nn.Module):
    """``ConvUpsample`` by a transposed convolution.

    Bilinear x2 with half-pixel centres is nearest x2, then a box of 2, then a box of 2 again. The
    first box reaches over the borders; an average that does not count padding equals the
    replicated border that bilinear assumes. The diagonal transposed convolution (nearest x2)
    costs half of one merged with the 1x1.
    """

    def __init__(self, layer: ConvUpsample) -> None:
        super().__init__()
        self.conv = layer.conv
        channels = layer.conv.out_channels
        self.spread = nn.ConvTranspose2d(channels, channels, 2, stride=2, bias=False)
        with torch.no_grad():
            diagonal = torch.eye(channels).view(channels, channels, 1, 1)
            self.spread.weight.copy_(diagonal.expand(-1, -1, 2, 2))

    def forward(self, x: Tensor) -> Tensor:
        y = self.spread(self.conv(x))
        # XNNPACK takes averages that do not count padding, and wants the stride said.
        y = functional.avg_pool2d(y, 2, stride=1, padding=1, count_include_pad=False)
        return functional.avg_pool2d(y, 2, stride=1, padding=0, count_include_pad=False)


def smoothed_upsample(module: nn.Module) -> nn.Module | None:
    """Every ``ConvUpsample`` becomes a :class:`SmoothedUpsample`."""
    return SmoothedUpsample(module) if isinstance(module, ConvUpsample) else None


def shuffled_upsample(module: nn.Module) -> nn.Module | None:
    """Every ``ConvUpsample`` and 2x2 transposed convolution of stride 2 ends in a pixel shuffle."""
    if isinstance(module, ConvUpsample):
        sub_pixels = _bilinear_sub_pixels(module.conv.out_channels)
        return nn.Sequential(module.conv, sub_pixels, nn.PixelShuffle(2))
    # Subclasses have a meaning of their own (unpacking the mosaic) and stay.
    if type(module) is nn.ConvTranspose2d and _doubles(module):
        return nn.Sequential(_transposed_sub_pixels(module), nn.PixelShuffle(2))
    return None


def _doubles(conv: nn.ConvTranspose2d) -> bool:
    plain = conv.groups == 1 and conv.padding == (0, 0) and conv.output_padding == (0, 0)
    return plain and conv.kernel_size == (2, 2) and conv.stride == (2, 2)


def _bilinear_sub_pixels(channels: int) -> nn.Conv2d:
    """Each channel's four sub-pixels from its 3 x 3 neighbourhood, borders replicated."""
    conv = nn.Conv2d(
        channels, 4 * channels, 3, padding=1, groups=channels, bias=False, padding_mode="replicate"
    )
    taps = torch.tensor([[0.25, 0.75, 0.0], [0.0, 0.75, 0.25]])
    with torch.no_grad():
        kernels = torch.einsum("ri,sj->rsij", taps, taps).view(4, 1, 3, 3)
        conv.weight.copy_(kernels.repeat(channels, 1, 1, 1))
    return conv


def _transposed_sub_pixels(transposed: nn.ConvTranspose2d) -> nn.Conv2d:
    """The 1x1 convolution whose channel 4 o + 2 r + s is the sub-pixel (r, s) of channel o."""
    inputs, outputs = transposed.in_channels, transposed.out_channels
    conv = nn.Conv2d(inputs, 4 * outputs, 1, bias=transposed.bias is not None)
    conv.to(transposed.weight)
    with torch.no_grad():
        weight = transposed.weight.permute(1, 2, 3, 0)
        conv.weight.copy_(weight.reshape(4 * outputs, inputs, 1, 1))
        if transposed.bias is not None:
            conv.bias.copy_(transposed.bias.repeat_interleave(4))  # type: ignore[union-attr]
    return conv


UPSAMPLING: Final[dict[str, Rewrite]] = {
    "transposed": smoothed_upsample,
    "shuffle": shuffled_upsample,
}
