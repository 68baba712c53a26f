"""The configuration of a training run, stored beside its weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fa_mobile.errors import UserError, describe_validation
from fa_mobile.files import replace_file
from fa_mobile.sensor import SensorProfile

_A_MARGIN: Final = 0.3
"""Share by which training goes beyond a profile's range of a, which is not sure."""


PaperLoss = Literal["charbonnier", "perceptual", "distillation", "feature"]
"""The paper's: Charbonnier alone, or Charbonnier and the term that is named."""
LossName = Literal["rmse", "psnr", PaperLoss]
OptimizerName = Literal["muon", "adam"]
Precision = Literal["float32", "bfloat16"]
PEAK_RATES: Final[dict[OptimizerName, float]] = {"muon": 0.015, "adam": 2e-3}
"""Learning rates that served in the trainings tried here."""


class TrainConfig(BaseModel):
    """One run over one range of noise. Defaults are those of equal trainings and
    the paper's tables; ``fa-mobile train`` has its own.

    ``member`` is the index within the array, None for the common network that members start from.
    ``init`` is where this run starts: the averaged weights of a run folder, or the member of a
    checkpoint folder; with ``fit_front`` its front end is first fitted to this run's noise
    (:mod:`fa_mobile.training.front`). ``flat_share`` of the patches are flat colours,
    ``soft_share`` of those of photos are enlarged (so soft as captures are), and
    ``cast_weight`` weighs the error of each channel's mean over a patch
    (:func:`fa_mobile.training.losses.cast`): both are against a cast where it is dark.
    ``rounded`` trains with the rounding of int8 targets (:mod:`fa_mobile.training.rounding`),
    whose ranges are measured anew after every save; ``float_share`` of its steps are without, so
    that the weights do not come to rely on what ranges cut off.

    ``teacher`` (a checkpoint folder, or PMRID's released weights) and ``perceptual_weights`` (the
    npz of VGG16) are what ``loss`` reads, see :func:`check_loss`; a run stores their hashes, so
    that it is not resumed with others in the same place. ``learning_rate`` is the peak, see
    ``PEAK_RATES``: Adam wants another one than the default.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    network: str = "mobile"
    members: Annotated[int, Field(ge=1)] = 4
    member: Annotated[int, Field(ge=0)] | None = None
    profile: str = "imx258"
    steps: Annotated[int, Field(ge=1)] = 20000
    batch: Annotated[int, Field(ge=1)] = 16
    patch: Annotated[int, Field(ge=32, multiple_of=16)] = 128
    learning_rate: Annotated[float, Field(gt=0)] = 0.015
    warmup: Annotated[int, Field(ge=0)] = 200
    ema_decay: Annotated[float, Field(ge=0, lt=1)] = 0.999
    log_b_jitter: Annotated[float, Field(ge=0)] = 0.25
    profile_error: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Share by which a capture's noise is above what the network is told at most, a and b each;
    below it by the factor 1 / (1 + this) at most."""
    profile_error_below: Annotated[float, Field(ge=0, lt=1)] | None = None
    """In place of it below what is told: within what a member has met, to be told too much noise
    costs more than too little."""
    overlap: Annotated[float, Field(ge=1)] = 1.15
    """A member's training range reaches this factor of a beyond its edges."""
    overlap_below: Annotated[float, Field(ge=1)] | None = None
    """The same beyond its lower edge alone, where it is to be another."""
    loss: LossName = "charbonnier"
    perceptual_weights: str | None = None
    perceptual_sha256: str | None = None
    teacher: str | None = None
    teacher_sha256: str | None = None
    optimizer: OptimizerName = "muon"
    seed: int = 0
    save_every: Annotated[int, Field(ge=1)] = 500
    init: str | None = None
    fit_front: bool = False
    flat_share: Annotated[float, Field(ge=0, lt=1)] = 0.0
    soft_share: Annotated[float, Field(ge=0, le=1)] = 0.0
    cast_weight: Annotated[float, Field(ge=0)] = 0.0
    rounded: bool = False
    float_share: Annotated[float, Field(ge=0, lt=1)] = 0.0
    precision: Precision = "float32"
    """Of the convolutions, VGG16's too, and of Muon's matrices. A processor with bfloat16 trains
    wide networks up to three times as fast; narrow ones gain nothing."""


def training_a_range(profile: SensorProfile) -> tuple[float, float]:
    """Shot noise met in training: that of the profile's gain range, widened by 30 %.

    Rounded to two digits: 1.6e-4 to 2e-2 for the IMX258.
    """
    low, high = profile.a_range
    return float(f"{(1 - _A_MARGIN) * low:.1e}"), float(f"{(1 + _A_MARGIN) * high:.1e}")


def write_config(config: TrainConfig, path: Path) -> None:
    """Write the configuration as JSON.

    Raises:
        UserError: when it cannot be written.
    """
    with replace_file(path) as partial:
        partial.write_text(config.model_dump_json(indent=2) + "\n", encoding="utf-8")


def check_loss(config: TrainConfig) -> None:
    """Refuse a loss without the part that it needs, and a part that it would not read.

    Raises:
        UserError: naming the part.
    """
    wants_teacher = config.loss in ("distillation", "feature")
    if wants_teacher and config.teacher is None:
        raise UserError(
            f"loss {config.loss} was given without a teacher; give one (--teacher): a checkpoint "
            "folder, or the file of PMRID's released weights"
        )
    if config.loss == "perceptual" and config.perceptual_weights is None:
        raise UserError(
            "loss perceptual was given without the weights of VGG16; give the .npz that holds "
            "conv1_1 to conv4_3 (--perceptual-weights)"
        )
    if config.teacher is not None and not wants_teacher:
        raise UserError(
            f"a teacher was given, which loss {config.loss} does not read; leave it out or choose "
            "loss distillation or feature"
        )
    if config.perceptual_weights is not None and config.loss != "perceptual":
        raise UserError(
            f"perceptual weights were given, which loss {config.loss} does not read; leave them "
            "out or choose loss perceptual"
        )


def check_same_config(config: TrainConfig, path: Path) -> None:
    """Refuse to resume a run with another configuration than it was started with.

    Raises:
        UserError: naming every field that differs.
    """
    try:
        old = TrainConfig.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:  # a ValidationError is a ValueError
        reason = describe_validation(error) if isinstance(error, ValidationError) else str(error)
        raise UserError(f"run configuration {path}: {reason}; start a new run folder") from error
    before: dict[str, Any] = old.model_dump()
    differences = [
        f"{name} was {before[name]!r}, now {value!r}"
        for name, value in config.model_dump().items()
        if before[name] != value
    ]
    if differences:
        raise UserError(
            f"run {path.parent} was started with another configuration: {'; '.join(differences)}; "
            "give the old values to resume it, or a new folder to start afresh"
        )
