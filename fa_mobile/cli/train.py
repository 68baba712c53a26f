"""``fa-mobile train``: photos and RAW files to a checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from fa_mobile.cli import show
from fa_mobile.cli.choices import one_of
from fa_mobile.cli.training_options import (
    Arithmetic,
    Batch,
    CommonSteps,
    LearningRate,
    Network,
    Optimizer,
    Patch,
    PerceptualWeights,
    Photos,
    Runs,
    Teacher,
    Threads,
)

if TYPE_CHECKING:
    from fa_mobile.nsma import NoiseSubrangeModelArray
    from fa_mobile.training.config import TrainConfig
    from fa_mobile.training.pipeline import Data

NAME = "train"
EPILOG = (
    "Examples:  fa-mobile train photos/ --runs runs/imx258 -o my-array   |   "
    "fa-mobile train photos/ --runs runs/imx258 --stage 2-int8 --threads 1   |   "
    "fa-mobile train photos/ --runs runs/sweep --sweep 300   |   "
    "fa-mobile train photos/ --runs runs/student --loss feature --teacher my-array --optimizer adam"
)
SWEPT_SHARES = (1 / 3, 2 / 3, 1, 4 / 3)
"""Of the optimizer's own peak rate."""


def run(
    photos: Photos,
    runs: Runs,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Checkpoint folder to write at the end.")
    ] = None,
    raw: Annotated[
        list[Path] | None,
        typer.Option(help="Clean RAW file, or folder (SID: Sony/long), to train on too."),
    ] = None,
    stage: Annotated[
        str, typer.Option(help="'all', 'common', a member's index, '<index>-int8', or 'assemble'.")
    ] = "all",
    network: Network = "mobile",
    profile: Annotated[str, typer.Option(help="Sensor profile: name or JSON file.")] = "imx258",
    members: Annotated[int, typer.Option(min=1, help="n, the number of networks.")] = 4,
    steps: CommonSteps = 20000,
    member_steps: Annotated[
        int, typer.Option(min=0, help="Of each member after it; 0, with --start: rounding alone.")
    ] = 10000,
    int8_steps: Annotated[
        int, typer.Option(min=0, help="Of each member at last, with int8's rounding; 0: none.")
    ] = 2000,
    loss: Annotated[
        str,
        typer.Option(
            help="rmse, psnr, charbonnier, or that and: perceptual, distillation, feature."
        ),
    ] = "rmse",
    teacher: Teacher = None,
    perceptual_weights: PerceptualWeights = None,
    start: Annotated[
        Path | None,
        typer.Option(
            help="Checkpoint whose members to train on, built in (imx258-mobile) or a folder; no "
            "common network then."
        ),
    ] = None,
    flat_share: Annotated[
        float, typer.Option(min=0, max=0.9, help="Of the patches, flat colours.")
    ] = 0.05,
    soft_share: Annotated[
        float,
        typer.Option(min=0, max=1, help="Of the patches of photos, enlarged: soft as captures."),
    ] = 0.25,
    cast_weight: Annotated[
        float, typer.Option(min=0, help="Of the error of each channel's mean over a patch.")
    ] = 0.0,
    balance: Annotated[
        bool,
        typer.Option(help="At last, put the means of flat colours right: minutes, of mobile only."),
    ] = True,
    rescalings: Annotated[
        int,
        typer.Option(
            min=0,
            help="Then try so many rescalings of each member's channels for int8: seconds each, of "
            "mobile only.",
        ),
    ] = 40,
    profile_error: Annotated[
        float,
        typer.Option(
            min=0, max=0.9, help="Share by which noise is above what the network is told, at most."
        ),
    ] = 0.35,
    profile_error_below: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=0.9,
            help="The same below: by 1 / (1 + this) at most. --profile-error where not given.",
        ),
    ] = None,
    overlap_below: Annotated[
        float | None,
        typer.Option(
            min=1,
            help="Factor of shot noise that a member's training reaches below its range; 1.15 on "
            "both sides where not given. More narrows the step between two members.",
        ),
    ] = None,
    optimizer: Optimizer = "muon",
    precision: Arithmetic = "float32",
    learning_rate: LearningRate = None,
    batch: Batch = 16,
    patch: Patch = 128,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    threads: Threads = 0,
    sweep: Annotated[
        int, typer.Option(min=0, help="Compare learning rates over this many steps, then stop.")
    ] = 0,
) -> None:
    """Train a model array: a common network, each member from it, then for int8. Resumes."""
    from fa_mobile.needs import require_train

    require_train()
    import torch

    from fa_mobile.errors import UserError
    from fa_mobile.networks import NETWORK_NAMES
    from fa_mobile.nsma import ARRAY_FILE, save_checkpoint
    from fa_mobile.recipe import built_in_checkpoint, built_in_checkpoints
    from fa_mobile.training.config import (
        PEAK_RATES,
        LossName,
        OptimizerName,
        Precision,
        TrainConfig,
    )
    from fa_mobile.training.objective import build_objective, pinned
    from fa_mobile.training.pipeline import (
        COMMON,
        INT8,
        assemble,
        load_data,
        stage_config,
        stage_names,
    )  # fmt: skip

    names = stage_names(members, int8=True, common=start is None)
    if network not in NETWORK_NAMES:
        raise UserError(f"network {network!r} was given; allowed are {', '.join(NETWORK_NAMES)}")
    if stage not in ("all", "assemble", *names):
        raise UserError(f"stage {stage!r} was given; allowed are all, {', '.join(names)}, assemble")
    if not member_steps and (start is None or not int8_steps or stage in names[:members]):
        raise UserError(
            "--member-steps 0 was given, which trains on with rounding alone: give --start, 1 or "
            "more --int8-steps, and no stage in float"
        )
    if stage.endswith(INT8) and not int8_steps:
        raise UserError(f"--int8-steps 0 was given with stage {stage}; give 1 or more")
    if start is not None:
        start = built_in_checkpoint(str(start)) or start
        if not (start / ARRAY_FILE).is_file():
            raise UserError(
                f"--start {start} holds no {ARRAY_FILE}; give a built-in checkpoint "
                f"({', '.join(built_in_checkpoints())}) or the folder of one, such as one that "
                "--output wrote"
            )
    if patch % 16:
        raise UserError(f"patch {patch} was given; allowed are multiples of 16 from 32")
    loss_name = one_of("loss", loss, get_args(LossName))
    optimizer_name = one_of("optimizer", optimizer, get_args(OptimizerName))
    precision_name = one_of("precision", precision, get_args(Precision))
    if threads:
        torch.set_num_threads(threads)
    rate = PEAK_RATES[optimizer_name] if learning_rate is None else learning_rate
    base = TrainConfig(
        network=network, members=members, profile=profile, batch=batch, patch=patch,
        learning_rate=rate, seed=seed, loss=loss_name, optimizer=optimizer_name,
        precision=precision_name,
        flat_share=flat_share, soft_share=soft_share, cast_weight=cast_weight,
        profile_error=profile_error, profile_error_below=profile_error_below,
        overlap_below=overlap_below,
        teacher=None if teacher is None else str(teacher),
        perceptual_weights=None if perceptual_weights is None else str(perceptual_weights),
    )  # fmt: skip
    assembled = output is not None and stage in ("all", "assemble")
    if stage != "assemble":
        build_objective(base)  # what it refuses shall not wait for the photos
    if stage != "assemble" or (assembled and (balance or rescalings)):
        data = load_data(
            photos, raw or [], patch, need_color=loss == "perceptual", soft_share=soft_share
        )
        for line in data.skipped:
            typer.echo(f"skipped: {line}", err=True)
        typer.echo(
            f"{len(data.sources)} images to train on, {len(data.held_out)} to validate with, "
            f"{len(data.skipped)} skipped"
        )
    if stage != "assemble":
        if sweep:
            _sweep(base, runs, sweep, data)
            return
        floats = member_steps > 0
        every = stage_names(members, int8=int8_steps > 0, common=start is None, floats=floats)
        for name in every if stage == "all" else [stage]:
            count = steps if name == COMMON else member_steps
            if name.endswith(INT8):
                count = int8_steps
            config = stage_config(base, runs, name, count, start, floats=floats)
            _run_stage(config, runs, name, data)
    if output is not None and assembled:
        facts = {"steps_common": 0 if start else steps, "steps_member": member_steps,
                 "steps_int8": int8_steps, "batch": batch, "flat_share": flat_share,
                 "soft_share": soft_share, "cast_weight": cast_weight,
                 "profile_error": profile_error, "profile_error_below": profile_error_below,
                 "overlap_below": overlap_below,
                 "balanced": balance,
                 "rescalings": rescalings,
                 "patch": patch, "learning_rate": rate, "seed": seed, "loss": loss,
                 "optimizer": optimizer, "precision": precision}  # fmt: skip
        pins = pinned(base)
        for name in ("teacher_sha256", "perceptual_sha256"):
            if value := getattr(pins, name):
                facts[name] = value
        kept = data.sources if balance else ()
        with show.tiles(what="balancing") as progress:
            array = assemble(base, runs, output.name, facts, photos=kept, progress=progress)
        if rescalings:
            _rescale(array, base, rescalings, data)
        save_checkpoint(array, output)
        typer.echo(str(output))


