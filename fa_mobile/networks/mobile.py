"""``mobile``: the Feature-Align network shaped for the matrix kernels of phones.

The idea is that of arXiv 2103.01524: ARNet blocks, gamma and beta from the noisy input at each
stage, a residual output. What differs was chosen by measured time and short trainings: it works
on cells of 4 x 4 mosaic pixels instead of 2 x 2, where a byte moved carries four times the
arithmetic; its 3 x 3 convolutions are dense and 16 or more channels wide; gamma and beta come
from the noisy input by 1 x 1; and the input is stabilised (:mod:`fa_mobile.domains`), so that
eight bits resolve half its noise. The rest of it is not yet trained for int8.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn

from fa_mobile.networks.blocks import ARNetBlock, conv1x1

CELL_CHANNELS: Final = 16
WIDTHS: Final = (32, 64, 128)


class CellAlign(nn.Module):
    """Feature-Align on cells: ``features * gamma + beta``, both by 1 x 1 from the noisy cells.

    ``features`` [N, C, h, w], ``noisy`` [N, 16, h, w]. Starts near the identity.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gamma = conv1x1(CELL_CHANNELS, channels)
        self.beta = conv1x1(CELL_CHANNELS, channels)
        with torch.no_grad():
            for head, bias in ((self.gamma, 1.0), (self.beta, 0.0)):
                head.weight.mul_(0.3)
                nn.init.constant_(head.bias, bias)  # type: ignore[arg-type]

    def forward(self, features: Tensor, noisy: Tensor) -> Tensor:
        out: Tensor = features * self.gamma(noisy) + self.beta(noisy)
        return out


def _halve(inputs: int, outputs: int) -> nn.Conv2d:
    """Down by two: a 2 x 2 convolution of stride 2."""
    return nn.Conv2d(inputs, outputs, 2, stride=2)


def _double(inputs: int, outputs: int) -> nn.ConvTranspose2d:
    """Up by two: a 2 x 2 transposed convolution of stride 2."""
    return nn.ConvTranspose2d(inputs, outputs, 2, stride=2)


class MobileTrunk(nn.Module):
    """The network on cells: noisy [N, 16, h, w] to residual [N, 16, h, w], multiples of 4.

    Three noise-aware stages: a quarter and an eighth of the cells' resolution, then the cells.
    """

    def __init__(self) -> None:
        super().__init__()
        w0, w1, w2 = WIDTHS
        self.stem = nn.Conv2d(CELL_CHANNELS, w0, 3, padding=1)
        self.noisy1 = _averaging_halve()
        self.noisy2 = _averaging_halve()
        self.enc0 = ARNetBlock(w0, 16, groups=1)
        self.down1 = _halve(w0, w1)
        self.enc1 = ARNetBlock(w1, 32, groups=1)
        self.align1 = CellAlign(w1)
        self.down2 = _halve(w1, w2)
        self.enc2 = ARNetBlock(w2, 64, groups=1)
        self.align2 = CellAlign(w2)
        self.up2 = _double(w2, w1)
        self.dec1 = ARNetBlock(w1, 32, groups=1)
        self.up1 = _double(w1, w0)
        self.dec0 = nn.Sequential(*(ARNetBlock(w0, 16, groups=1) for _ in range(2)))
        self.align0 = CellAlign(w0)
        self.tail = conv1x1(w0, CELL_CHANNELS)
        # An untrained network must not harm: it starts close to "no residual".
        nn.init.normal_(self.tail.weight, std=1e-3)
        nn.init.zeros_(self.tail.bias)  # type: ignore[arg-type]

    def noisy_consumers(self) -> tuple[nn.Conv2d, ...]:
        """The convolutions that take the noisy cells themselves."""
        return self.stem, self.noisy1, self.align0.gamma, self.align0.beta

    def forward(self, noisy: Tensor) -> Tensor:
        noisy1 = self.noisy1(noisy)
        x0 = self.enc0(self.stem(noisy))
        x1 = self.align1(self.enc1(self.down1(x0)), noisy1)
        x2 = self.align2(self.enc2(self.down2(x1)), self.noisy2(noisy1))
        u1 = self.dec1(self.up2(x2) + x1)
        u0 = self.dec0(self.up1(u1) + x0)
        residual: Tensor = self.tail(self.align0(u0, noisy))
        return residual


def _averaging_halve() -> nn.Conv2d:
    """The noisy cells of the next stage: learned, starting as the mean of 2 x 2 cells."""
    conv = _halve(CELL_CHANNELS, CELL_CHANNELS)
    with torch.no_grad():
        conv.weight.copy_(torch.eye(CELL_CHANNELS).view(CELL_CHANNELS, CELL_CHANNELS, 1, 1) / 4)
        conv.bias.zero_()  # type: ignore[union-attr]
    return conv


class MobileNet(nn.Module):
    """:class:`MobileTrunk` on packed planes.

    Contract of every network here: features [N, 4, h, w] in, residual [N, 4, h, w] out; ``h`` and
    ``w`` are multiples of ``PACKED_STRIDE``.
    """

    CELL: Final = 2
    """Packed positions along a side of a cell."""
    PACKED_STRIDE = 8
    DOMAIN = "stabilized"

    def __init__(self) -> None:
        super().__init__()
        self.unshuffle = nn.PixelUnshuffle(self.CELL)
        self.trunk = MobileTrunk()
        self.shuffle = nn.PixelShuffle(self.CELL)

    def forward(self, features: Tensor) -> Tensor:
        residual: Tensor = self.shuffle(self.trunk(self.unshuffle(features)))
        return residual
