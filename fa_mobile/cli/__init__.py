"""The command line. One file per subcommand; heavy imports happen inside the commands."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable

import typer

from fa_mobile import __version__
from fa_mobile.cli import (
    bench,
    calibrate,
    demo,
    denoise,
    evaluate,
    experiment,
    export,
    inspect,
    macs,
    pair,
    simulate,
    train,
    verify,
)
from fa_mobile.errors import UserError

app = typer.Typer(
    name="fa-mobile",
    help="RAW denoising for phones: calibrate, train, export, verify and run model arrays.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    add_completion=False,
)
for module in (
    export,
    verify,
    inspect,
    bench,
    denoise,
    simulate,
    evaluate,
    macs,
    train,
    calibrate,
    pair,
    demo,
):
    app.command(name=module.NAME, epilog=module.EPILOG)(module.run)
app.add_typer(experiment.app)


def _version(show: bool) -> None:
    if show:
        typer.echo(f"fa-mobile {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Show the version and exit."
    ),
) -> None:
    pass


def _show_warning(message: Warning | str, category: type[Warning], *_where: object) -> None:
    """Our own warnings as one line; those of libraries would tell a user nothing."""
    if category.__module__.startswith("fa_mobile"):
        typer.echo(f"warning: {message}", err=True)


def main() -> None:
    """Entry point of ``fa-mobile``."""
    guarded(app)


def guarded(command: Callable[[], object]) -> None:
    """Run a command line: what the user gave wrong ends in one line and exit code 2."""
    warnings.showwarning = _show_warning  # type: ignore[assignment]
    try:
        command()
    except UserError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(2)
    except MemoryError:
        typer.echo("error: out of memory; give a smaller frame or a smaller tile", err=True)
        sys.exit(2)
