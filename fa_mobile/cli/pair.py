"""``fa-mobile pair``: noisy and clean captures of scenes to a dataset of aligned pairs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, cast, get_args

import typer

from fa_mobile.cli import show
from fa_mobile.cli.choices import one_of

if TYPE_CHECKING:
    from fa_mobile.pairing.build import How

NAME = "pair"
EPILOG = (
    "Examples:  fa-mobile pair --plan --exposure 1/4 --short-gain 4 --short-gain 16 --mains 50"
    "   |   "
    "fa-mobile pair short/ long/ -o pairs   |   "
    "fa-mobile pair noisy.dng clean.dng --profile my-sensor.json --noise-from dng -o pair   "
    "(folders are matched by file name: kitchen_iso1600.dng belongs to kitchen.dng or "
    "kitchen_long.dng)"
)
NoiseFrom = Literal["profile", "dng"]


def run(
    short: Annotated[
        Path | None, typer.Argument(help="Noisy captures: a RAW file, or a folder of them.")
    ] = None,
    long: Annotated[
        Path | None, typer.Argument(help="Clean captures: a RAW file, or a folder of them.")
    ] = None,
    output: Annotated[
        Path, typer.Option("-o", "--output", help="Folder of the dataset to write.")
    ] = Path("pairs"),
    profile: Annotated[str, typer.Option(help="Sensor profile: name or JSON file.")] = "imx258",
    short_gain: Annotated[
        list[float] | None,
        typer.Option(
            help="Of short captures that do not say their ISO; with --plan, a wanted one (again "
            "for more)."
        ),
    ] = None,
    long_gain: Annotated[
        float | None,
        typer.Option(help="Of long captures that do not say their ISO; with --plan, 1."),
    ] = None,
    noise_from: Annotated[
        str, typer.Option(help="(a, b) of each pair: profile, or dng (its NoiseProfile).")
    ] = "profile",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a dataset that is there already.")
    ] = False,
    plan: Annotated[
        bool, typer.Option("--plan", help="Only print what to capture: gains and times.")
    ] = False,
    exposure: Annotated[
        str | None, typer.Option(help="Plan: seconds of the long capture, such as 1/4.")
    ] = None,
    mains: Annotated[
        int | None, typer.Option(help="Plan: 50 or 60 Hz lamps, whose flicker is avoided.")
    ] = None,
    max_exposure: Annotated[
        str | None, typer.Option(help="Plan: longest time the camera allows, in seconds.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Align noisy and clean captures of static scenes; reject what moved; write a dataset."""
    from fa_mobile.errors import UserError
    from fa_mobile.sensor import load_profile

    if plan:
        if short is not None or exposure is None:
            raise UserError("--plan was given; it takes --exposure and --short-gain, and no files")
        _plan(profile, long_gain or 1.0, exposure, short_gain or [], mains, max_exposure, as_json)
        return
    if exposure is not None or mains is not None or max_exposure is not None:
        raise UserError("--exposure, --mains and --max-exposure are of --plan; add it")
    if short is None or long is None:
        raise UserError("SHORT and LONG were not both given; give files or folders, or --plan")
    if short_gain and len(short_gain) > 1:
        raise UserError("--short-gain was given more than once; pair captures of each gain alone")
    source = cast(NoiseFrom, one_of("noise-from", noise_from, get_args(NoiseFrom)))
    from fa_mobile.needs import require_calibrate

    require_calibrate()
    from fa_mobile.pairing.build import How

    how = How(load_profile(profile), source, short_gain[0] if short_gain else None, long_gain)
    _pair(short, long, output, how, overwrite=overwrite, as_json=as_json)


def _pair(
    short: Path, long: Path, output: Path, how: How, *, overwrite: bool, as_json: bool
) -> None:
    from fa_mobile.cli.show_pair import pair_tables, pairs_bar
    from fa_mobile.pairing.build import build_dataset, check_free
    from fa_mobile.pairing.matching import captures_below, match

    check_free(output, overwrite=overwrite)
    matches, alone = match(captures_below(short), captures_below(long), only=long.is_file())
    with pairs_bar(as_json) as progress:
        index = build_dataset(matches, alone, output, how, progress, overwrite=overwrite)
    if as_json:
        show.print_json({"output": str(output), **index.model_dump(mode="json")})
    else:
        pair_tables(index)
        typer.echo(str(output))
    if not index.pairs:
        raise typer.Exit(1)


def _plan(
    profile: str,
    long_gain: float,
    exposure: str,
    short_gains: list[float],
    mains: int | None,
    max_exposure: str | None,
    as_json: bool,
) -> None:
    from fa_mobile.cli.show_pair import plan_json, plan_table
    from fa_mobile.pairing.plan import Limits, parse_seconds, plan_captures
    from fa_mobile.sensor import load_profile

    sensor = load_profile(profile)
    longest = None if max_exposure is None else parse_seconds(max_exposure)
    planned = plan_captures(
        sensor, long_gain, parse_seconds(exposure), short_gains, Limits(mains, longest)
    )
    if as_json:
        show.print_json(plan_json(sensor, planned))
    else:
        plan_table(sensor, planned)
