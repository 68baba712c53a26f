"""A benchmark report on the terminal, and its pictures."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import typer

from fa_mobile.bench.picture import draw
from fa_mobile.bench.schema import Entry, Report
from fa_mobile.cli import show

_MIB = 2**20
TIMES = ("bundle", "min", "median", "p90", "ms/MP", "vs peer", "GMAC/s", "of ceiling", "of roof")
COSTS = ("bundle", "load", "first run", "peak MiB", "arena MiB", "GMACs/MP", "executed",
         "bundle bytes", "ops in + out")  # fmt: skip


def tables(report: Report) -> None:
    """Times and costs of each size, the operators' kinds, the ceilings, and what is missing."""
    for size in dict.fromkeys((e.width, e.height) for e in report.entries):
        entries = [e for e in report.entries if (e.width, e.height) == size]
        megapixels = f"{size[0]} x {size[1]}, {entries[0].megapixels:.2f} MP"
        title = f"{megapixels} (ms; {_how(report)})"
        show.table(title, TIMES, [_times(report, e) for e in entries])
        title = "First use in its own process (ms, memory over the runtime's library), and counts"
        show.table(title, COSTS, [_costs(e) for e in entries])
    _operators(report)
    _ceilings(report)
    if any(entry.weights == "random" for entry in report.entries):
        typer.echo("* a peer with random weights: its time is meant, not its quality")
    for line in missing_lines(report):
        typer.echo(line)


def _how(report: Report) -> str:
    settings = report.settings
    threads = f"threads: {settings.threads or 'as the runtime chooses'}"
    return f"{threads}, gain {settings.gain:g}, {settings.kind}"


def _name(entry: Entry) -> str:
    return entry.bundle + ("*" if entry.weights == "random" else "")


def _times(report: Report, entry: Entry) -> list[str]:
    timing, ratio, roof = entry.timing, entry.ratio, entry.roof
    share = report.share_of_ceiling(entry)
    measured = ["-"] * 4
    if timing is not None:
        values = (timing.min_ms, timing.median_ms, timing.p90_ms, timing.ms_per_mp)
        measured = [f"{value:.1f}" for value in values]
    return [
        _name(entry),
        *measured,
        f"{ratio.median:.3f}" if ratio else "-",
        f"{roof.executed_gmacs_per_s:.1f}" if roof else "-",
        "-" if share is None else f"{share:.0%}",
        f"{roof.share:.0%} ({roof.bound})" if roof else "-",
    ]


def _costs(entry: Entry) -> list[str]:
    start, memory, counts = entry.start, entry.memory, entry.counts
    arena = counts.arena_bytes
    return [
        _name(entry),
        *([f"{start.load_ms:.0f}", f"{start.first_ms:.0f}"] if start else ["-"] * 2),
        f"{memory.peak_bytes / _MIB:.0f}" if memory else "-",
        "-" if arena is None else f"{arena / _MIB:.0f}",
        f"{counts.nominal_gmacs_per_mp:.2f}",
        f"{counts.executed_gmacs_per_mp:.2f}",
        f"{counts.bundle_bytes:,}",
        f"{counts.delegated} + {counts.undelegated}",
    ]


def _operators(report: Report) -> None:
    rows = []
    for entry in report.entries:
        shares: dict[str, float] = defaultdict(float)
        for operator in entry.operators or ():
            shares[operator.kind] += operator.share
        if shares:
            ordered = sorted(shares.items(), key=lambda item: -item[1])
            rows.append([entry.title, ", ".join(f"{kind} {part:.0%}" for kind, part in ordered)])
    if rows:
        show.table(
            "Time by kind of operator (the runtime's own profile)", ("bundle", "share"), rows
        )


def _ceilings(report: Report) -> None:
    kinds = dict.fromkeys((c.target, c.precision) for c in report.ceilings)
    best = [c for kind in kinds if (c := report.best_ceiling(*kind)) is not None]
    if not best or report.bandwidth is None:
        return
    rows = [
        [f"{c.target} {c.precision}", f"{c.kernel}x{c.kernel}, {c.channels} channels",
         f"{c.gmacs_per_s:.1f} GMAC/s"]
        for c in best
    ]  # fmt: skip
    bandwidth = report.bandwidth
    rows.append(
        ["memory", f"copy of {bandwidth.buffer_bytes / _MIB:.0f} MiB",
         f"{bandwidth.gbytes_per_s:.1f} GB/s"]
    )  # fmt: skip
    show.table("This machine's ceiling", ("what", "of", "best"), rows)


def missing_lines(report: Report) -> list[str]:
    """What was not measured, each reason once with the bundles that it holds for."""
    holders: dict[tuple[str, str], list[str]] = defaultdict(list)
    for name, reason in report.missing.items():
        holders[name, reason].append("everything")
    for entry in report.entries:
        for name, reason in entry.missing.items():
            holders[name, reason].append(entry.title)
    return [
        f"{name.replace('_', ' ')}: {reason}"
        + ("" if len(who) == len(report.entries) else f" ({', '.join(who)})")
        for (name, reason), who in holders.items()
    ]


def pictures(folder: Path, report: Report) -> None:
    """Write one roofline picture a bundle and one of all of them; name the files."""
    shown = [entry for entry in report.entries if entry.roof is not None]
    names = dict.fromkeys(entry.bundle for entry in shown)
    for name in names:
        path = folder / f"{name.replace('/', '-')}.png"
        draw(path, report, [entry for entry in shown if entry.bundle == name])
        typer.echo(str(path), err=True)
    draw(folder / "all.svg", report)
    typer.echo(str(folder / "all.svg"), err=True)
