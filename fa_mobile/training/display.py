"""The minimal ISP that gradients pass through: RAW patches to sRGB, for the perceptual loss.

The steps of :func:`fa_mobile.isp.render` without its tone curve: white balance, bilinear
demosaicing, colour matrix, gamma. Nothing is rounded to 16 bits on the way.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

DARKEST: Final = 1e-8
"""Linear light below this is shown as this, as :func:`fa_mobile.isp.gamma_compression` does. It
also bounds the slope of the gamma: 1.05e4 at its steepest, 0 below."""
_GAMMA: Final = 2.2

# Where a colour was sampled it stays; elsewhere it is the mean of its nearest samples. Works on
# mosaics that hold one colour and zeros: with zeros between them, a kernel's sum is that mean.
_SPARSE: Final = ((1.0, 2.0, 1.0), (2.0, 4.0, 2.0), (1.0, 2.0, 1.0))
_QUINCUNX: Final = ((0.0, 1.0, 0.0), (1.0, 4.0, 1.0), (0.0, 1.0, 0.0))
_PLACES: Final = ((0,), (1, 2), (3,))
"""Of red, green, blue among R, Gr, Gb, B."""


def demosaic(planes: Tensor) -> Tensor:
    """Packed planes [N, 4, h, w] (R, Gr, Gb, B) to RGB [N, 3, 2h, 2w], bilinear.

    The border is mirrored without its last row and column, which keeps every colour in place.
    """
    colours = planes.new_zeros(planes.shape[0], 12, *planes.shape[2:])
    for colour, places in enumerate(_PLACES):
        for place in places:
            colours[:, 4 * colour + place] = planes[:, place]
    padded = functional.pad(functional.pixel_shuffle(colours, 2), (1, 1, 1, 1), mode="reflect")
    kernels = planes.new_tensor([_SPARSE, _QUINCUNX, _SPARSE]).unsqueeze(1) / 4
    return functional.conv2d(padded, kernels, groups=3)


def gamma_compression(linear: Tensor) -> Tensor:
    """Linear light 0..1 to display, exponent 1 / 2.2, any shape."""
    return torch.clamp(linear, min=DARKEST) ** (1 / _GAMMA)


def to_display(planes: Tensor, gains: Tensor, camera_to_rgb: Tensor) -> Tensor:
    """Render RAW patches: sRGB [N, 3, 2h, 2w] in 0..1.

    Args:
        planes: [N, 4, h, w] packed normalised signal (R, Gr, Gb, B); what leaves 0..1 after the
            white balance is clipped, and has no gradient.
        gains: [N, 4, 1, 1] white balance times brightness, by packed channel.
        camera_to_rgb: [N, 3, 3] colour matrices, camera RGB to linear sRGB.
    """
    camera = demosaic(torch.clamp(planes * gains, 0, 1))
    linear = torch.einsum("nij,njhw->nihw", camera_to_rgb, camera)
    return gamma_compression(torch.clamp(linear, 0, 1))
