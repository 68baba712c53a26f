"""The weights that a run starts from."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Final

from torch import Tensor

from fa_mobile.errors import UserError
from fa_mobile.networks import build_network
from fa_mobile.nsma import ARRAY_FILE, ArraySpec, load_checkpoint, partition, subrange
from fa_mobile.selection import select
from fa_mobile.sensor import load_profile
from fa_mobile.training.config import TrainConfig
from fa_mobile.training.state import averaged_weights
from fa_mobile.training.widening import widened

_WIDENED: Final = {"mobile-x3": "mobile"}
"""Networks, and the narrower one of which each can start as the same function."""


def start_weights(init: Path, config: TrainConfig) -> dict[str, Tensor]:
    """Averaged weights of a run folder, or those of a member of a checkpoint folder.

    Of a checkpoint, the member that serves the middle of the new member's range of noise: the one
    of its own number where both are of one profile, another where the sensors' noise differs.
    ``mobile-x3`` also starts from a member of ``mobile``, as the same function.

    Raises:
        UserError: when the folder is neither, or its array is of another network than
            ``config``'s, or the run is not of a member.
    """
    if not (init / ARRAY_FILE).is_file():
        return averaged_weights(init)
    array = load_checkpoint(init)
    wider = array.spec.network == _WIDENED.get(config.network)
    if (array.spec.network != config.network and not wider) or config.member is None:
        raise UserError(
            f"checkpoint {init} holds members of {array.spec.network!r}; a run that starts from it "
            f"is of a member of such an array, not of {config.network!r}"
        )
    nearest = array.networks[starting_member(array.spec, config)]
    if wider:
        return widened(nearest, build_network(config.network), config.seed)
    return dict(nearest.state_dict())


def starting_member(started: ArraySpec, config: TrainConfig) -> int:
    """The member of ``started`` that serves the middle, in log a, of the subrange to train."""
    assert config.member is not None, "the common network has no member to start from"
    profile = load_profile(config.profile)
    edges = partition(profile.a_range, config.members)
    middle = math.sqrt(math.prod(subrange(profile.a_range, edges, config.member)))
    return select(middle, started.edges)
