"""``mobile``: the Feature-Align network shaped for the matrix kernels of phones, and for 8 bits.

The idea is that of arXiv 2103.01524: ARNet blocks, gamma and beta from the noisy input at each
stage, a residual output. What differs was chosen by measured time and short trainings: it works
on cells of 4 x 4 mosaic pixels instead of 2 x 2, where a byte moved carries four times the
arithmetic; its 3 x 3 convolutions are dense and 16 or more channels wide; gamma and beta come
from the noisy input by 1 x 1; the input is stabilised (:mod:`fa_mobile.domains`), and a float
front end spreads it over channels that eight bits resolve well below the noise.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn

from fa_mobile.networks.blocks import ARNetBlock, conv1x1

CELL_CHANNELS: Final = 16
NOISY_CHANNELS: Final = 24
"""Of the noisy input behind the front end."""
WIDTHS: Final = (32, 48, 96)
MIDDLE_HIDDEN: Final = 32
"""Inside the two blocks between: kernels make outputs in sixteens, so 24 would cost as much."""
DEEPEST_HIDDEN: Final = 80
"""Inside the deepest block: five sixteens. 88 and 96, with 24 in the middle blocks, took it above
a third of PMRID's instructions (Cortex-A76)."""


class CellFront(nn.Module):
    """The front end, in float at every precision: cells [N, 16, h, w] to [N, 24, h, w] in +-LIMIT.

    The features of a bright capture span 130 times their noise, so 256 steps over all of them
    would be half the noise each. A 1 x 1 convolution and a clamp make channels that span less:
    per Bayer colour, three differences within the cell, and its mean seen through three windows of
    level, beyond which a channel is constant. Learned; this is how it starts.
    """

    LIMIT: Final = 3.2
    _DIFFERENCES: Final = ((1, 1, -1, -1), (1, -1, 1, -1), (1, -1, -1, 1))
    _DIFFERENCE_SCALE: Final = 2.0
    _WINDOWS: Final = ((4.0, 0.9), (3.2, 2.6), (1.9, 5.2))
    """(scale, centre) of each window of level."""
    DIFFERENCE_CHANNELS: Final = 4 * len(_DIFFERENCES)
    """The first channels; the others are windows."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = conv1x1(CELL_CHANNELS, NOISY_CHANNELS)
        self.limit = nn.Hardtanh(-self.LIMIT, self.LIMIT)
        weight = torch.zeros(NOISY_CHANNELS, CELL_CHANNELS)
        bias = torch.zeros(NOISY_CHANNELS)
        rows = iter(range(NOISY_CHANNELS))
        colours = [slice(4 * colour, 4 * colour + 4) for colour in range(4)]
        for colour in colours:
            for difference in self._DIFFERENCES:
                weight[next(rows), colour] = self._DIFFERENCE_SCALE * torch.tensor(difference)
        for scale, centre in self._WINDOWS:
            for colour in colours:
                row = next(rows)
                weight[row, colour], bias[row] = scale / 4, -scale * centre
        with torch.no_grad():
            self.conv.weight.copy_(weight[:, :, None, None])
            self.conv.bias.copy_(bias)  # type: ignore[union-attr]

    def forward(self, cells: Tensor) -> Tensor:
        out: Tensor = self.limit(self.conv(cells))
        return out


class CellAlign(nn.Module):
    """Feature-Align on cells: ``features * gamma + beta``, beta by 1 x 1 from the noisy input.

    ``features`` [N, C, h, w], ``noisy`` of as many positions. Starts near the identity.

    Args:
        reach: side of gamma's kernel over the noisy input. The last product before the tail is a
            filter of the noisy input that the features choose: beyond 1 it reaches other cells.
    """

    def __init__(self, channels: int, noisy_channels: int, reach: int = 1) -> None:
        super().__init__()
        self.gamma = nn.Conv2d(noisy_channels, channels, reach, padding=reach // 2)
        self.beta = conv1x1(noisy_channels, channels)
        with torch.no_grad():
            _near(self.gamma, 1.0)
            _near(self.beta, 0.0)
            # It starts as a kernel of 1 x 1 would.
            centre = torch.zeros(reach, reach)
            centre[reach // 2, reach // 2] = 1
            self.gamma.weight.mul_(centre)

    def forward(self, features: Tensor, noisy: Tensor) -> Tensor:
        out: Tensor = features * self.gamma(noisy) + self.beta(noisy)
        return out


def _near(head: nn.Conv2d, value: float) -> None:
    """Start a head of Feature-Align near a constant."""
    head.weight.mul_(0.3)
    nn.init.constant_(head.bias, value)  # type: ignore[arg-type]


def _block(channels: int, hidden: int) -> ARNetBlock:
    return ARNetBlock(channels, hidden, groups=1)


def _halve(inputs: int, outputs: int) -> nn.Conv2d:
    """Down by two: a 2 x 2 convolution of stride 2."""
    return nn.Conv2d(inputs, outputs, 2, stride=2)


def _double(inputs: int, outputs: int) -> nn.ConvTranspose2d:
    """Up by two: a 2 x 2 transposed convolution of stride 2."""
    return nn.ConvTranspose2d(inputs, outputs, 2, stride=2)


class MobileTrunk(nn.Module):
    """The network on cells: noisy [N, 24, h, w] to residual [N, 16, h, w], multiples of 4.

    Three noise-aware stages: a half and a quarter of the cells' resolution, then the cells. The
    blocks that are widest inside are those whose 3 x 3 runs nearest to the kernels' full speed.

    Args:
        scale: factor on every width: cost and parameters grow with its square.
    """

    def __init__(self, scale: int = 1) -> None:
        super().__init__()
        w0, w1, w2 = (scale * width for width in WIDTHS)
        self.stem = conv1x1(NOISY_CHANNELS, w0)
        self.noisy1 = _averaging_halve()
        self.noisy2 = _averaging_halve()
        self.enc0 = _block(w0, w0 // 2)
        self.down1 = _halve(w0, w1)
        self.enc1 = _block(w1, scale * MIDDLE_HIDDEN)
        self.align1 = CellAlign(w1, NOISY_CHANNELS)
        self.down2 = _halve(w1, w2)
        self.enc2 = _block(w2, scale * DEEPEST_HIDDEN)
        self.align2 = CellAlign(w2, NOISY_CHANNELS)
        self.up2 = _double(w2, w1)
        self.dec1 = _block(w1, scale * MIDDLE_HIDDEN)
        self.up1 = _double(w1, w0)
        self.dec0 = _block(w0, w0)
        self.align0 = CellAlign(w0, NOISY_CHANNELS, reach=3)
        self.tail = conv1x1(w0, CELL_CHANNELS)
        # An untrained network must not harm: it starts close to "no residual".
        nn.init.normal_(self.tail.weight, std=1e-3)
        nn.init.zeros_(self.tail.bias)  # type: ignore[arg-type]

    def forward(self, noisy: Tensor) -> Tensor:
        x0 = self.enter(noisy)
        noisy1 = self.noisy1(noisy)
        x1 = self.align1(self.enc1(self.down1(x0)), noisy1)
        x2 = self.align2(self.enc2(self.down2(x1)), self.noisy2(noisy1))
        u1 = self.dec1(self.up2(x2) + x1)
        u0 = self.dec0(self.up1(u1) + x0)
        return self.leave(u0, noisy)

    def enter(self, noisy: Tensor) -> Tensor:
        """The first features at the cells' resolution: [N, 32, h, w]."""
        x0: Tensor = self.enc0(self.stem(noisy))
        return x0

    def leave(self, features: Tensor, noisy: Tensor) -> Tensor:
        """The residual, from the last features [N, 32, h, w] at the cells' resolution."""
        residual: Tensor = self.tail(self.align0(features, noisy))
        return residual


