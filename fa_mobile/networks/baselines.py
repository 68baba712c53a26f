"""The peers that Feature-Align is measured against: the wavelet U-Net and PMRID.

Same contract as :mod:`fa_mobile.networks.feature_align`: z [N, 4, h, w] to residual [N, 4, h, w].
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import torch
from torch import Tensor, nn

from fa_mobile.errors import UserError
from fa_mobile.networks.blocks import ARNetBlock, conv3x3, haar_merge, haar_split
from fa_mobile.networks.feature_align import HIDDEN, WIDTHS
from fa_mobile.noise import NoiseParameters

PMRID_INPUT_SCALE: Final = 256.0
PMRID_ANCHOR: Final = NoiseParameters(
    a=(0.0005995267 * 1600 + 0.00868861) / 959,
    b=(7.11772e-7 * 1600**2 + 6.514934e-4 * 1600 + 0.11492713) / 959**2,
)
"""Noise of the OPPO Reno 10x at ISO 1600, to which PMRID's released weights are anchored."""


class WaveletUNet(nn.Module):
    """The U-Net with Haar wavelets for resampling: no convolution goes into down, up or skip.

    Half of a level's channels are split into their four bands and make the next level; the other
    half wait as the skip (7,936 MACs per packed position, 1.984 GMACs/MP; the paper: 1.98).
    """

    PACKED_STRIDE = 4
    DOMAIN = "k-sigma"

    def __init__(self) -> None:
        super().__init__()
        self.head = conv3x3(4, WIDTHS[0])
        self.enc0 = ARNetBlock(WIDTHS[0], HIDDEN[0])
        self.enc1 = ARNetBlock(WIDTHS[1], HIDDEN[1])
        self.middle = ARNetBlock(WIDTHS[2], HIDDEN[2])
        self.dec1 = nn.Sequential(*(ARNetBlock(WIDTHS[1], HIDDEN[1]) for _ in range(2)))
        self.dec0 = nn.Sequential(*(ARNetBlock(WIDTHS[0], HIDDEN[0]) for _ in range(2)))
        self.tail = conv3x3(WIDTHS[0], 4)
        nn.init.normal_(self.tail.weight, std=1e-3)
        nn.init.zeros_(self.tail.bias)  # type: ignore[arg-type]

    def forward(self, z: Tensor) -> Tensor:
        keep0, go0 = torch.chunk(self.enc0(self.head(z)), 2, dim=1)
        keep1, go1 = torch.chunk(self.enc1(haar_split(go0)), 2, dim=1)
        x2 = self.middle(haar_split(go1))
        u1 = self.dec1(torch.cat([keep1, haar_merge(x2)], dim=1))
        u0 = self.dec0(torch.cat([keep0, haar_merge(u1)], dim=1))
        residual: Tensor = self.tail(u0)
        return residual


class _Separable(nn.Module):
    """Depthwise convolution without bias, then 1x1 with bias, then (where wanted) ReLU."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, *, stride: int = 1, relu: bool
    ) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(
            inputs, inputs, kernel, stride, kernel // 2, groups=inputs, bias=False
        )
        self.pointwise = nn.Conv2d(inputs, outputs, 1)
        self.act = nn.ReLU() if relu else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.act(self.pointwise(self.depthwise(x)))
        return out


class _PmridEncoderBlock(nn.Module):
    """Two separable 5x5 with a narrow waist, plus the input (projected where the shape changes)."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        waist = outputs // 4
        self.conv1 = _Separable(inputs, waist, 5, stride=stride, relu=True)
        self.conv2 = _Separable(waist, outputs, 5, relu=False)
        same = stride == 1 and inputs == outputs
        self.proj = (
            nn.Identity() if same else _Separable(inputs, outputs, 3, stride=stride, relu=False)
        )
        self.act = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.act(self.conv2(self.conv1(x)) + self.proj(x))
        return out


