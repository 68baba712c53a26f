"""``fa-mobile experiment``: the paper's tables rebuilt, one command each."""

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
    from fa_mobile.experiments.rebuilding import Given
    from fa_mobile.experiments.trials import Alike, Experiment

NAME = "experiment"
app = typer.Typer(
    name=NAME,
    help="Rebuild the paper's tables: train alike, measure, write JSON, Markdown and crops.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)

Test = Annotated[list[Path], typer.Option(help="Folder of photos to measure on (again for more).")]
Output = Annotated[Path, typer.Option("-o", "--output", help="Folder of the table's files.")]
Seed = Annotated[
    list[int] | None, typer.Option(min=0, help="Of the trainings (again for more). (0)")
]
Gain = Annotated[
    list[float] | None, typer.Option(help="To measure at (again for more). (1 2 4 8 16 32 64)")
]
Perceptual = Annotated[
    Path | None, typer.Option(help="Weights of ST-LPIPS; without them it is not measured.")
]
Shown = Annotated[
    str | None, typer.Option("--picture", help="File name of the test photo to show. (the first)")
]
Anew = Annotated[
    bool, typer.Option("--anew", help="Replace the table in the output instead of adding to it.")
]

_SHARED_EXAMPLE = "photos/ --test kodak24 --runs runs/tables"


@app.command(
    "ablation",
    epilog=f"Example:  fa-mobile experiment ablation {_SHARED_EXAMPLE} --steps 2000 --seed 0 "
    "--seed 1   (synthetic noise)",
)
def ablation(
    photos: Photos,
    test: Test,
    runs: Runs,
    network: Annotated[
        list[str] | None,
        typer.Option(help="Row (again for more). (paper plain wavelet paper-no-skips mobile)"),
    ] = None,
    steps: Annotated[int, typer.Option(min=1, help="Of each network.")] = 2000,
    seed: Seed = None,
    output: Output = Path("docs/results"),
    optimizer: Optimizer = "muon",
    precision: Arithmetic = "float32",
    learning_rate: LearningRate = None,
    batch: Batch = 16,
    patch: Patch = 128,
    gain: Gain = None,
    perceptual: Perceptual = None,
    picture: Shown = None,
    anew: Anew = False,
    threads: Threads = 0,
) -> None:
    """Table 1: Feature-Align against plain, wavelet and no skips, trained alike. Resumes."""
    alike = _alike(runs, optimizer, precision, learning_rate, batch, patch, threads)
    from fa_mobile.experiments.ablation import NETWORKS, Ablation

    names = tuple(_network(name) for name in network or NETWORKS)
    _rebuild(
        Ablation(alike, _once(names), steps),
        _given(photos, test, seed, gain, output, perceptual, picture, anew),
    )


@app.command(
    "subranges",
    epilog=f"Example:  fa-mobile experiment subranges {_SHARED_EXAMPLE} --steps 2000 "
    "--member-steps 1000   (synthetic noise)",
)
def subranges(
    photos: Photos,
    test: Test,
    runs: Runs,
    network: Network = "paper",
    members: Annotated[int, typer.Option(min=2, help="n, the networks of the array.")] = 4,
    steps: CommonSteps = 2000,
    member_steps: Annotated[
        int, typer.Option(min=1, help="Of the one model, and of each member, after it.")
    ] = 1000,
    seed: Seed = None,
    output: Output = Path("docs/results"),
    optimizer: Optimizer = "muon",
    precision: Arithmetic = "float32",
    learning_rate: LearningRate = None,
    batch: Batch = 16,
    patch: Patch = 128,
    gain: Gain = None,
    perceptual: Perceptual = None,
    picture: Shown = None,
    anew: Anew = False,
    threads: Threads = 0,
) -> None:
    """Table 2: one model over the whole range of noise against an array of n. Resumes."""
    alike = _alike(runs, optimizer, precision, learning_rate, batch, patch, threads, members)
    from fa_mobile.experiments.subranges import Subranges

    _rebuild(
        Subranges(alike, _network(network), steps, member_steps),
        _given(photos, test, seed, gain, output, perceptual, picture, anew),
    )


@app.command(
    "losses",
    epilog=f"Examples:  fa-mobile experiment losses {_SHARED_EXAMPLE} --teacher my-array "
    "--perceptual-weights vgg16.npz --perceptual alex_shift_tolerant.pth   |   "
    f"fa-mobile experiment losses {_SHARED_EXAMPLE} --loss charbonnier --loss feature "
    "--teacher my-array   (synthetic noise)",
)
def losses(
    photos: Photos,
    test: Test,
    runs: Runs,
    loss: Annotated[
        list[str] | None,
        typer.Option(help="Row (again for more). (all four)"),
    ] = None,
    teacher: Teacher = None,
    perceptual_weights: PerceptualWeights = None,
    network: Network = "mobile",
    steps: CommonSteps = 2000,
    loss_steps: Annotated[int, typer.Option(min=1, help="With each loss, after it.")] = 1000,
    seed: Seed = None,
    output: Output = Path("docs/results"),
    optimizer: Optimizer = "muon",
    precision: Arithmetic = "float32",
    learning_rate: LearningRate = None,
    batch: Batch = 16,
    patch: Patch = 128,
    gain: Gain = None,
    perceptual: Perceptual = None,
    picture: Shown = None,
    anew: Anew = False,
    threads: Threads = 0,
) -> None:
    """Table 3: the paper's four losses, all from one common network. Resumes."""
    alike = _alike(runs, optimizer, precision, learning_rate, batch, patch, threads)
    from fa_mobile.experiments.losses import LOSSES, Losses

    names = tuple(one_of("loss", name, LOSSES) for name in loss or LOSSES)
    experiment = Losses(
        alike, _once(names), _network(network), steps, loss_steps, teacher, perceptual_weights
    )
    experiment.check()
    _rebuild(experiment, _given(photos, test, seed, gain, output, perceptual, picture, anew))


def _alike(
    runs: Path,
    optimizer: str,
    precision: str,
    learning_rate: float | None,
    batch: int,
    patch: int,
    threads: int,
    members: int = 4,
) -> Alike:
    """What all trainings share; sets up torch for them."""
    from fa_mobile.needs import require_train

    require_train()
    import torch

    from fa_mobile.errors import UserError
    from fa_mobile.experiments.trials import Alike
    from fa_mobile.training.config import PEAK_RATES, OptimizerName, Precision

    if patch % 16:
        raise UserError(f"patch {patch} was given; allowed are multiples of 16 from 32")
    name = one_of("optimizer", optimizer, get_args(OptimizerName))
    arithmetic = one_of("precision", precision, get_args(Precision))
    if threads:
        torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    rate = PEAK_RATES[name] if learning_rate is None else learning_rate
    return Alike(runs, rate, name, batch, patch, members, arithmetic)


def _given(
    photos: list[Path],
    test: list[Path],
    seed: list[int] | None,
    gain: list[float] | None,
    output: Path,
    perceptual: Path | None,
    picture: str | None,
    anew: bool,
) -> Given:
    from fa_mobile.evaluation.captures import GAINS
    from fa_mobile.experiments.rebuilding import Given

    gains = tuple(dict.fromkeys(gain)) if gain else GAINS
    return Given(photos, test, seed or [0], gains, output, perceptual, picture, anew)


def _rebuild(experiment: Experiment, given: Given) -> None:
    from fa_mobile.experiments.order import verdict
    from fa_mobile.experiments.rebuilding import rebuild
    from fa_mobile.experiments.running import Reports

    table = rebuild(experiment, given, Reports(show.training, show.tiles, typer.echo))
    typer.echo(verdict(table).replace("**", ""))
    for suffix in (".json", ".md", ".png"):
        typer.echo(str(given.output / f"{table.stem}{suffix}"))


def _network(name: str) -> str:
    from fa_mobile.networks import NETWORK_NAMES

    return one_of("network", name, NETWORK_NAMES)


def _once(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
