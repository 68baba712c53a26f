"""Before int8: channels rescaled, at random, for as long as int8 loses less.

How far channels should be from like sizes (:mod:`fa_mobile.training.channels`) depends on how their
errors meet in the output, which is not smooth in the factors: gradients through the rounding led
to where int8 lost more. Trials that are kept where they help lead down.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from torch import Tensor

from fa_mobile.networks.mobile import MobileNet
from fa_mobile.training.channels import (
    CELLS_STREAM,
    COARSE_STREAMS,
    HIDDEN,
    LAST_PRODUCT,
    Place,
    evening,
    rescale,
)

_SHARES: Final = (0.2, 0.4, -0.2, -0.4)
_OFTEN: Final = (CELLS_STREAM, LAST_PRODUCT)
"""Places tried as often as all others together: of the cells' resolution, where most is lost."""
_OFTEN_SHARE: Final = 0.5
_OTHERS: Final = (*COARSE_STREAMS, *HIDDEN)
_AT_ONCE: Final = (1, 1, 2)


def search_rescalings(
    network: MobileNet,
    features: Sequence[Tensor],
    cost: Callable[[MobileNet], float],
    *,
    trials: int,
    seed: int = 0,
    progress: Callable[[], None] | None = None,
) -> float:
    """Rescale a network's channels in place; its function in float stays.

    Args:
        network: trained.
        features: batches [N, 4, h, w] of the range that it serves, to measure channels by.
        cost: of a network, in int8.
        trials: how many candidates to try, each from the best so far.
        seed: of the candidates.
        progress: called after each trial.

    Returns:
        The cost that is left, at most that of the network as given.
    """
    rng = np.random.default_rng(seed)
    least = cost(network)
    for _ in range(trials):
        candidate = copy.deepcopy(network)
        for _ in range(rng.choice(_AT_ONCE)):
            place = _drawn(rng)
            factors = evening(candidate, place, features, float(rng.choice(_SHARES)))
            rescale(candidate.state_dict(), place, factors)
        now = cost(candidate)
        if now < least:
            least = now
            network.load_state_dict(candidate.state_dict())
        if progress is not None:
            progress()
    return least


def _drawn(rng: np.random.Generator) -> Place:
    places = _OFTEN if rng.random() < _OFTEN_SHARE else _OTHERS
    return places[rng.integers(len(places))]
