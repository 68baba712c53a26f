"""``fa-mobile simulate``: a noisy RAW capture from a photo."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

NAME = "simulate"
EPILOG = "Example:  fa-mobile simulate photo.jpg --gain 16 -o noisy.dng"


def run(
    photo: Annotated[Path, typer.Argument(help="Photo (JPEG, PNG, TIFF, WebP).")],
    gain: Annotated[float, typer.Option(help="Gain of the capture, 1 = base gain.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="DNG to write.")],
    sensor: Annotated[str, typer.Option(help="Profile name or JSON file.")] = "imx258",
    seed: Annotated[int, typer.Option(min=0, help="Of the noise.")] = 0,
) -> None:
    """Unprocess a photo to RAW and add the sensor's noise (synthetic)."""
    from fa_mobile.raw_io import write_dng
    from fa_mobile.sensor import load_profile
    from fa_mobile.simulation import simulate
    from fa_mobile.training.sources import read_photo

    profile = load_profile(sensor)
    frame = simulate(read_photo(photo), profile, gain, seed).noisy
    write_dng(output, frame)
    height, width = frame.mosaic.shape
    typer.echo(
        f"{width} x {height}, {profile.name} at gain {gain:g}, {profile.provenance} noise profile, "
        f"synthetic noise\n{output}"
    )
