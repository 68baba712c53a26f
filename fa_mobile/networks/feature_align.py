"""The Feature-Align U-Net of arXiv 2103.01524 in the reading R1, and its ablations.

Contract of the networks in this file: input ``z`` [N, 4, h, w], the packed noisy mosaic after
k-sigma; output [N, 4, h, w], the residual to add to ``z``. ``h`` and ``w`` are multiples of
``PACKED_STRIDE``.
"""

from __future__ import annotations

from torch import Tensor, nn

from fa_mobile.networks.blocks import (
    ARNetBlock,
    ConvUpsample,
    FeatureAlign,
    PooledConv,
    ShrunkSkip,
    conv3x3,
)

WIDTHS = (20, 40, 80)
HIDDEN = (16, 32, 64)


class _Stage(nn.Module):
    """ARNet blocks of one level, then (where wanted) Feature-Align."""

    def __init__(self, level: int, blocks: int, feature_align: bool) -> None:
        super().__init__()
        width, hidden = WIDTHS[level], HIDDEN[level]
        self.blocks = nn.Sequential(*(ARNetBlock(width, hidden) for _ in range(blocks)))
        self.align = FeatureAlign(width) if feature_align else None

    def forward(self, x: Tensor, noisy: Tensor) -> Tensor:
        out: Tensor = self.blocks(x)
        return out if self.align is None else self.align(out, noisy)


class FeatureAlignNet(nn.Module):
    """Three levels of 20, 40 and 80 channels: 2.66875 GMACs/MP, 44,858 parameters in full.

    Args:
        feature_align: False gives the plain U-Net of the paper's ablation (2.28400 GMACs/MP).
        skips: False leaves the shrunk skips out (2.56875 GMACs/MP).
    """

    PACKED_STRIDE = 4
    DOMAIN = "k-sigma"

    def __init__(self, *, feature_align: bool = True, skips: bool = True) -> None:
        super().__init__()
        self.head = conv3x3(4, WIDTHS[0])
        self.enc0 = _Stage(0, 1, feature_align)
        self.down0 = PooledConv(WIDTHS[0], WIDTHS[1])
        self.enc1 = _Stage(1, 1, feature_align)
        self.down1 = PooledConv(WIDTHS[1], WIDTHS[2])
        self.middle = _Stage(2, 1, feature_align)
        self.up1 = ConvUpsample(WIDTHS[2], WIDTHS[1])
        self.skip1 = ShrunkSkip(WIDTHS[1]) if skips else None
        self.dec1 = _Stage(1, 2, feature_align)
        self.up0 = ConvUpsample(WIDTHS[1], WIDTHS[0])
        self.skip0 = ShrunkSkip(WIDTHS[0]) if skips else None
        self.dec0 = _Stage(0, 2, feature_align)
        self.tail = conv3x3(WIDTHS[0], 4)
        self.pool = nn.AvgPool2d(2) if feature_align else None
        # An untrained network must not harm: it starts close to "no residual".
        nn.init.normal_(self.tail.weight, std=1e-3)
        nn.init.zeros_(self.tail.bias)  # type: ignore[arg-type]

    def forward(self, z: Tensor) -> Tensor:
        z1 = z if self.pool is None else self.pool(z)
        z2 = z if self.pool is None else self.pool(z1)
        x0 = self.enc0(self.head(z), z)
        x1 = self.enc1(self.down0(x0), z1)
        x2 = self.middle(self.down1(x1), z2)
        u1 = self.up1(x2)
        if self.skip1 is not None:
            u1 = u1 + self.skip1(x1)
        u1 = self.dec1(u1, z1)
        u0 = self.up0(u1)
        if self.skip0 is not None:
            u0 = u0 + self.skip0(x0)
        u0 = self.dec0(u0, z)
        residual: Tensor = self.tail(u0)
        return residual
