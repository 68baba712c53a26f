"""``fa-mobile export``: a recipe to verified bundles."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fa_mobile.cli import show
from fa_mobile.hush import hush_exporters

NAME = "export"
EPILOG = (
    "Examples:  fa-mobile export   |   fa-mobile export export/imx258.toml --only onnx   |   "
    "fa-mobile export my-sensor.toml --output build --json"
)
DEFAULT_RECIPE = Path("export/imx258.toml")


def run(
    recipe: Annotated[Path, typer.Argument(help="TOML recipe.")] = DEFAULT_RECIPE,
    output: Annotated[
        Path | None, typer.Option(help="Folder for the bundles, in place of the recipe's.")
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(help="Export only this target (may be given again).")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Export a checkpoint to bundles and verify each in its real runtime."""
    from fa_mobile.needs import require_export

    require_export()
    hush_exporters()
    from fa_mobile.exporting import export_recipe
    from fa_mobile.targets.base import ExportError

    try:
        with show.steps() as report:
            results = export_recipe(recipe, report, output, only)
    except ExportError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error
    if as_json:
        show.print_json(show.bundle_json(results))
        return
    show.table(show.BUNDLE_TITLE, show.BUNDLE_COLUMNS, show.bundle_rows(results))
    for result in results:
        typer.echo(str(result.folder))
