"""Train networks alike, measure them, and keep the result: python benchmarks/equal.py --help.

'make equal' runs it; 'make docs' writes its table and the picture of quality beside speed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fa_mobile.cli import guarded, show
from fa_mobile.errors import UserError
from fa_mobile.experiments.equal import EqualTrainings, equal_config, measured, together, trained
from fa_mobile.files import replace_file
from fa_mobile.sensor import load_profile
from fa_mobile.training.pipeline import load_data
from fa_mobile.training.sources import photo_paths

RESULT = Path(__file__).parent / "equal" / "trainings.json"


def main(
    photos: Annotated[list[Path], typer.Argument(help="Folder(s) of photos to train on.")],
    test: Annotated[list[Path], typer.Option(help="Folder of photos to measure on (again).")],
    runs: Annotated[Path, typer.Option(help="Folder of the runs; what it holds is resumed.")],
    network: Annotated[list[str], typer.Option(help="Network (again for more).")],
    seed: Annotated[list[int], typer.Option(help="Seed (again for more).")],
    rate: Annotated[list[float], typer.Option(help="Learning rate (again for more).")],
    steps: Annotated[int, typer.Option(min=10, help="Of each run.")] = 2000,
    output: Annotated[Path, typer.Option("-o", "--output")] = RESULT,
    threads: Annotated[int, typer.Option(min=0, help="0: torch's choice.")] = 0,
    add: Annotated[
        bool, typer.Option("--add", help="To the runs in the output, alike ones.")
    ] = False,
) -> None:
    """Train every network at every rate and seed, then measure all on the same captures."""
    import torch

    if threads:
        torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    profile = load_profile("imx258")
    paths = photo_paths(test)
    first = equal_config(network[0], seed[0], rate[0], steps)
    data = load_data(photos, [], first.patch)
    result = EqualTrainings(
        sensor=profile.name,
        provenance=profile.provenance,
        steps=steps,
        batch=first.batch,
        patch=first.patch,
        clipped_at_black=0.0,
        training_images=len(data.sources),
        test_photos=len(paths),
        runs=(),
    )
    if add:  # before hours are spent on what could not be added
        result = together(_stored(output), result)
    for name in network:
        for at in rate:
            for number in seed:
                config = equal_config(name, number, at, steps)
                with show.training(f"{name}, rate {at:g}, seed {number}", steps) as report:
                    array = trained(config, data, runs, report)
                with show.tiles() as progress:
                    run = measured(config, array, paths, progress)
                typer.echo(f"{name}, rate {at:g}, seed {number}: {run.mean_db:.3f} dB")
                result = together(result, result.model_copy(update={"runs": (run,)}))
                output.parent.mkdir(parents=True, exist_ok=True)
                with replace_file(output) as partial:
                    partial.write_text(result.model_dump_json(indent=1) + "\n", encoding="utf-8")
    typer.echo(str(output))


def _stored(output: Path) -> EqualTrainings:
    try:
        return EqualTrainings.model_validate_json(output.read_bytes())
    except (OSError, ValueError) as error:
        raise UserError(
            f"--add was given, but {output} holds no trainings ({error}); leave --add out"
        ) from error


if __name__ == "__main__":
    guarded(lambda: typer.run(main))
