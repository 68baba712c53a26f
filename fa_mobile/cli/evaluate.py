"""``fa-mobile evaluate``: how good checkpoints, bundles and peers are, per gain."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from fa_mobile.cli import show

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fa_mobile.evaluation.captures import NoiseScale
    from fa_mobile.evaluation.subjects import Subject

NAME = "evaluate"
EPILOG = (
    "Examples:  fa-mobile evaluate dist/imx258-onnx-int8 photos/ --json > int8.json   |   "
    "fa-mobile evaluate dist/imx258-onnx-int8 photos/ --vs pmrid:torch_pretrained.ckp "
    "--vs classical --metric all   |   fa-mobile evaluate dist/imx258-onnx-int8 --flat   |   "
    "fa-mobile evaluate my-array photos/ --off-profile 0.3   "
    "(synthetic noise, the central 512 x 512 of each photo)"
)


def run(
    subject: Annotated[
        str,
        typer.Argument(help="Checkpoint or bundle folder, pmrid:WEIGHTS (released), or classical."),
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
    flat: Annotated[
        bool, typer.Option("--flat", help="No photos: the means of flat gray patches, per channel.")
    ] = False,
    sensor: Annotated[
        str | None, typer.Option(help="Profile name or JSON file. (the subject's)")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the noise.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure quality per gain on simulated captures of photos (synthetic noise)."""
    from fa_mobile.errors import UserError
    from fa_mobile.evaluation.captures import GAINS, NoiseScale
    from fa_mobile.evaluation.subjects import open_subjects

    if flat and (photos or metric or perceptual):
        raise UserError("--flat was given; it takes no photos, no --metric and no --perceptual")
    if not flat and not photos:
        raise UserError("no photos were given; give a folder of photos, or --flat for none")
    if off_profile is not None:
        if flat or vs or metric or perceptual or sensor or (noise_a, noise_b) != (1, 1):
            raise UserError(
                "--off-profile was given; it takes a checkpoint, photos, --gain, --seed and --json"
            )
        _off_profile(Path(subject), photos or [], off_profile, gain or GAINS, seed, as_json=as_json)
        return
    wanted = _Wanted(
        subjects=open_subjects([subject, *(vs or [])], sensor),
        gains=gain or GAINS,
        scale=NoiseScale(noise_a, noise_b),
        seed=seed,
        as_json=as_json,
    )
    if flat:
        _flat(wanted)
    else:
        _photos(wanted, photos or [], metric or [], perceptual)


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
    from fa_mobile.evaluation.measures import chosen_measures
    from fa_mobile.evaluation.quality import evaluate
    from fa_mobile.needs import require_measures, require_torch
    from fa_mobile.training.sources import photo_paths

    measures = chosen_measures(metrics)
    named: dict[str, object] = {}
    if perceptual is not None:
        require_torch()
        require_measures()
        from fa_mobile.evaluation.stlpips import StLpips

        distance = StLpips(perceptual)
        measures["st-lpips"] = distance.measure
        named["perceptual"] = distance.to_dict()
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
    show.print_json(
        {
            "schema_version": 1,
            "subject": array.spec.name,
            "sensor": array.spec.profile.name,
            "provenance": array.spec.profile.provenance,
            "noise": "synthetic",
            "photos": len(paths),
            "seed": seed,
            "share": share,
            "corners": [corner.to_dict() for corner in found],
        }
    )


def _flat(wanted: _Wanted) -> None:
    from fa_mobile.cli.show_quality import flat_tables
    from fa_mobile.evaluation import flat

    profile = wanted.subjects[0].profile
    with show.tiles(wanted.as_json) as progress:
        results = flat.evaluate_flat(
            wanted.subjects, profile,
            gains=wanted.gains, noise_scale=wanted.scale, seed=wanted.seed, progress=progress,
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
            "frames": flat.FRAMES,
            "bound_percent": 100 * flat.BOUND,
            "subjects": [result.to_dict() for result in results],
        }
    )
