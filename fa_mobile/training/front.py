"""Before a member trains: its front end fitted to the levels that its noise leaves room for.

In the stabilised domain a capture at gain 1 spans a range five times as wide as one at gain 64.
The front end of a network for the whole range (:class:`fa_mobile.networks.mobile.CellFront`) has
windows of level for all of it, so those of a member for high gains would mostly be shut, and eight
bits would resolve the few open ones coarsely: at the highest gains that was most of what int8
lost. Here channels that never leave the clamp become biases, every open window is shared out among
the free places as narrower ones, side by side, and differences within the cell are stretched to
the clamp. In float the member stays the same function, but for rounding and for what the clamp
cuts off.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import torch
from torch import Tensor, nn

from fa_mobile.networks.mobile import CellFront, MobileNet

_SHUT: Final = 0.999
"""A window is shut when so much of what it sees lies beyond the clamp."""
_TAIL: Final = 3e-4
"""Of a channel's values, to either side, that may lie beyond what its windows cover."""
_MOST_STRETCH: Final = 2.0
_MOST_VALUES: Final = 100_000
"""Of a channel, to find its range."""


@torch.no_grad()
def fit_front(network: nn.Module, features: Sequence[Tensor]) -> None:
    """Fit the front end of a ``mobile`` network in place; other networks have none.

    Args:
        network: whose member's weights are those of another range of noise.
        features: batches [N, 4, h, w] of the range that it is to serve.
    """
    if not isinstance(network, MobileNet):
        return
    front = network.front
    seen = torch.cat([front.conv(network.unshuffle(batch)) for batch in features])
    values = [_thinned(channel) for channel in seen.transpose(0, 1).flatten(1)]
    readers = [
        network.trunk.stem,
        network.trunk.noisy1,
        network.trunk.align0.gamma,
        network.trunk.align0.beta,
    ]
    differences = front.DIFFERENCE_CHANNELS
    places = range(differences, front.conv.out_channels)
    shut = [place for place in places if _is_shut(values[place])]
    for place in shut:
        _take_out(readers, place, float(values[place].sign().mean()) * front.LIMIT)
    for channel in range(differences):
        reach = float(values[channel].abs().quantile(1 - _TAIL))
        _stretch(front, readers, channel, min(max(front.LIMIT / reach, 1.0), _MOST_STRETCH))
    still_open = [place for place in places if place not in shut]
    for place, narrower in zip(still_open, _shares(still_open, shut), strict=True):
        _share_out(front, readers, values[place], place, narrower)


def _thinned(values: Tensor) -> Tensor:
    return values[:: max(1, len(values) // _MOST_VALUES)]


def _is_shut(values: Tensor) -> bool:
    beyond = max(
        float((values > CellFront.LIMIT).float().mean()),
        float((values < -CellFront.LIMIT).float().mean()),
    )
    return beyond > _SHUT


def _shares(still_open: Sequence[int], free: Sequence[int]) -> Iterator[list[int]]:
    """For each open window its own place and as many of the free ones as any other gets."""
    each = len(free) // max(len(still_open), 1)
    for index, place in enumerate(still_open):
        yield [place, *free[index * each : (index + 1) * each]]


def _take_out(readers: Sequence[nn.Conv2d], channel: int, value: float) -> None:
    """Replace a channel that always has ``value`` by what it adds to its readers' biases."""
    for reader in readers:
        _bias(reader).add_(reader.weight[:, channel].flatten(1).sum(1) * value)
        reader.weight[:, channel] = 0


def _stretch(front: CellFront, readers: Sequence[nn.Conv2d], channel: int, factor: float) -> None:
    front.conv.weight[channel] *= factor
    _bias(front.conv)[channel] *= factor
    for reader in readers:
        reader.weight[:, channel] /= factor


def _share_out(
    front: CellFront, readers: Sequence[nn.Conv2d], values: Tensor, place: int, places: list[int]
) -> None:
    """Put windows side by side over the range of the one at ``place``.

    With ``value = low + sum_i (clamp(scale (value - centre_i)) + LIMIT) / scale`` between the
    ends, every reader takes each window with the old weight over ``scale``.
    """
    if len(places) == 1:
        return
    limit = front.LIMIT
    low = max(float(values.quantile(_TAIL)), -limit)
    high = min(float(values.quantile(1 - _TAIL)), limit)
    width = (high - low) / len(places)
    scale = 2 * limit / width
    weight, bias = front.conv.weight[place].clone(), _bias(front.conv)[place].clone()
    columns = [reader.weight[:, place].clone() for reader in readers]
    for index, into in enumerate(places):
        front.conv.weight[into] = weight * scale
        _bias(front.conv)[into] = (bias - (low + width * (index + 0.5))) * scale
        for reader, column in zip(readers, columns, strict=True):
            reader.weight[:, into] = column / scale
    for reader, column in zip(readers, columns, strict=True):
        _bias(reader).add_(column.flatten(1).sum(1) * (low + high) / 2)


def _bias(convolution: nn.Conv2d) -> Tensor:
    assert convolution.bias is not None, "convolutions of this network have biases"
    return convolution.bias
