"""Channels of ``mobile`` times factors that the layers behind them take back.

The same function in float, and another one in int8: channels of a tensor share one scale of eight
bits, and the next layers weigh them as they like. A channel of small values that is magnified there
is resolved coarsely. All the way to like sizes would push small weights below their own step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import torch
from torch import Tensor, nn

from fa_mobile.networks.mobile import MobileNet
from fa_mobile.training.state import RunState

_TAIL: Final = 2e-4
"""Of a channel's values, that may lie beyond its size."""
_SHARE: Final = 0.7
"""Of the way to like sizes, in logarithms, at the end of every training with rounding."""
_MOST: Final = 4.0
_SMALLEST: Final = 1e-6
_TRANSPOSED: Final = frozenset({"trunk.up1", "trunk.up2"})


class Place(NamedTuple):
    """Where channels can be rescaled: layers whose outputs they are, and those that read them.

    What lies between may be a ReLU, a sum of such outputs, or a product with what is not rescaled.
    """

    makers: tuple[str, ...]
    takers: tuple[str, ...]
    answers: tuple[str, ...] = ()
    """Layers whose outputs the channels are multiplied by: theirs take the inverse factors."""
    readers: tuple[str, ...] = ()
    """Modules whose first input is looked at for the channels' sizes: without them the takers."""


def _in_trunk(*names: str) -> tuple[str, ...]:
    return tuple(f"trunk.{name}" for name in names)


LAST_PRODUCT: Final = Place(
    _in_trunk("align0.gamma", "align0.beta"), _in_trunk("tail"), readers=_in_trunk("align0")
)
_BLOCKS: Final = ("enc0", "enc1", "enc2", "dec1", "dec0")
_IN_A_ROW: Final = (("reduce", "spatial"), ("spatial", "expand"))
HIDDEN: Final = tuple(
    Place(_in_trunk(f"{block}.{maker}"), _in_trunk(f"{block}.{taker}"))
    for block in _BLOCKS
    for maker, taker in _IN_A_ROW
)
"""Inside the blocks, behind either ReLU."""
CELLS_STREAM: Final = Place(
    _in_trunk("stem", "enc0.expand", "up1", "dec0.expand"),
    _in_trunk("enc0.reduce", "down1", "dec0.reduce"),
    answers=_in_trunk("align0.gamma"),
    readers=_in_trunk("enc0", "down1", "dec0", "align0"),
)
"""What the residual sums at the cells' resolution add up, skip and all."""
COARSE_STREAMS: Final = (
    Place(
        _in_trunk("down1", "enc1.expand"),
        _in_trunk("enc1.reduce"),
        answers=_in_trunk("align1.gamma"),
        readers=_in_trunk("enc1", "align1"),
    ),
    Place(
        _in_trunk("align1.gamma", "align1.beta", "up2", "dec1.expand"),
        _in_trunk("down2", "dec1.reduce", "up1"),
        readers=_in_trunk("down2", "dec1", "up1"),
    ),
    Place(
        _in_trunk("down2", "enc2.expand"),
        _in_trunk("enc2.reduce"),
        answers=_in_trunk("align2.gamma"),
        readers=_in_trunk("enc2", "align2"),
    ),
    Place(_in_trunk("align2.gamma", "align2.beta"), _in_trunk("up2")),
)
"""The residual sums below the cells' resolution, before and behind Feature-Align."""


@torch.no_grad()
def even_last_product(state: RunState, features: Sequence[Tensor]) -> None:
    """Bring the channels before the tail nearer to like sizes, in a run's weights and average.

    In place; networks other than ``mobile`` stay.

    Args:
        state: of a run at its end: moments are left as they are.
        features: batches [N, 4, h, w] of the range that the network serves.
    """
    if not isinstance(state.network, MobileNet):
        return
    factors = evening(state.network, LAST_PRODUCT, features, _SHARE)
    for weights in (state.parameters, state.average):
        rescale(weights, LAST_PRODUCT, factors)


@torch.no_grad()
def evening(network: MobileNet, place: Place, features: Sequence[Tensor], share: float) -> Tensor:
    """Factors, one for each channel, that bring channels ``share`` of the way to like sizes.

    Args:
        network: whose channels they are.
        place: of the channels.
        features: batches [N, 4, h, w] of the range that the network serves.
        share: in logarithms; below 0 takes them further apart.
    """
    sizes = _sizes(network, place, features)
    return ((sizes.median() / sizes) ** share).clamp(1 / _MOST, _MOST)


@torch.no_grad()
def rescale(weights: Mapping[str, Tensor], place: Place, factors: Tensor) -> None:
    """Multiply the channels of a place by ``factors`` [C], in place.

    Args:
        weights: of a network, by their names.
    """
    for names, by in ((place.makers, factors), (place.answers, 1 / factors)):
        for name in names:
            _outputs_first(weights, name).mul_(by[:, None, None, None])
            weights[f"{name}.bias"].mul_(by)
    for name in place.takers:
        _outputs_first(weights, name).div_(factors[None, :, None, None])


def _outputs_first(weights: Mapping[str, Tensor], name: str) -> Tensor:
    """A layer's weight as [outputs, inputs, kh, kw], which a transposed convolution's is not."""
    weight = weights[f"{name}.weight"]
    return weight.transpose(0, 1) if name in _TRANSPOSED else weight


def _sizes(network: MobileNet, place: Place, features: Sequence[Tensor]) -> Tensor:
    """Of each channel: the value that all but a few of its values are below."""
    seen: list[Tensor] = []

    def keep(_module: nn.Module, given: tuple[Tensor, ...]) -> None:
        value = given[0]
        if place == LAST_PRODUCT:
            # Exports take beta another way, beside the int8 network.
            value = value * network.trunk.align0.gamma(given[1])
        seen.append(value.abs().transpose(0, 1).flatten(1))

    hooks = [
        network.get_submodule(reader).register_forward_pre_hook(keep)
        for reader in place.readers or place.takers
    ]
    for batch in features:
        network(batch)
    for hook in hooks:
        hook.remove()
    values = torch.cat(seen, dim=1)
    rank = max(1, round((1 - _TAIL) * values.shape[1]))
    return values.kthvalue(rank, dim=1).values.clamp(min=_SMALLEST)
