"""``fa-mobile inspect``: what a bundle says of itself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fa_mobile.cli import show

NAME = "inspect"
EPILOG = "Example:  fa-mobile inspect dist/imx258-executorch-int8 --json | jq .delegated"


def run(
    bundle: Annotated[Path, typer.Argument(help="Bundle folder.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the manifest.")] = False,
) -> None:
    """Show a bundle's inputs, cost, operators and provenance, without running it."""
    from fa_mobile.bundle import read_bundle

    m = read_bundle(bundle)
    if as_json:
        show.print_json(m.model_dump(mode="json"))
        return
    tensors = [f"{t.name} {t.dtype} {list(t.shape)} ({t.unit})" for t in (*m.inputs, *m.outputs)]
    memory = "not known" if m.planned_memory_bytes is None else f"{m.planned_memory_bytes:,} bytes"
    rows = [
        ["target, precision", f"{m.target}, {m.precision}"],
        ["model", f"{', '.join(m.files)} ({m.model_bytes:,} bytes)"],
        ["inputs", "\n".join(tensors[:-1])],
        ["output", tensors[-1]],
        ["selector", f"{m.selector}, {m.network.members} members, edges in a {list(m.edges)}"],
        ["sensor", f"{m.sensor.name} ({m.sensor.provenance}): {m.sensor.source}"],
        ["tile, halo, stride", f"{m.tile[0]} x {m.tile[1]}, {m.halo}, {m.stride} mosaic pixels"],
        ["network", f"{m.network.name}, {m.network.parameters:,} parameters a member"],
        ["cost", f"{m.network.gmacs_per_mp:.3f} GMACs/MP, "
                 f"{m.network.executed_gmacs_per_mp:.3f} executed"],
        ["planned memory", memory],
        ["operators in networks", _counts(m.delegated)],
        ["operators outside", _counts(m.undelegated)],
        ["stays float", ", ".join(m.float_islands) or "nothing inside the networks"],
        ["call", "\n".join(f"{key}: {value}" for key, value in m.call.items()) or "one call"],
        ["checkpoint", f"{m.checkpoint} ({m.checkpoint_sha256[:12]}...)"],
        ["made with", _counts(m.tool_versions)],
    ]  # fmt: skip
    from rich.table import Table

    view = Table(title=m.name, title_justify="left", show_header=False)
    for row in rows:
        view.add_row(*row)
    show.console.print(view)


def _counts(counts: dict[str, int] | dict[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in sorted(counts.items())) or "none"