class _PmridDecoderBlock(nn.Module):
    """Two separable 3x3 of one width, plus the input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv0 = _Separable(channels, channels, 3, relu=True)
        self.conv1 = _Separable(channels, channels, 3, relu=False)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x + self.conv1(self.conv0(x))
        return out


class _PmridDecoderStage(nn.Module):
    """Decode, up by two (transposed convolution), add the projected skip."""

    def __init__(self, inputs: int, skip: int, outputs: int) -> None:
        super().__init__()
        self.decode_conv = _PmridDecoderBlock(inputs)
        self.upsample = nn.ConvTranspose2d(inputs, outputs, 2, 2)
        self.proj_conv = _Separable(skip, outputs, 3, relu=True)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        out: Tensor = self.upsample(self.decode_conv(x)) + self.proj_conv(skip)
        return out


class _Plain(nn.Module):
    """A 3x3 convolution under the name that PMRID's weights use."""

    def __init__(self, inputs: int, outputs: int, *, relu: bool) -> None:
        super().__init__()
        self.conv = conv3x3(inputs, outputs)
        self.act = nn.ReLU() if relu else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.act(self.conv(x))
        return out


def _pmrid_encoder(inputs: int, outputs: int, blocks: int) -> nn.Sequential:
    rest = [_PmridEncoderBlock(outputs, outputs, 1) for _ in range(blocks - 1)]
    return nn.Sequential(_PmridEncoderBlock(inputs, outputs, 2), *rest)


class PmridNet(nn.Module):
    """PMRID (Y. Wang et al., ECCV 2020): 1,031,908 parameters, 3.7426 GMACs/MP.

    Structure as its released weights name it; input and output are scaled like ours (its factor
    of 256 is folded into the first and last convolution by :func:`load_pmrid`).
    """

    PACKED_STRIDE = 16
    DOMAIN = "k-sigma"

    def __init__(self) -> None:
        super().__init__()
        self.conv0 = _Plain(4, 16, relu=True)
        self.enc1 = _pmrid_encoder(16, 64, 2)
        self.enc2 = _pmrid_encoder(64, 128, 2)
        self.enc3 = _pmrid_encoder(128, 256, 4)
        self.enc4 = _pmrid_encoder(256, 512, 4)
        self.encdec = _Separable(512, 64, 3, relu=True)
        self.dec1 = _PmridDecoderStage(64, 256, 64)
        self.dec2 = _PmridDecoderStage(64, 128, 32)
        self.dec3 = _PmridDecoderStage(32, 64, 32)
        self.dec4 = _PmridDecoderStage(32, 16, 16)
        self.out0 = _PmridDecoderBlock(16)
        self.out1 = _Plain(16, 4, relu=False)
        # An untrained network must not harm: it starts close to "no residual".
        nn.init.normal_(self.out1.conv.weight, std=1e-3)
        nn.init.zeros_(self.out1.conv.bias)  # type: ignore[arg-type]

    def forward(self, z: Tensor) -> Tensor:
        x0 = self.conv0(z)
        x1 = self.enc1(x0)
        x2 = self.enc2(x1)
        x3 = self.enc3(x2)
        u = self.encdec(self.enc4(x3))
        u = self.dec1(u, x3)
        u = self.dec2(u, x2)
        u = self.dec3(u, x1)
        u = self.dec4(u, x0)
        residual: Tensor = self.out1(self.out0(u))
        return residual


def load_pmrid(path: Path) -> PmridNet:
    """PMRID with its released weights (``torch_pretrained.ckp``), read without unpickling code.

    Raises:
        UserError: when the file is not those weights.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise UserError(f"{path} cannot be read as PMRID's weights: {error}") from error
    network = PmridNet()
    if not isinstance(state, Mapping) or state.keys() != network.state_dict().keys():
        raise UserError(f"{path} does not hold PMRID's weights: its tensors have other names")
    network.load_state_dict(state)
    with torch.no_grad():
        network.conv0.conv.weight.mul_(PMRID_INPUT_SCALE)
        network.out1.conv.weight.div_(PMRID_INPUT_SCALE)
        network.out1.conv.bias.div_(PMRID_INPUT_SCALE)  # type: ignore[union-attr]
    return network.eval()
