"""``fa-mobile calibrate``: captures to a sensor profile."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fa_mobile.cli import show

if TYPE_CHECKING:
    from fa_mobile.calibration.captures import Given
    from fa_mobile.calibration.reading import Options
    from fa_mobile.calibration.result import Calibration, Naming

NAME = "calibrate"
EPILOG = (
    "Examples:  fa-mobile calibrate captures/ -o profile.json --report report.html   |   "
    "fa-mobile calibrate flat/ --scene flat -o profile.json   |   "
    "fa-mobile calibrate *.dng --from-noise-profile -o profile.json"
)


def run(
    captures: Annotated[
        list[Path], typer.Argument(help="RAW files, or folders of them, at 3 gains or more.")
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="Profile to write, JSON.")],
    report: Annotated[Path | None, typer.Option(help="Report to write, HTML.")] = None,
    scene: Annotated[
        str, typer.Option(help="chart: patches are found; flat: flat fields; burst: any static "
                               "scene, two frames or more at each gain.")
    ] = "chart",
    corners: Annotated[
        tuple[str, str, str, str] | None,
        typer.Option(help="Corners of the chart in pixels, in turn from its top left.",
                     metavar="X,Y X,Y X,Y X,Y"),
    ] = None,
    grid: Annotated[str, typer.Option(help="Columns x rows between the corners.")] = "6x4",
    gain: Annotated[
        list[float] | None,
        typer.Option(help="Gain of the captures where the ISO does not tell: one for all, or one "
                          "for each argument in turn."),
    ] = None,
    base_iso: Annotated[
        float | None, typer.Option(help="ISO at gain 1. [that of --like, else the lowest ISO]")
    ] = None,
    like: Annotated[
        str | None, typer.Option(help="Profile that gives name, base ISO and colours.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name of the profile.")] = None,
    gain_range: Annotated[
        tuple[float, float] | None,
        typer.Option(help="Gains of the profile. [those of the captures]", metavar="LOW HIGH"),
    ] = None,
    from_noise_profile: Annotated[
        bool, typer.Option("--from-noise-profile", help="Take the noise that the platform states: "
                           "NoiseProfile of DNG files, or JSON dumps of SENSOR_NOISE_PROFILE.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:  # fmt: skip
    """Measure a sensor's noise from captures and write its profile."""
    from fa_mobile.needs import require_calibrate

    require_calibrate()
    from fa_mobile.calibration.captures import listed
    from fa_mobile.calibration.result import Naming
    from fa_mobile.errors import UserError
    from fa_mobile.sensor import load_profile

    if base_iso is not None and not 0 < base_iso < float("inf"):
        raise UserError(f"--base-iso {base_iso} was given; allowed are finite numbers above 0")
    files = listed(captures, gain or [])
    naming = Naming(None if like is None else load_profile(like), name, gain_range)
    base = base_iso if base_iso is not None or naming.like is None else naming.like.base_iso
    with show.steps(as_json) as step:
        if from_noise_profile:
            if scene != "chart" or corners is not None or gain:
                raise UserError(
                    "--from-noise-profile was given with --scene, --corners or --gain; it takes "
                    "the noise from the files' metadata; leave them out"
                )
            found = _stated(files, base, naming, step)
        else:
            found = _measured(files, _options(scene, corners, grid), base, naming, step)
        if report is not None:
            step("report")
            _write_report(found, report)
    _write_profile(found, output)
    places = [path for path in (output, report) if path is not None]
    if as_json:
        show.print_json(_facts(found, places))
    else:
        _print(found, places)


def _options(scene: str, corners: Sequence[str] | None, grid: str) -> Options:
    from fa_mobile.calibration.reading import SCENES, Options
    from fa_mobile.cli.choices import one_of
    from fa_mobile.errors import UserError

    chosen = one_of("--scene", scene, SCENES)
    cells = re.fullmatch(r"([1-9]\d?)x([1-9]\d?)", grid)
    if cells is None:
        raise UserError(
            f"--grid {grid!r} was given; allowed is COLUMNSxROWS, 1 to 99 each, such as 6x4"
        )
    if corners is None:
        return Options(chosen)
    if chosen != "chart":
        raise UserError(f"--corners was given with --scene {chosen}; only a chart has corners")
    points = []
    for corner in corners:
        numbers = re.fullmatch(r"(\d{1,6}(?:\.\d+)?),(\d{1,6}(?:\.\d+)?)", corner)
        if numbers is None:
            raise UserError(f"--corners {corner!r} was given; allowed is X,Y in pixels, as 120,80")
        points.append((float(numbers[1]), float(numbers[2])))
    return Options(chosen, points, (int(cells[1]), int(cells[2])))


