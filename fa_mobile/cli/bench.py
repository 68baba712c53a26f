"""``fa-mobile bench``: what bundles cost on this machine, and whether it grew."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from fa_mobile.cli import show

if TYPE_CHECKING:
    from fa_mobile.bench.gate import Comparison
    from fa_mobile.bench.schema import Report

NAME = "bench"
EPILOG = (
    "Examples:  fa-mobile bench dist/imx258-onnx-int8 --vs plain   |   "
    "fa-mobile bench dist/* --vs plain --frame --threads 1 --output now.json --picture roofs   |   "
    "fa-mobile bench dist/imx258-onnx-int8 --vs plain --compare baseline.json"
)


def run(
    bundles: Annotated[
        list[str], typer.Argument(help="Bundle folder(s), or names of peers.", metavar="BUNDLE...")
    ],
    vs: Annotated[
        str | None, typer.Option("--vs", help="Bundle or peer to give ratios to (plain).")
    ] = None,
    threads: Annotated[int, typer.Option(min=0, help="0: the runtime's choice.")] = 0,
    side: Annotated[
        list[int] | None,
        typer.Option(min=16, help="Side of a square frame (again for more); without: one tile."),
    ] = None,
    frame: Annotated[bool, typer.Option("--frame", help="The 13.1 MP IMX258 frame too.")] = False,
    rounds: Annotated[int, typer.Option(min=1, help="Interleaved rounds.")] = 15,
    sustained: Annotated[
        float | None,
        typer.Option(
            min=0, help="Go on for so many seconds a size; a phone does so after the burst (60)."
        ),
    ] = None,
    gain: Annotated[float, typer.Option(min=1e-6, help="Selects the member that runs.")] = 16,
    ceiling: Annotated[
        bool, typer.Option("--ceiling/--no-ceiling", help="Time the machine's ceiling too.")
    ] = True,
    peers: Annotated[Path, typer.Option(help="Folder where peers are kept.")] = Path("build/peers"),
    output: Annotated[Path | None, typer.Option(help="Keep the report here (JSON).")] = None,
    picture: Annotated[
        Path | None, typer.Option(help="Folder for a roofline picture of each bundle.")
    ] = None,
    compare: Annotated[
        Path | None, typer.Option(help="Baseline report; exit 1 when something grew.")
    ] = None,
    counts_only: Annotated[
        bool, typer.Option("--counts-only", help="Compare counts but no times.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the report as JSON; a phone's are a list.")
    ] = False,
    arm: Annotated[
        list[str] | None,
        typer.Option(help="Count instructions under QEMU on this CPU, such as cortex-a76."),
    ] = None,
    device: Annotated[
        Literal["adb"] | None, typer.Option(help="adb: not here but on the phone that adb sees.")
    ] = None,
    serial: Annotated[
        str | None, typer.Option(help="Of the phone, where adb sees several.")
    ] = None,
    runner: Annotated[
        Path | None, typer.Option(help="Built for the phone (benchmarks/runner/README.md).")
    ] = None,
) -> None:
    """Time bundles in interleaved rounds beside a peer and the machine's own ceiling."""
    from fa_mobile.bench.files import read_report, write_report
    from fa_mobile.bench.gate import check_settings, confirmed
    from fa_mobile.bench.gate import compare as compared
    from fa_mobile.bench.phone import SUSTAINED_S, bench_phone
    from fa_mobile.bench.request import FRAME, Request
    from fa_mobile.bench.run import bench, settings_of
    from fa_mobile.cli import show_bench
    from fa_mobile.errors import UserError
    from fa_mobile.hush import hush_exporters

    if device is None and (serial or runner):
        raise UserError("--serial or --runner was given; they need --device adb")
    if device is not None and picture is not None:
        raise UserError("--picture was given; a phone's ceiling, which it shows, is not timed")
    if device is not None and arm:
        raise UserError("--arm was given with --device; instructions are counted here, by QEMU")
    if sustained is None:
        sustained = 0.0 if device is None else SUSTAINED_S
    baseline = None if compare is None else read_report(compare)
    sizes = [(one, one) for one in side or []] + [FRAME] * frame
    request = Request(
        bundles=tuple(bundles), versus=vs, sizes=tuple(dict.fromkeys(sizes)), threads=threads,
        rounds=rounds, seconds=sustained, gain=gain, ceilings=ceiling, peers=peers,
        arm=tuple(arm or ()),
    )  # fmt: skip

    if baseline is not None and device is None and not counts_only:
        check_settings(settings_of(request), baseline.settings)

    def measured(wanted: Request) -> list[Report]:
        with show.steps(quiet=as_json) as report:
            if device is None:
                return [bench(wanted, report)]
            return bench_phone(wanted, report, serial=serial, runner=runner)

    hush_exporters()
    reports = measured(request)
    found = reports[0]
    if output is not None:
        write_report(output, found)
        for more in reports[1:]:
            kind = more.settings.kind
            write_report(output.with_name(f"{output.stem}-{kind}{output.suffix}"), more)
    if picture is not None:
        show_bench.pictures(picture, found)
    if as_json:
        data = [each.model_dump(mode="json") for each in reports]
        show.print_json(data[0] if device is None else data)
    else:
        for each in reports:
            show_bench.tables(each)
    if baseline is not None:
        comparison = compared(found, baseline, counts_only=counts_only)
        if comparison.slower:
            typer.echo("a time grew; timing once more to be sure", err=True)
            again = measured(replace(request, ceilings=False, seconds=found.settings.seconds))[0]
            if output is not None:
                write_report(output.with_name(f"{output.stem}-again{output.suffix}"), again)
            comparison = confirmed(comparison, compared(again, baseline))
        _judge(comparison)


def _judge(comparison: Comparison) -> None:
    """Say what grew and what was not compared; exit code 1 when something grew."""
    for line in comparison.skipped:
        typer.echo(f"not compared: {line}", err=True)
    for regression in comparison.regressions:
        typer.echo(f"grew: {regression}", err=True)
    typer.echo(
        f"{comparison.compared} numbers compared, {len(comparison.regressions)} grew", err=True
    )
    if comparison.regressions:
        raise typer.Exit(1)
