"""Building blocks of the Feature-Align network (arXiv 2103.01524, section 3).

Every block takes and returns float tensors [N, C, h, w]; ``h`` and ``w`` count packed positions.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


def conv3x3(inputs: int, outputs: int, groups: int = 1) -> nn.Conv2d:
    """3 x 3 convolution with bias that keeps h and w (zero padding)."""
    return nn.Conv2d(inputs, outputs, 3, padding=1, groups=groups)


def conv1x1(inputs: int, outputs: int) -> nn.Conv2d:
    """1 x 1 convolution with bias."""
    return nn.Conv2d(inputs, outputs, 1)


class ARNetBlock(nn.Module):
    """Residual bottleneck: 1x1 shrink, ReLU, grouped 3x3, ReLU, 1x1 expand, plus the input.

    The group count is fixed (8 in the paper's reading R1), so that the cost of the 3 x 3 stays
    an eighth of a dense one at every level.
    """

    def __init__(self, channels: int, hidden: int, groups: int = 8) -> None:
        super().__init__()
        self.reduce = conv1x1(channels, hidden)
        self.spatial = conv3x3(hidden, hidden, groups)
        self.expand = conv1x1(hidden, channels)
        self.act = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.act(self.reduce(x))
        hidden = self.act(self.spatial(hidden))
        out: Tensor = x + self.expand(hidden)
        return out


class FeatureAlign(nn.Module):
    """Modulate features by the noisy input: ``features * gamma + beta``.

    gamma and beta, one value per channel and position, come from the noisy input (average-pooled
    to the stage's resolution) by a shared 3x3 4 -> 4 with ReLU and two grouped 3x3 4 -> C. The
    bias of gamma starts at 1, so an untrained layer lets the features pass.
    """

    def __init__(self, channels: int, noisy_channels: int = 4) -> None:
        super().__init__()
        self.trunk = conv3x3(noisy_channels, noisy_channels)
        self.act = nn.ReLU()
        self.gamma = conv3x3(noisy_channels, channels, groups=noisy_channels)
        self.beta = conv3x3(noisy_channels, channels, groups=noisy_channels)
        with torch.no_grad():
            for head, bias in ((self.gamma, 1.0), (self.beta, 0.0)):
                head.weight.mul_(0.1)
                nn.init.constant_(head.bias, bias)  # type: ignore[arg-type]

    def forward(self, features: Tensor, noisy: Tensor) -> Tensor:
        """``features`` [N, C, h, w], ``noisy`` [N, 4, h, w]."""
        hidden = self.act(self.trunk(noisy))
        out: Tensor = features * self.gamma(hidden) + self.beta(hidden)
        return out


class ShrunkSkip(nn.Module):
    """Skip connection at half width: 1x1 C -> C/2, replicated twice to C channels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.shrink = conv1x1(channels, channels // 2)

    def forward(self, x: Tensor) -> Tensor:
        half = self.shrink(x)
        return torch.cat([half, half], dim=1)


class PooledConv(nn.Module):
    """Down by two: 2x2 average pooling, then a 1x1 convolution."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.pool = nn.AvgPool2d(2)
        self.conv = conv1x1(inputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.conv(self.pool(x))
        return out


class ConvUpsample(nn.Module):
    """Up by two: a 1x1 convolution, then bilinear interpolation (half-pixel centres)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = conv1x1(inputs, outputs)
        self.upsample = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.upsample(self.conv(x))
        return out


def haar_split(x: Tensor) -> Tensor:
    """Orthonormal Haar analysis [N, C, 2h, 2w] -> [N, 4C, h, w] (LL, LH, HL, HH)."""
    a, b = x[..., 0::2, 0::2], x[..., 0::2, 1::2]
    c, d = x[..., 1::2, 0::2], x[..., 1::2, 1::2]
    bands = [a + b + c + d, a - b + c - d, a + b - c - d, a - b - c + d]
    return torch.cat(bands, dim=1) * 0.5


def haar_merge(bands: Tensor) -> Tensor:
    """Inverse of :func:`haar_split`: [N, 4C, h, w] -> [N, C, 2h, 2w]."""
    ll, lh, hl, hh = torch.chunk(bands * 0.5, 4, dim=1)
    corners = [ll + lh + hl + hh, ll - lh + hl - hh, ll + lh - hl - hh, ll - lh - hl + hh]
    return nn.functional.pixel_shuffle(torch.stack(corners, dim=2).flatten(1, 2), 2)
