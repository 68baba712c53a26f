"""``fa-mobile denoise``: a RAW file through a bundle."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fa_mobile.cli import show

if TYPE_CHECKING:
    from fa_mobile.raw_io import RawFrame

NAME = "denoise"
EPILOG = (
    "Examples:  fa-mobile denoise noisy.dng -o clean.dng --preview pair.png   |   "
    "fa-mobile denoise frame.raw --raw-shape 1080 1920 --cfa GBRG --black 64 --white 1023 "
    "--gain 16 --bundle dist/imx258-executorch-int8"
)
DEFAULT_BUNDLE = Path("dist/imx258-onnx-fp32")


def run(
    raw: Annotated[Path, typer.Argument(help="DNG or other RAW file, or a bare dump of uint16.")],
    bundle: Annotated[Path, typer.Option(help="Bundle folder.")] = DEFAULT_BUNDLE,
    gain: Annotated[
        float | None, typer.Option(help="Gain of the capture; default: from the file's ISO.")
    ] = None,
    noise: Annotated[
        tuple[float, float] | None,
        typer.Option(help="a b, for bundles that take a noise profile.", metavar="A B"),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="DNG to write. [RAW-denoised.dng]")
    ] = None,
    preview: Annotated[
        Path | None, typer.Option(help="Picture to write: noisy | denoised.")
    ] = None,
    raw_shape: Annotated[
        tuple[int, int] | None,
        typer.Option(help="Height and width of a bare dump.", metavar="H W"),
    ] = None,
    cfa: Annotated[str, typer.Option(help="Bayer pattern of a bare dump.")] = "RGGB",
    black: Annotated[float, typer.Option(help="Black level of a bare dump, DN.")] = 64,
    white: Annotated[float, typer.Option(help="White level of a bare dump, DN.")] = 1023,
    threads: Annotated[int, typer.Option(help="Threads of ONNX Runtime; 0: its choice.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Denoise a RAW file and write the result as DNG."""
    from fa_mobile.noise import NoiseParameters
    from fa_mobile.preview import save_picture, side_by_side
    from fa_mobile.raw_io import write_dng
    from fa_mobile.runtimes.frames import denoise_frame
    from fa_mobile.runtimes.session import open_bundle

    frame = _read(raw, raw_shape, cfa, black, white)
    opened = open_bundle(bundle, threads=threads)
    given = None if noise is None else NoiseParameters(*noise)
    start = time.perf_counter()
    with show.tiles(as_json) as progress:
        denoised = denoise_frame(opened, frame, gain=gain, noise=given, progress=progress)
    seconds = time.perf_counter() - start
    destination = output or raw.with_name(f"{raw.stem}-denoised.dng")
    write_dng(destination, denoised)
    if preview is not None:
        save_picture(side_by_side({"noisy": frame, "denoised": denoised}), preview)
    height, width = frame.mosaic.shape
    facts = {
        "bundle": opened.manifest.name,
        "height": height,
        "width": width,
        "seconds": round(seconds, 4),
        "seconds_per_mp": round(seconds / (height * width / 1e6), 4),
        "output": str(destination),
        "preview": None if preview is None else str(preview),
    }
    if as_json:
        show.print_json(facts)
        return
    typer.echo(
        f"{width} x {height} through {opened.manifest.name}: {seconds:.2f} s here "
        f"({facts['seconds_per_mp']:.2f} s/MP)"
    )
    for path in (destination, preview):
        if path is not None:
            typer.echo(str(path))


def _read(
    path: Path, shape: tuple[int, int] | None, cfa: str, black: float, white: float
) -> RawFrame:
    from fa_mobile.bayer import CfaError, parse_cfa
    from fa_mobile.errors import UserError
    from fa_mobile.raw_io import read_headerless, read_raw

    if shape is None:
        return read_raw(path)
    try:
        pattern = parse_cfa(cfa)
    except CfaError as error:
        raise UserError(str(error)) from error
    levels = (black, black, black, black)
    return read_headerless(path, shape=shape, cfa=pattern, black_level=levels, white_level=white)