def _rescale(array: NoiseSubrangeModelArray, base: TrainConfig, trials: int, data: Data) -> None:
    import numpy as np

    from fa_mobile.hush import hush_exporters

    hush_exporters()
    from fa_mobile.int8_rescaling import PATCHES, rescale_for_int8
    from fa_mobile.training.pipeline import clean_mosaics

    patches = np.stack(clean_mosaics(data.sources, PATCHES, base))
    with show.tiles(what="rescaling") as progress:
        rescale_for_int8(array, patches, trials=trials, seed=base.seed, progress=progress)


def _run_stage(config: TrainConfig, runs: Path, name: str, data: Data) -> float:
    from fa_mobile.training.pipeline import train_stage

    with show.training(f"{name}", config.steps) as report:
        score = train_stage(config, runs, name, data, report)
    typer.echo(f"{name}: {score:.2f} dB on held-out patches after {config.steps} steps")
    return score


def _sweep(base: TrainConfig, runs: Path, steps: int, data: Data) -> None:
    from fa_mobile.training.config import PEAK_RATES
    from fa_mobile.training.pipeline import COMMON, stage_config

    scores = {}
    for share in SWEPT_SHARES:
        rate = round(PEAK_RATES[base.optimizer] * share, 9)
        update: dict[str, float | int] = {"learning_rate": rate, "warmup": min(50, steps)}
        config = stage_config(base, runs, COMMON, steps).model_copy(update=update)
        scores[rate] = _run_stage(config, runs, f"rate-{rate:g}", data)
    rows = [[f"{rate:g}", f"{score:.3f}"] for rate, score in scores.items()]
    show.table(f"Learning rates after {steps} steps", ("rate", "validation, dB"), rows)