def _averaging_halve() -> nn.Conv2d:
    """The noisy cells of the next stage: learned, starting as the mean of 2 x 2 cells."""
    conv = _halve(NOISY_CHANNELS, NOISY_CHANNELS)
    with torch.no_grad():
        conv.weight.copy_(torch.eye(NOISY_CHANNELS)[:, :, None, None].expand_as(conv.weight) / 4)
        conv.bias.zero_()  # type: ignore[union-attr]
    return conv


class MobileNet(nn.Module):
    """:class:`CellFront` and :class:`MobileTrunk` on packed planes.

    Contract of every network here: features [N, 4, h, w] in, residual [N, 4, h, w] out; ``h`` and
    ``w`` are multiples of ``PACKED_STRIDE``. ``scale`` is the trunk's.
    """

    CELL: Final = 2
    """Packed positions along a side of a cell."""
    PACKED_STRIDE = 8
    DOMAIN = "stabilized"

    def __init__(self, scale: int = 1) -> None:
        super().__init__()
        self.unshuffle = nn.PixelUnshuffle(self.CELL)
        self.front = CellFront()
        self.trunk = MobileTrunk(scale)
        self.shuffle = nn.PixelShuffle(self.CELL)

    def forward(self, features: Tensor) -> Tensor:
        noisy = self.front(self.unshuffle(features))
        residual: Tensor = self.shuffle(self.trunk(noisy))
        return residual
