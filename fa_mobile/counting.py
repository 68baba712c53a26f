"""Counting what a network costs and how far it sees.

Multiply-accumulates of convolutions only, biases left out; one megapixel is 10^6 RAW mosaic
pixels, a quarter as many packed positions. These rules give the published figures of the peers.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

import torch
from torch import Tensor, nn

PACKED_PER_MOSAIC_PIXEL = 0.25


@dataclass(frozen=True)
class Cost:
    """Of one network: MACs per packed position and the parameters that ship."""

    macs_per_position: float
    parameters: int

    @property
    def gmacs_per_mp(self) -> float:
        """10^9 MACs per 10^6 mosaic pixels."""
        return self.macs_per_position * PACKED_PER_MOSAIC_PIXEL / 1000


def packed_stride(network: nn.Module) -> int:
    """Multiple to which packed h and w must be padded."""
    return int(network.PACKED_STRIDE)  # type: ignore[arg-type]


@torch.no_grad()
def count(network: nn.Module, *, side: int = 64) -> Cost:
    """Run ``network`` once on [1, 4, side, side] and count its convolutions.

    ``side`` must be a multiple of the packed stride; the result does not depend on it.
    """
    macs = 0.0

    def add(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal macs
        assert isinstance(module, nn.Conv2d | nn.ConvTranspose2d)
        # Each input of a transposed convolution, each output of a convolution, meets the kernel
        # of its group once.
        meets = inputs[0] if isinstance(module, nn.ConvTranspose2d) else output
        macs += meets.numel() * module.weight[0].numel()

    hooks = [
        module.register_forward_hook(add)
        for module in network.modules()
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d)
    ]
    parameter = next(network.parameters())
    try:
        network(torch.zeros(1, 4, side, side, dtype=parameter.dtype))
    finally:
        for hook in hooks:
            hook.remove()
    return Cost(macs / (side * side), sum(p.numel() for p in network.parameters()))


@torch.no_grad()
def mosaic_halo(network: nn.Module) -> int:
    """Mosaic pixels around a kept part on which it depends, rounded up to half the stride.

    Tiles begin and end on multiples of the stride, so what counts is how far past such a multiple
    an input can reach, not how far from itself: inside a cell of the stride, distance is free.

    Measured: a NaN at one position spreads over all that depends on it, through every
    convolution, product and ReLU. All positions within one stride cell are tried, because
    pooling and interpolation make the reach depend on the phase.
    """
    stride = packed_stride(network)
    plain = copy.deepcopy(network).float().eval()
    length = 16 * stride
    while (reach := _reach(plain, length)) + 2 * stride >= length // 2:
        length *= 2
    mosaic = 2 * reach
    return mosaic + -mosaic % stride


@torch.no_grad()
def _reach(network: nn.Module, length: int) -> int:
    """Packed positions that a NaN in a cell near the middle arrives beyond the ends of the cell.

    Sample k of the batch has it at phase k. A narrow strip in each direction is enough: kernels
    are square, so rows and columns spread independently.
    """
    stride = packed_stride(network)
    cell = length // 2 // stride * stride
    starts = cell + torch.arange(stride)
    z = torch.zeros(stride, 4, length, 2 * stride)
    z[torch.arange(stride), :, starts] = torch.nan
    distances = []
    for strip, across in ((z, 3), (z.transpose(2, 3).contiguous(), 2)):
        reached = torch.isnan(network(strip)).any(dim=(1, across))
        _, position = reached.nonzero(as_tuple=True)
        distances += [cell - int(position.min()), int(position.max()) + 1 - (cell + stride)]
    return max(distances)
