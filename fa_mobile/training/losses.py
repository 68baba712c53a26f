"""Losses of arXiv 2103.01524, section 3.3, as functions of tensors.

Where the text at hand gives no norm or weight, the choice made here is stated beside it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor

CHARBONNIER_C: Final = 1e-6
CHARBONNIER_WEIGHT: Final = 393.5
SMALLEST_ERROR: Final = 1e-6
"""Mean squared error of a patch, of the weighted signal, below which it weighs ever less: some
26 dB under the noise, so that flat patches, whose error has no end, do not outweigh the others."""
FEATURE_WEIGHT: Final = 78.7
"""Of content and style between the teacher's activations: a fifth of Charbonnier's weight."""
DISTILLATION_WEIGHT: Final = FEATURE_WEIGHT
"""Of the L1 distance to the teacher's output. Chosen here, so that both ways to learn from a
teacher weigh a fifth of the truth."""
PERCEPTUAL_WEIGHT: Final = FEATURE_WEIGHT
"""Of content and style between VGG16's activations. Chosen here, like the distillation's."""


def charbonnier(error: Tensor) -> Tensor:
    """Mean of sqrt(error^2 + c) times the paper's weight; ``error`` of any shape, signal 0..1."""
    return CHARBONNIER_WEIGHT * torch.sqrt(error * error + CHARBONNIER_C).mean()


def negative_psnr(error: Tensor) -> Tensor:
    """Minus the mean over patches of their PSNR in dB; ``error`` [N, 4, h, w], signal 0..1.

    After L. Chen et al., "HINet" (CVPR Workshops 2021). Between patches it is the ratio of errors
    that counts, so that edges beside saturated areas, where errors are large, hardly count.
    """
    return 10 / math.log(10) * torch.log(_squared(error) + SMALLEST_ERROR).mean()


def root_mean_square(error: Tensor) -> Tensor:
    """Mean over patches of their root mean square error times Charbonnier's weight.

    Within a patch it is the squared error, least at the mean of what a pixel could be; patches
    count by the size of their error, between :func:`negative_psnr`, in which all count alike, and
    the mean squared error, in which few count at all.

    Args:
        error: [N, 4, h, w], signal 0..1.
    """
    return CHARBONNIER_WEIGHT * torch.sqrt(_squared(error) + SMALLEST_ERROR).mean()


def _squared(error: Tensor) -> Tensor:
    """Mean squared error of each patch, [N]."""
    return error.square().flatten(1).mean(dim=1)


def cast(error: Tensor, sigma: Tensor) -> Tensor:
    """Mean over patches and channels of how far the mean over a patch is off.

    The mean absolute error of pixels is least at the median of what a pixel could be, which is not
    the mean where noise is not symmetric or the truth ends at black. Nobody sees it in one pixel;
    over an area it is a tint.

    Args:
        error: estimate - truth, [N, 4, h, w].
        sigma: standard deviation of the noise at each value, of the same shape.
    """
    off = (error / sigma).mean(dim=(2, 3))
    return torch.sqrt(off * off + CHARBONNIER_C).mean()


def gram(activations: Tensor) -> Tensor:
    """Products of channels, [N, C, h, w] to [N, C, C]: F F^T / (C h w).

    L. Gatys et al., "Image Style Transfer Using Convolutional Neural Networks" (CVPR 2016), with
    the normalisation of J. Johnson et al., "Perceptual Losses for Real-Time Style Transfer and
    Super-Resolution" (ECCV 2016): it does not depend on the size of the image.
    """
    rows = activations.flatten(2)
    return rows @ rows.transpose(1, 2) / (rows.shape[1] * rows.shape[2])


def content_distance(estimate: Sequence[Tensor], truth: Sequence[Tensor]) -> Tensor:
    """Mean over layers of mean |difference|: [N] from two lists of [N, C, h, w], C, h, w by layer.

    L1, as the paper's distillation uses, so that a patch's share grows with its error and not
    with the square.
    """
    return _mean_distance(estimate, truth)


def style_distance(estimate: Sequence[Tensor], truth: Sequence[Tensor]) -> Tensor:
    """Mean over layers of the sum of |difference| between Gram matrices, over C: [N].

    The sum over one row of a Gram matrix, averaged over rows: like the content it keeps its size
    from a layer of few channels to one of many. Its unit is that of the activations, squared.
    """
    pairs = zip(estimate, truth, strict=True)
    layers = [(gram(e) - gram(t)).abs().sum(dim=2).mean(dim=1) for e, t in pairs]
    return torch.stack(layers).mean(dim=0)


def _mean_distance(estimate: Sequence[Tensor], truth: Sequence[Tensor]) -> Tensor:
    pairs = zip(estimate, truth, strict=True)
    return torch.stack([(e - t).abs().flatten(1).mean(dim=1) for e, t in pairs]).mean(dim=0)
