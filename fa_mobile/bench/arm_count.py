"""``python -m fa_mobile.bench.arm_count MODEL INPUTS.npz``: instructions of one run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import typer

from fa_mobile.bench.arm import CPUS, count_file, find_arm_environment
from fa_mobile.errors import UserError

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def run(
    model: Annotated[Path, typer.Argument(help="A .pte or .onnx file.", metavar="MODEL")],
    inputs: Annotated[Path, typer.Argument(help="Its inputs, in its order.", metavar="INPUTS.npz")],
    cpu: Annotated[
        list[str] | None, typer.Option(help=f"May be given again; else {', '.join(CPUS)}.")
    ] = None,
    runs: Annotated[int, typer.Option(help="Runs in one process; the first is not counted.")] = 2,
    environment: Annotated[
        Path | None, typer.Option(help="The ARM environment; else $FA_MOBILE_ARM or build/arm.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Count the instructions that one run of a model costs on emulated ARM CPUs, on one thread."""
    try:
        arm = find_arm_environment(environment)
        arrays = read_inputs(inputs)
        counted = {name: count_file(arm, model, arrays, name, runs=runs) for name in cpu or CPUS}
    except UserError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from error
    if as_json:
        data = [
            {"cpu": name, "instructions": value, "spread": spread}
            for name, (value, spread) in counted.items()
        ]
        typer.echo(json.dumps(data, indent=2))
        return
    for name, (value, spread) in counted.items():
        typer.echo(f"{name}  {value / 1e6:,.1f} M instructions a run  (spread {spread:.4%})")


def read_inputs(path: Path) -> list[npt.NDArray[Any]]:
    """The arrays of an .npz in the order they were saved in.

    Raises:
        UserError: when it is no .npz of plain arrays.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            return [file[name] for name in file.files]
    except (OSError, ValueError, AttributeError) as error:
        raise UserError(
            f"{path} is no .npz of arrays ({error}); write one with numpy.savez"
        ) from error


if __name__ == "__main__":
    app()
