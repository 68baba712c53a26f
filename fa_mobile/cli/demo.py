"""``fa-mobile demo``: the whole way on a photo that scikit-image ships."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fa_mobile.cli import show
from fa_mobile.hush import hush_exporters

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fa_mobile.exporting import BundleResult
    from fa_mobile.simulation import Simulated

NAME = "demo"
EPILOG = "Example:  fa-mobile demo --output dist --gain 32"
PHOTO = "astronaut.png"


def run(
    recipe: Annotated[Path, typer.Option(help="TOML recipe.")] = Path("export/imx258.toml"),
    output: Annotated[Path, typer.Option(help="Folder for bundles and pictures.")] = Path("dist"),
    gain: Annotated[float, typer.Option(help="Gain of the simulated capture.")] = 16,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Export and verify every bundle, denoise a simulated capture through each, show the result."""
    from fa_mobile.needs import require_export

    require_export()
    hush_exporters()
    from fa_mobile.exporting import export_recipe
    from fa_mobile.patches import shipped_photo
    from fa_mobile.raw_io import write_dng
    from fa_mobile.sensor import load_profile
    from fa_mobile.simulation import simulate
    from fa_mobile.targets.base import ExportError
    from fa_mobile.training.sources import read_photo

    profile = load_profile("imx258")
    capture = simulate(read_photo(shipped_photo(PHOTO)), profile, gain, seed=0)
    noisy = output / "demo" / "noisy.dng"
    write_dng(noisy, capture.noisy)
    try:
        with show.steps() as report:
            results = export_recipe(recipe, report, output, progress=report.part)
    except ExportError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error
    rows, pictures = _denoise_all(results, capture, gain, output / "demo")
    if as_json:
        show.print_json(show.bundle_json(results))
        return
    show.table(
        f"A simulated capture at gain {gain:g} (synthetic noise), RAW PSNR in dB",
        ("bundle", "noisy", "denoised"),
        rows,
    )
    show.table(show.BUNDLE_TITLE, show.BUNDLE_COLUMNS, show.bundle_rows(results))
    for path in (noisy, *pictures):
        typer.echo(str(path))


def _denoise_all(
    results: Sequence[BundleResult], capture: Simulated, gain: float, folder: Path
) -> tuple[list[list[str]], list[Path]]:
    """Denoise the capture through every bundle that runs here; returns scores and files."""
    from fa_mobile.metrics import psnr
    from fa_mobile.preview import save_picture, side_by_side
    from fa_mobile.raw_io import write_dng
    from fa_mobile.runtimes.frames import denoise_frame
    from fa_mobile.runtimes.session import open_bundle

    rows: list[list[str]] = []
    written: list[Path] = []
    for result in results:
        if result.verification.status != "verified":
            continue
        sensor = result.manifest.sensor
        frame = denoise_frame(open_bundle(result.folder), capture.noisy)
        scores = [
            psnr(
                shown.mosaic.clip(round(min(sensor.black_level))).astype(float),
                capture.truth,
                data_range=max(sensor.span),
            )
            for shown in (capture.noisy, frame)
        ]
        name = f"{result.manifest.target}-{result.manifest.precision}"
        rows.append([name, *(f"{score:.2f}" for score in scores)])
        captions = {
            f"noisy, gain {gain:g}: {scores[0]:.2f} dB": capture.noisy,
            f"denoised, {name}: {scores[1]:.2f} dB": frame,
        }
        dng, picture = folder / f"{name}.dng", folder / f"{name}.png"
        write_dng(dng, frame)
        save_picture(side_by_side(captions), picture)
        written += [dng, picture]
    return rows, written
