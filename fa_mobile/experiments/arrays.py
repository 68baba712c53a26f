"""Trained runs put together to an array that can be measured."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fa_mobile.networks import build_network
from fa_mobile.nsma import NoiseSubrangeModelArray, new_spec, save_checkpoint
from fa_mobile.sensor import load_profile
from fa_mobile.training.config import TrainConfig
from fa_mobile.training.state import averaged_weights


def assembled(
    config: TrainConfig, runs: Sequence[Path], name: str, folder: Path
) -> NoiseSubrangeModelArray:
    """An array of the averaged weights of finished runs, kept as a checkpoint as well.

    Args:
        config: of one of the runs: network, profile, number of members.
        runs: a folder for each member, the same one again where members share their weights;
            they then differ in the noise that their input is brought to.
        name: of the checkpoint.
        folder: of the checkpoint.

    Raises:
        UserError: when a run has no state, or the checkpoint cannot be written.
    """
    networks = []
    for run in runs:
        network = build_network(config.network)
        network.load_state_dict(averaged_weights(run))
        networks.append(network.eval())
    spec = new_spec(name, config.network, load_profile(config.profile), config.members)
    array = NoiseSubrangeModelArray(spec, networks)
    save_checkpoint(array, folder)
    return array