def _measured(
    files: Sequence[Given],
    options: Options,
    base_iso: float | None,
    naming: Naming,
    step: Callable[[str], None],
) -> Calibration:
    from fa_mobile.calibration.result import from_measured
    from fa_mobile.calibration.run import measure

    measured = measure(files, options, base_iso=base_iso, report=step)
    return from_measured(measured, options.scene, naming)


def _stated(
    files: Sequence[Given], base_iso: float | None, naming: Naming, step: Callable[[str], None]
) -> Calibration:
    from fa_mobile.calibration.result import from_platform
    from fa_mobile.calibration.stated import read_stated

    stated, sensor, skipped = read_stated(files, step)
    base = base_iso if base_iso is not None else min(one.iso for one in stated)
    return from_platform(stated, sensor, base, skipped, naming)


def _write_report(found: Calibration, path: Path) -> None:
    from fa_mobile.calibration.report import write_report

    write_report(found, path)


def _write_profile(found: Calibration, path: Path) -> None:
    from fa_mobile.files import replace_file

    with replace_file(path) as partial:
        partial.write_text(found.profile.to_json(), encoding="utf-8")


def _facts(found: Calibration, places: Sequence[Path]) -> dict[str, Any]:
    fit, measured = found.regressions, found.measured
    return {
        "profile": found.profile.model_dump(mode="json"),
        "gains": [
            {
                "gain": p.gain, "frames": p.frames,
                "a": p.a._asdict(), "b": p.b._asdict(),
                "residuals": {"a_relative": ra, "b_standard_errors": rb, "ln_b": rl},
            }
            for p, ra, rb, rl in zip(
                found.points, fit.a_residuals, fit.b_residuals, fit.log_residuals, strict=True
            )
        ],
        "frames": [] if measured is None else [
            {
                "file": str(f.path), "gain": f.gain, "patches": f.patches, "usable": f.usable,
                "a": None if f.estimate is None else f.estimate.a._asdict(),
                "b": None if f.estimate is None else f.estimate.b._asdict(),
                "note": f.note,
            }
            for f in measured.frames
        ],
        "dropped": {} if measured is None else measured.dropped,
        "skipped": [{"file": str(s.path), "reason": s.reason} for s in found.skipped],
        "warnings": found.warnings,
        "written": [str(path) for path in places],
    }  # fmt: skip


def _print(found: Calibration, places: Sequence[Path]) -> None:
    profile, fit = found.profile, found.regressions
    scale = max(profile.span) ** 2
    rows = [
        [
            f"{p.gain:g}", str(p.frames), f"{p.a.value:.3e}", f"{p.a.low:.3e} .. {p.a.high:.3e}",
            f"{p.b.value * scale:.3f}", f"{p.b.low * scale:.3f} .. {p.b.high * scale:.3f}",
            f"{rest:+.1%}",
        ]
        for p, rest in zip(found.points, fit.a_residuals, strict=True)
    ]  # fmt: skip
    columns = ("gain", "frames", "a", "95 %", "b in DN²", "95 %", "a off its line")
    show.table(f"Noise of {profile.name} ({profile.provenance})", columns, rows)
    a, b, line = profile.a_linear, profile.b_quadratic, profile.log_line
    typer.echo(f"a = {a[0]:.4g} g + {a[1]:.4g}; b = {b[0]:.4g} g^2 + {b[1]:.4g} g + {b[2]:.4g}")
    typer.echo(f"ln b = {line[0]:.4f} ln a + {line[1]:.4f}")
    for warning in found.warnings:
        typer.echo(f"warning: {warning}", err=True)
    if found.skipped:
        typer.echo(f"{len(found.skipped)} file(s) skipped:", err=True)
    for one in found.skipped:
        typer.echo(f"  {one.path}: {one.reason}", err=True)
    for path in places:
        typer.echo(str(path))
