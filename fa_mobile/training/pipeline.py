"""Training an array: the common network, each member from it, each for int8, the checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from fa_mobile.errors import UserError
from fa_mobile.networks import build_network
from fa_mobile.nsma import (
    NoiseSubrangeModelArray,
    new_spec,
    subrange,
)
from fa_mobile.sensor import load_profile
from fa_mobile.training.balance import balance
from fa_mobile.training.config import TrainConfig
from fa_mobile.training.sources import (
    Mosaic,
    Source,
    load_photos,
    load_raws,
    photo_paths,
    raw_paths,
)
from fa_mobile.training.state import averaged_weights
from fa_mobile.training.trainer import Progress, train

COMMON: Final = "common"
INT8: Final = "-int8"
"""Ends the name of a stage that trains a member on, with the rounding of int8 targets."""
_MEMBER_RATE: Final = 0.5
_INT8_RATE: Final = 0.2
"""Peak learning rates of the later stages, in relation to the common network's."""
_FINE_WARMUP: Final = 50
_FLOAT_SHARE: Final = 0.5
"""Of the steps with rounding: with none of them in float, checkpoints lost up to 0.2 dB in float,
at the end of a member's range where noise is least."""
_RANGES_EVERY: Final = 100
_HELD_OUT_EVERY: Final = 12
_BALANCED_BESIDE: Final = 400
"""Patches of photos, beside which the means of flat colours are put right."""


@dataclass(frozen=True)
class Data:
    """Clean images: to train on, and to validate with (every twelfth by name)."""

    sources: Sequence[Source]
    held_out: Sequence[Source]
    skipped: tuple[str, ...]


def load_data(
    photos: Sequence[Path],
    raws: Sequence[Path],
    patch: int,
    *,
    need_color: bool = False,
    soft_share: float = 0.0,
) -> Data:
    """Load folders of photos, and clean RAW files or folders of them.

    Args:
        photos, raws: what to load.
        patch: side of the patches to draw, in mosaic pixels.
        need_color: skip RAW files that do not state their camera's colour.
        soft_share: of the patches of photos to train on are enlarged.

    Raises:
        UserError: when too little can be used to train and to validate.
    """
    paths = photo_paths(photos) if photos else []
    held = paths[::_HELD_OUT_EVERY]
    kept = [path for path in paths if path not in set(held)]
    sources, skipped = load_photos(kept, patch, soft_share)
    held_out, held_skipped = load_photos(held, patch)
    raw_sources, raw_skipped = load_raws(raw_paths(raws), patch, need_color=need_color)
    if not sources + raw_sources or not held_out:
        raise UserError(
            f"{len(sources) + len(raw_sources)} images to train on and {len(held_out)} to validate "
            "with are left; give a folder with two photos or more of at least "
            f"{2 * patch} x {2 * patch}"
        )
    return Data([*sources, *raw_sources], held_out, (*skipped, *held_skipped, *raw_skipped))


def stage_names(members: int, *, int8: bool, common: bool = True, floats: bool = True) -> list[str]:
    """``common``, then ``0``, ``1``, ..., then ``0-int8``, ... where asked for; in this order."""
    each = [str(member) for member in range(members)]
    rounded = [f"{name}{INT8}" for name in each if int8]
    return [*([COMMON] if common else []), *(each if floats else []), *rounded]


def stage_config(
    base: TrainConfig,
    runs: Path,
    stage: str,
    steps: int,
    start: Path | None = None,
    *,
    floats: bool = True,
) -> TrainConfig:
    """Configuration of a stage by its name: each starts from the stage that it refines.

    Members start from their own weights in the checkpoint ``start``, where one is given, instead
    of the common network's. Without ``floats``, members have no stage in float: the rounded one
    is their first.
    """
    if stage == COMMON:
        return base.model_copy(update={"member": None, "init": None, "steps": steps})
    rounded = stage.endswith(INT8)
    member = int(stage.removesuffix(INT8))
    own = runs / stage.removesuffix(INT8)
    before = own if rounded and floats else start or runs / COMMON
    update = {
        "member": member,
        "init": str(before),
        "fit_front": before != own,
        "steps": steps,
        "seed": base.seed + 1 + member + (base.members if rounded else 0),
        "learning_rate": base.learning_rate * (_INT8_RATE if rounded else _MEMBER_RATE),
        "warmup": min(base.warmup, _FINE_WARMUP),
        "rounded": rounded,
    }
    if rounded:
        update["float_share"] = _FLOAT_SHARE
        update["save_every"] = min(base.save_every, _RANGES_EVERY)
    return base.model_copy(update=update)


def train_stage(
    config: TrainConfig,
    runs: Path,
    stage: str,
    data: Data,
    report: Callable[[Progress], None],
) -> float:
    """Run (or resume) one stage in ``runs``/``stage``; returns the validation PSNR in dB."""
    return train(config, data.sources, data.held_out, runs / stage, report)


def assemble(
    config: TrainConfig,
    runs: Path,
    name: str,
    training: dict[str, Any],
    *,
    photos: Sequence[Source] = (),
    progress: Callable[[int, int], None] | None = None,
) -> NoiseSubrangeModelArray:
    """Build the array from the members' last runs, to be saved as a checkpoint.

    The only member of an array of one may be its common network: both have the whole range.

    Args:
        config: of the runs.
        runs: their folder.
        name: of the array.
        training: what the checkpoint says of its training.
        photos: to put the means of flat colours right beside
            (:mod:`fa_mobile.training.balance`); without them that is left out.
        progress: of that, called for each member with (captures denoised, captures in all).

    Raises:
        UserError: when a member has not been trained.
    """
    spec = new_spec(name, config.network, load_profile(config.profile), config.members)
    kept = clean_mosaics(photos, _BALANCED_BESIDE, config) if photos else []
    networks = []
    for member in range(config.members):
        network = build_network(config.network)
        network.load_state_dict(averaged_weights(_last_run(runs, member, config.members)))
        networks.append(network.eval())
        if kept:
            a_range = subrange(spec.profile.a_range, spec.edges, member)
            balance(network, spec.profile, a_range, kept, seed=config.seed, progress=progress)
    spec = spec.model_copy(update={"training": training})
    return NoiseSubrangeModelArray(spec, networks)


def clean_mosaics(photos: Sequence[Source], count: int, config: TrainConfig) -> list[Mosaic]:
    """Clean patches of the size that was trained on, from every source alike."""
    rng = np.random.default_rng(config.seed)
    return [photos[index % len(photos)].sample(rng, config.patch) for index in range(count)]


def _last_run(runs: Path, member: int, members: int) -> Path:
    rounded, own, common = runs / f"{member}{INT8}", runs / str(member), runs / COMMON
    if rounded.is_dir():
        return rounded
    return common if members == 1 and not own.is_dir() else own
