"""What several subcommands print."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console, JustifyMethod
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable

    from fa_mobile.exporting import BundleResult
    from fa_mobile.training.trainer import Progress as TrainProgress

console = Console()
if not console.is_terminal:  # a log has no width of its own, and tables fold at 80
    console = Console(width=120)
errors = Console(stderr=True)


def print_json(data: Any) -> None:
    """Plain JSON on standard output, for scripts."""
    typer.echo(json.dumps(data, indent=2))


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table; numbers align right from the second column on."""
    view = Table(title=title, title_justify="left")
    for index, column in enumerate(columns):
        justify: JustifyMethod = "left" if index == 0 else "right"
        view.add_column(column, justify=justify, overflow="fold")
    for row in rows:
        view.add_row(*row)
    console.print(view)


class Steps:
    """Names the step that is being done when called, and says how far a long one is."""

    def __init__(self, progress: Progress, quiet: bool) -> None:
        self._progress = progress
        # Elsewhere than on a terminal (a log, CI) each step is a line.
        self._lines = not quiet and not errors.is_terminal
        self._task = progress.add_task("starting", part="")

    def __call__(self, line: str) -> None:
        self._progress.update(self._task, description=line, part="")
        if self._lines:
            errors.print(line, highlight=False, soft_wrap=True)

    def part(self, done: int, total: int) -> None:
        """Of the step, on a terminal alone."""
        self._progress.update(self._task, part=f"{done / total:.0%}")


@contextmanager
def steps(quiet: bool = False) -> Iterator[Steps]:
    """A spinner with the current step, how much of it is done where that is known, and the time."""
    columns = (
        SpinnerColumn(), TextColumn("{task.description}"), TextColumn("{task.fields[part]}"),
        TimeElapsedColumn(),
    )  # fmt: skip
    off = quiet or not errors.is_terminal
    with Progress(*columns, console=errors, transient=True, disable=off) as progress:
        yield Steps(progress, quiet)


def bundle_rows(results: Iterable[BundleResult]) -> list[list[str]]:
    """Rows of the table that ends an export."""
    rows = []
    for result in results:
        m, v = result.manifest, result.verification
        known = v.psnr_vs_float_db is not None
        rows.append(
            [
                f"{m.target} {m.precision}",
                f"{m.model_bytes:,}",
                f"{m.network.gmacs_per_mp:.2f}",
                f"{sum(m.delegated.values())} + {sum(m.undelegated.values())}",
                f"{v.psnr_vs_float_db:.1f}" if known else "-",
                f"{v.psnr_loss_db:+.3f}" if known else "-",
                v.status,
            ]
        )
    return rows


BUNDLE_COLUMNS = (
    "bundle",
    "bytes",
    "GMACs/MP",
    "ops in + out",
    "PSNR vs float",
    "dB lost",
    "status",
)
BUNDLE_TITLE = (
    "Bundles (operators inside + outside the networks; worst PSNR against float and dB lost\n"
    "against ground truth over the golden vectors)"
)


def bundle_json(results: Iterable[BundleResult]) -> list[dict[str, Any]]:
    """The same as data."""
    return [
        {
            "folder": str(r.folder),
            "target": r.manifest.target,
            "precision": r.manifest.precision,
            "model_bytes": r.manifest.model_bytes,
            "gmacs_per_mp": r.manifest.network.gmacs_per_mp,
            "executed_gmacs_per_mp": r.manifest.network.executed_gmacs_per_mp,
            "delegated": r.manifest.delegated,
            "undelegated": r.manifest.undelegated,
            "status": r.verification.status,
            "psnr_vs_float_db": r.verification.psnr_vs_float_db,
            "psnr_loss_db": r.verification.psnr_loss_db,
        }
        for r in results
    ]


@contextmanager
def tiles(
    quiet: bool = False, what: str = "denoising"
) -> Iterator[Callable[[int, int], None] | None]:
    """A bar over tiles or trials; yields what takes (done, in all), such as a bundle's call."""
    if quiet or not errors.is_terminal:
        yield None
        return
    with Progress(console=errors, transient=True) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


@contextmanager
def training(name: str, steps: int) -> Iterator[Callable[[TrainProgress], None]]:
    """A bar over training steps with the loss, the rate of steps and the validation PSNR."""
    from rich.progress import BarColumn, MofNCompleteColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
        TextColumn("{task.fields[facts]}"), TimeRemainingColumn(),
    )  # fmt: skip
    live = errors.is_terminal
    with Progress(*columns, console=errors, disable=not live) as progress:
        task = progress.add_task(name, total=steps, facts="")
        checked = ""

        def report(state: TrainProgress) -> None:
            nonlocal checked
            if state.validation_psnr is not None:
                checked = f" validation {state.validation_psnr:.2f} dB"
                if not live:
                    errors.print(f"{name} {state.step}/{steps} loss {state.loss:.3f}{checked}")
            facts = f"loss {state.loss:.3f}{checked}"
            progress.update(task, completed=state.step, facts=facts)

        yield report
