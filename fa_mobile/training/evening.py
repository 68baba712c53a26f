"""Before int8: the channels of the last product brought nearer to each other in size.

They share one scale of eight bits, and the tail weighs them as it likes: a channel of small values
that the tail magnifies is resolved coarsely. Gamma and beta of the last Feature-Align times a
factor per channel, and the tail's columns over it, are the same function. All the way to like sizes
would push small weights of the tail below their own step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import torch
from torch import Tensor, nn

from fa_mobile.networks.mobile import MobileNet
from fa_mobile.training.state import RunState

_TAIL: Final = 2e-4
"""Of a channel's values, that may lie beyond its size."""
_SHARE: Final = 0.7
"""Of the way to like sizes, in logarithms."""
_MOST: Final = 4.0


@torch.no_grad()
def even_last_product(state: RunState, features: Sequence[Tensor]) -> None:
    """Even out a run's weights and their average, in place; networks other than ``mobile`` stay.

    Args:
        state: of a run at its end: moments are left as they are.
        features: batches [N, 4, h, w] of the range that the network serves.
    """
    if not isinstance(state.network, MobileNet):
        return
    factors = _factors(state.network, features)
    for weights in (state.parameters, state.average):
        _rescale(weights, factors)


def _factors(network: MobileNet, features: Sequence[Tensor]) -> Tensor:
    align = network.trunk.align0
    seen: list[Tensor] = []

    def keep(_module: nn.Module, given: tuple[Tensor, Tensor]) -> None:
        product = given[0] * align.gamma(given[1])
        seen.append(product.abs().transpose(0, 1).flatten(1))

    hook = align.register_forward_pre_hook(keep)  # type: ignore[arg-type]
    for batch in features:
        network(batch)
    hook.remove()
    values = torch.cat(seen, dim=1)
    rank = max(1, round((1 - _TAIL) * values.shape[1]))
    sizes = values.kthvalue(rank, dim=1).values.clamp(min=1e-6)
    return ((sizes.median() / sizes) ** _SHARE).clamp(1 / _MOST, _MOST)


def _rescale(weights: Mapping[str, Tensor], factors: Tensor) -> None:
    for head in ("gamma", "beta"):
        weights[f"trunk.align0.{head}.weight"].mul_(factors[:, None, None, None])
        weights[f"trunk.align0.{head}.bias"].mul_(factors)
    weights["trunk.tail.weight"].div_(factors[None, :, None, None])
