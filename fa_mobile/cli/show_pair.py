"""What ``fa-mobile pair`` prints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from fa_mobile.cli import show

if TYPE_CHECKING:
    from fa_mobile.pairing.build import Progress as PairProgress
    from fa_mobile.pairing.plan import Planned
    from fa_mobile.pairing.schema import Index
    from fa_mobile.sensor import SensorProfile


@contextmanager
def pairs_bar(quiet: bool) -> Iterator[PairProgress | None]:
    """A bar over pairs with the file at work."""
    if quiet or not show.errors.is_terminal:
        yield None
        return
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=show.errors, transient=True) as progress:
        task = progress.add_task("pairing", total=None)
        yield lambda done, total, name: progress.update(
            task, completed=done, total=total, description=name
        )


def pair_tables(index: Index) -> None:
    """The accepted pairs, then every rejected and skipped one with its reason."""
    columns = ("pair", "gain", "long gain", "a", "b", "brightness", "shift, px", "+-", "inliers")
    rows = [
        [
            pair.name, f"{pair.short.gain:g}", f"{pair.long.gain:g}", f"{pair.a:.3g}",
            f"{pair.b:.3g}", f"{pair.brightness:.3f}", f"{pair.shift[0]:+.2f} {pair.shift[1]:+.2f}",
            f"{pair.shift_error:.3f}", f"{100 * pair.inlier_share:.0f} %",
        ]
        for pair in index.pairs
    ]  # fmt: skip
    if rows:
        noise = "the files' NoiseProfile" if index.noise_from == "dng" else "noise profile"
        told = f"{noise} {index.profile.name} ({index.profile.provenance})"
        if index.noise_from == "dng":
            told = noise
        show.table(f"Pairs: a and b of the {told}", columns, rows)
    for one in index.rejected:
        where = "" if one.map is None else f" ({one.map})"
        typer.echo(f"rejected: {one.short}: {one.reason}{where}")
    for left in index.skipped:
        typer.echo(f"skipped: {left.file}: {left.reason}")
    kinds = Counter(
        accepted=len(index.pairs), rejected=len(index.rejected), skipped=len(index.skipped)
    )
    typer.echo(", ".join(f"{count} {kind}" for kind, count in kinds.items()))


def plan_table(profile: SensorProfile, planned: Sequence[Planned]) -> None:
    """The captures to take, and what is in their way."""
    from fa_mobile.pairing.plan import shown_seconds

    rows = [
        [one.role, f"{one.gain:.3g}", f"{one.iso:.4g}", shown_seconds(one.seconds),
         f"{one.gain * float(one.seconds):.4g}"]
        for one in planned
    ]  # fmt: skip
    title = f"Captures with {profile.name} (gain 1 is ISO {profile.base_iso:g})"
    show.table(title, ("capture", "gain", "ISO", "exposure", "gain x s"), rows)
    for one in planned:
        for line in one.warnings:
            typer.echo(f"warning: {one.role} capture of gain {one.wanted_gain:g}: {line}", err=True)


def plan_json(profile: SensorProfile, planned: Sequence[Planned]) -> dict[str, Any]:
    """The same as data."""
    return {
        "schema_version": 1,
        "sensor": profile.name,
        "captures": [
            {
                "role": one.role,
                "wanted_gain": one.wanted_gain,
                "gain": one.gain,
                "iso": one.iso,
                "exposure_seconds": float(one.seconds),
                "warnings": list(one.warnings),
            }
            for one in planned
        ],
    }
