"""``fa-mobile export``: a recipe to verified bundles."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fa_mobile.cli import show
from fa_mobile.cli.show_tuning import show_entries
from fa_mobile.hush import hush_exporters

NAME = "export"
EPILOG = (
    "Examples:  fa-mobile export   |   fa-mobile export export/imx258.toml --only onnx   |   "
    "fa-mobile export my-sensor.toml --output build --json   |   "
    "fa-mobile export my-sensor.toml --tune"
)
DEFAULT_RECIPE = Path("export/imx258.toml")


def run(
    recipe: Annotated[Path, typer.Argument(help="TOML recipe.")] = DEFAULT_RECIPE,
    output: Annotated[
        Path | None, typer.Option(help="Folder for the bundles, in place of the recipe's.")
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(help="Only this target, such as onnx or onnx-int8 (may be given again)."),
    ] = None,
    tile: Annotated[
        tuple[int, int] | None,
        typer.Option(help="Rows and columns of a call, in place of the recipe's."),
    ] = None,
    tune: Annotated[
        bool,
        typer.Option(
            help="First measure on this machine which folds are fastest, and use those: "
            "up to five minutes for each target and precision."
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Export a checkpoint to bundles and verify each in its real runtime."""
    from fa_mobile.needs import require_export

    require_export()
    hush_exporters()
    from fa_mobile.exporting import export_recipe
    from fa_mobile.targets.base import ExportError
    from fa_mobile.tuning.recipes import tune_recipe

    try:
        with show.steps() as report:
            entries = tune_recipe(recipe, report, only) if tune else []
            tuned = {(entry.target, entry.precision): entry.plan for entry in entries}
            results = export_recipe(
                recipe, report, output, only, progress=report.part, tile=tile, tuned=tuned
            )
    except ExportError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error
    if as_json:
        bundles = show.bundle_json(results)
        measured = [entry.model_dump(mode="json") for entry in entries]
        show.print_json({"bundles": bundles, "tuning": measured} if tune else bundles)
        return
    show_entries(entries)
    show.table(show.BUNDLE_TITLE, show.BUNDLE_COLUMNS, show.bundle_rows(results))
    for result in results:
        typer.echo(str(result.folder))
