"""``fa-mobile evaluate``: how good checkpoints, bundles and peers are, per gain or dataset."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from fa_mobile.cli import show
from fa_mobile.datasets.table import FORMAT_NAMES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fa_mobile.evaluation.captures import NoiseScale
    from fa_mobile.evaluation.measures import Measure
    from fa_mobile.evaluation.subjects import Subject
    from fa_mobile.nsma import ArraySpec

NAME = "evaluate"
EPILOG = (
    "Examples:  fa-mobile evaluate dist/imx258-onnx-int8 photos/ --json > int8.json   |   "
    "fa-mobile evaluate dist/imx258-onnx-int8 photos/ --vs pmrid:torch_pretrained.ckp "
    "--vs classical --metric all   |   fa-mobile evaluate dist/imx258-onnx-int8 --flat   |   "
    "fa-mobile evaluate my-array photos/ --off-profile 0.3   |   "
    "fa-mobile evaluate my-array photos/ --edges   "
    "(synthetic noise, the central 512 x 512 of each photo)   |   "
    "fa-mobile evaluate my-array --dataset PMRID/ --format pmrid --metric all -o report   |   "
    "fa-mobile evaluate my-array --dataset dnd_2017/ --format dnd --submit dnd-submission"
)


def run(
    subject: Annotated[
        str,
        typer.Argument(
            help="Checkpoint (folder, or built in: imx258-mobile), bundle folder, "
            "pmrid:WEIGHTS (released), or classical."
        ),
    ],
    photos: Annotated[
        list[Path] | None, typer.Argument(help="Folder(s) of photos.", metavar="PHOTOS")
    ] = None,
    vs: Annotated[
        list[str] | None,
        typer.Option("--vs", help="Another subject on the same captures (again for more)."),
    ] = None,
    gain: Annotated[
        list[float] | None, typer.Option(help="Gain (again for more). [1 2 4 8 16 32 64]")
    ] = None,
    metric: Annotated[
        list[str] | None,
        typer.Option(help="raw-ssim, rgb-psnr, rgb-ssim (again for more) or all; with raw-psnr."),
    ] = None,
    perceptual: Annotated[
        Path | None,
        typer.Option(help="ST-LPIPS too: its AlexNet weights (alex_shift_tolerant.pth)."),
    ] = None,
    noise_a: Annotated[
        float, typer.Option(help="Captures have so many times the profile's a.")
    ] = 1.0,
    noise_b: Annotated[
        float, typer.Option(help="And its b; denoisers still believe the profile.")
    ] = 1.0,
    off_profile: Annotated[
        float | None,
        typer.Option(help="What a profile costs whose a and b are so far off: 0.3 for 30 %."),
    ] = None,
    edges: Annotated[
        bool,
        typer.Option("--edges", help="The step of the quality where one member hands to the next."),
    ] = False,
    flat: Annotated[
        bool, typer.Option("--flat", help="No photos: the means of flat gray patches, per channel.")
    ] = False,
    frames: Annotated[
        int | None,
        typer.Option(min=1, help="Captures of a flat patch at most, while it is undecided. (4)"),
    ] = None,
    sensor: Annotated[
        str | None, typer.Option(help="Profile name or JSON file. (the subject's)")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the noise.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    dataset: Annotated[
        Path | None, typer.Option(help="Real noise instead: the folder of a dataset.")
    ] = None,
    format_name: Annotated[
        str | None, typer.Option("--format", help=f"Of the dataset: {', '.join(FORMAT_NAMES)}.")
    ] = None,
    profile: Annotated[
        str | None, typer.Option(help="Of the dataset's sensor, where it states no noise.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="No more than so many samples of the dataset.")
    ] = None,
    crop: Annotated[
        int | None, typer.Option(min=2, help="Only the central part of its frames, pixels.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Folder for JSON, Markdown and HTML with crops."),
    ] = None,
    submit: Annotated[
        Path | None, typer.Option(help="New folder for a submission to the dataset's server.")
    ] = None,
) -> None:
    """Measure quality on simulated captures of photos, or on a dataset of real noise."""
    from fa_mobile.cli.show_dataset import Asked, run_dataset
    from fa_mobile.errors import UserError
    from fa_mobile.evaluation.captures import GAINS, NoiseScale
    from fa_mobile.evaluation.subjects import open_subjects

    if dataset is not None:
        if (
            photos
            or gain
            or flat
            or edges
            or frames
            or off_profile is not None
            or (noise_a, noise_b, seed) != (1, 1, 0)
        ):
            raise UserError(
                "--dataset was given; it takes no photos, --gain, --flat, --frames, --edges, "
                "--off-profile, --noise-a, --noise-b or --seed"
            )
        asked = Asked(dataset, format_name, profile, limit, crop, out, submit, as_json)
        measures, named = _measures(metric or [], perceptual)
        subjects = open_subjects([subject, *(vs or [])], sensor, one_sensor=False)
        run_dataset(asked, subjects, measures, named)
        return
    if any(option is not None for option in (format_name, profile, limit, crop, out, submit)):
        raise UserError(
            "--format, --profile, --limit, --crop, -o or --submit was given; they go with --dataset"
        )
    if flat and (photos or metric or perceptual):
        raise UserError("--flat was given; it takes no photos, no --metric and no --perceptual")
    if frames is not None and not flat:
        raise UserError("--frames was given; it goes with --flat")
    if not flat and not photos:
        raise UserError("no photos were given; give a folder of photos, or --flat for none")
    if edges and off_profile is not None:
        raise UserError("--edges and --off-profile were given; give one of them")
    if edges or off_profile is not None:
        others = (flat, vs, metric, perceptual, sensor, (noise_a, noise_b) != (1, 1))
        if any(others) or (edges and gain):
            given, takes = ("--edges", "") if edges else ("--off-profile", " --gain,")
            raise UserError(
                f"{given} was given; it takes a checkpoint, photos,{takes} --seed and --json"
            )
    if edges:
        _edges(_checkpoint(subject), photos or [], seed, as_json=as_json)
        return
    if off_profile is not None:
        _off_profile(
            _checkpoint(subject), photos or [], off_profile, gain or GAINS, seed, as_json=as_json
        )
        return
    wanted = _Wanted(
        subjects=open_subjects([subject, *(vs or [])], sensor),
        gains=gain or GAINS,
        scale=NoiseScale(noise_a, noise_b),
        seed=seed,
        as_json=as_json,
    )
    if flat:
        _flat(wanted, frames)
    else:
        _photos(wanted, photos or [], metric or [], perceptual)


def _checkpoint(subject: str) -> Path:
    """A built-in checkpoint by its name, or a folder."""
    from fa_mobile.recipe import built_in_checkpoint

    return built_in_checkpoint(subject) or Path(subject)


class _Wanted(NamedTuple):
    """What photos and flat patches have in common."""

    subjects: Sequence[Subject]
    gains: Sequence[float]
    scale: NoiseScale
    seed: int
    as_json: bool


def _photos(
    wanted: _Wanted, folders: Sequence[Path], metrics: Sequence[str], perceptual: Path | None
) -> None:
    from fa_mobile.cli.show_quality import quality_tables
    from fa_mobile.evaluation.quality import evaluate
    from fa_mobile.training.sources import photo_paths

    measures, named = _measures(metrics, perceptual)
    paths = photo_paths(folders)
    with show.tiles(wanted.as_json) as progress:
        result = evaluate(
            wanted.subjects, paths, wanted.subjects[0].profile, measures,
            gains=wanted.gains, noise_scale=wanted.scale, seed=wanted.seed, progress=progress,
        )  # fmt: skip
    if wanted.as_json:
        show.print_json(result.to_dict() | named)
    else:
        quality_tables(result)


def _measures(
    metrics: Sequence[str], perceptual: Path | None
) -> tuple[dict[str, Measure], dict[str, object]]:
    """What is computed, and what JSON says of the perceptual distance."""
    from fa_mobile.evaluation.measures import chosen_measures
    from fa_mobile.needs import require_measures, require_torch

    measures = chosen_measures(metrics)
    if perceptual is None:
        return measures, {}
    require_torch()
    require_measures()
    from fa_mobile.evaluation.stlpips import StLpips

    distance = StLpips(perceptual)
    return measures | {"st-lpips": distance.measure}, {"perceptual": distance.to_dict()}


def _off_profile(
    checkpoint: Path,
    folders: Sequence[Path],
    share: float,
    gains: Sequence[float],
    seed: int,
    *,
    as_json: bool,
) -> None:
    from fa_mobile.cli.show_quality import off_profile_table
    from fa_mobile.evaluation.off_profile import corners, evaluate_off_profile
    from fa_mobile.nsma import load_checkpoint
    from fa_mobile.training.sources import photo_paths

    corners(share)  # refused before the checkpoint is read
    array, paths = load_checkpoint(checkpoint), photo_paths(folders)
    with show.tiles(as_json) as progress:
        found = evaluate_off_profile(array, paths, share, gains=gains, seed=seed, progress=progress)
    if not as_json:
        off_profile_table(array.spec.name, found, len(paths))
        return
    rows = [corner.to_dict() for corner in found]
    about = _about(array.spec, len(paths), seed)
    show.print_json(about | {"share": share, "corners": rows})


def _edges(checkpoint: Path, folders: Sequence[Path], seed: int, *, as_json: bool) -> None:
    from fa_mobile.cli.show_quality import edges_table
    from fa_mobile.errors import UserError
    from fa_mobile.evaluation.edges import edge_steps
    from fa_mobile.nsma import load_checkpoint
    from fa_mobile.training.sources import photo_paths

    array, paths = load_checkpoint(checkpoint), photo_paths(folders)
    if not array.spec.edges:
        raise UserError(f"{checkpoint} has one member and no edges; give an array of two or more")
    with show.tiles(as_json) as progress:
        steps = edge_steps(array, paths, seed=seed, progress=progress)
    if not as_json:
        edges_table(array.spec.name, steps, len(paths))
        return
    rows = [step.model_dump() | {"step_db": step.step_db} for step in steps]
    show.print_json(_about(array.spec, len(paths), seed) | {"edges": rows})


def _about(spec: ArraySpec, photos: int, seed: int) -> dict[str, object]:
    return {
        "schema_version": 1,
        "subject": spec.name,
        "sensor": spec.profile.name,
        "provenance": spec.profile.provenance,
        "noise": "synthetic",
        "photos": photos,
        "seed": seed,
    }


def _flat(wanted: _Wanted, frames: int | None) -> None:
    from fa_mobile.cli.show_quality import flat_tables
    from fa_mobile.evaluation import flat

    profile = wanted.subjects[0].profile
    with show.tiles(wanted.as_json) as progress:
        results = flat.evaluate_flat(
            wanted.subjects, profile,
            gains=wanted.gains, noise_scale=wanted.scale, seed=wanted.seed,
            most_frames=frames or flat.FRAMES, progress=progress,
        )  # fmt: skip
    if not wanted.as_json:
        flat_tables(results, wanted.scale)
        return
    show.print_json(
        {
            "schema_version": flat.SCHEMA,
            "sensor": profile.name,
            "provenance": profile.provenance,
            "noise": "synthetic",
            "noise_scale": wanted.scale._asdict(),
            "seed": wanted.seed,
            "side": flat.SIDE,
            "most_frames": frames or flat.FRAMES,
            "bound_percent": 100 * flat.BOUND,
            "subjects": [result.to_dict() for result in results],
        }
    )
