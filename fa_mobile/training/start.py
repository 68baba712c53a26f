"""The weights that a run starts from."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from fa_mobile.errors import UserError
from fa_mobile.nsma import ARRAY_FILE, load_checkpoint
from fa_mobile.training.config import TrainConfig
from fa_mobile.training.state import averaged_weights


def start_weights(init: Path, config: TrainConfig) -> dict[str, Tensor]:
    """Averaged weights of a run folder, or those of a member of a checkpoint folder.

    Raises:
        UserError: when the folder is neither, or its array is another than ``config``'s.
    """
    if not (init / ARRAY_FILE).is_file():
        return averaged_weights(init)
    array = load_checkpoint(init)
    found = (array.spec.network, array.spec.members)
    if found != (config.network, config.members) or config.member is None:
        raise UserError(
            f"checkpoint {init} holds {found[1]} members of {found[0]!r}; a run that starts from "
            f"it is of a member of such an array, not of {config.members} of {config.network!r}"
        )
    return dict(array.networks[config.member].state_dict())
