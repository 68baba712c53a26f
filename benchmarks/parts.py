"""Time the parts of mobile as programs of their own: python benchmarks/parts.py --help."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from fa_mobile.bench.ceiling_executorch import module_program
from fa_mobile.bench.device import host_device
from fa_mobile.bench.part_programs import programs
from fa_mobile.bench.parts import Parts
from fa_mobile.bench.timing import race
from fa_mobile.cli import guarded
from fa_mobile.files import replace_file
from fa_mobile.runtimes.executorch import load_methods


def main(
    output: Annotated[Path, typer.Option("-o", "--output", help="JSON to write.")],
    threads: Annotated[int, typer.Option(min=1)] = 1,
    rows: Annotated[int, typer.Option(min=64)] = 1120,
    columns: Annotated[int, typer.Option(min=64)] = 1472,
    rounds: Annotated[int, typer.Option(min=3)] = 15,
) -> None:
    """Interleaved rounds of the whole member and of what is left without parts of it."""
    calls = {}
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, (module, example, precision)) in enumerate(
            programs(rows, columns).items()
        ):
            typer.echo(f"lowering: {name}", err=True)
            path = Path(folder) / f"{number}.pte"
            path.write_bytes(module_program(module, example, precision, name))
            forward = load_methods(path, threads=threads if not calls else 0)["forward"]
            calls[name] = partial(forward, [value.numpy() for value in example])
        samples = race(calls, rounds=rounds).samples_ms
    found = Parts(
        cpu=host_device({}).cpu,
        threads=threads,
        width=columns,
        height=rows,
        samples_ms={name: tuple(values) for name, values in samples.items()},
    )
    for name in found.samples_ms:
        typer.echo(f"{found.ms_per_mp(name):6.2f} ms/MP  {name}")
    output.parent.mkdir(parents=True, exist_ok=True)
    with replace_file(output) as partial_file:
        partial_file.write_text(found.model_dump_json(indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    guarded(lambda: typer.run(main))
