"""``fa-mobile evaluate``: RAW PSNR per gain of a checkpoint or bundle."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fa_mobile.cli import show

NAME = "evaluate"
EPILOG = (
    "Example:  fa-mobile evaluate dist/imx258-onnx-int8 photos/ --json > int8.json   "
    "(synthetic noise, the central 512 x 512 of each photo)"
)


def run(
    subject: Annotated[Path, typer.Argument(help="Checkpoint or bundle folder.")],
    photos: Annotated[list[Path], typer.Argument(help="Folder(s) of photos.", metavar="PHOTOS...")],
    gain: Annotated[
        list[float] | None, typer.Option(help="Gain (again for more). [1 2 4 8 16 32 64]")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the noise.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure RAW PSNR per gain on simulated captures of photos (synthetic noise)."""
    from fa_mobile.evaluation.raw_psnr import GAINS, evaluate
    from fa_mobile.evaluation.subjects import open_subject
    from fa_mobile.training.sources import photo_paths

    name, denoise, profile = open_subject(subject)
    paths = photo_paths(photos)
    with show.tiles(as_json) as progress:
        result = evaluate(
            name, denoise, paths, profile, gains=gain or GAINS, seed=seed, progress=progress
        )
    if as_json:
        show.print_json(result.to_dict())
        return
    rows = [
        [f"{s.gain:g}", f"{s.noisy_db:.2f}", f"{s.denoised_db:.2f}", f"{s.improvement_db:+.2f}"]
        for s in result.scores
    ]
    title = f"{name}: RAW PSNR over {result.photos} photos, synthetic noise"
    show.table(title, ("gain", "noisy, dB", "denoised, dB", "gained, dB"), rows)
