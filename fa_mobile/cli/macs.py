"""``fa-mobile macs``: what each network costs."""

from __future__ import annotations

from typing import Annotated

import typer

from fa_mobile.cli import show

NAME = "macs"
EPILOG = "Examples:  fa-mobile macs   |   fa-mobile macs --json"


def run(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Count multiply-accumulates per megapixel (10^6 mosaic pixels) and parameters."""
    from fa_mobile.needs import require_torch

    require_torch()
    from fa_mobile.counting import count
    from fa_mobile.networks import NETWORK_NAMES, build_network

    costs = {name: count(build_network(name)) for name in NETWORK_NAMES}
    if as_json:
        show.print_json(
            {
                name: {"gmacs_per_mp": cost.gmacs_per_mp, "parameters": cost.parameters}
                for name, cost in costs.items()
            }
        )
        return
    rows = [[n, f"{c.gmacs_per_mp:.4f}", f"{c.parameters:,}"] for n, c in costs.items()]
    show.table("Networks", ("network", "GMACs/MP", "parameters"), rows)
