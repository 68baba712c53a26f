"""A table of the paper as Markdown, from what is kept of it and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from fa_mobile.evaluation.edges import STEP_GOAL_DB
from fa_mobile.evaluation.measures import RAW_PSNR
from fa_mobile.experiments.order import verdict
from fa_mobile.experiments.results import NUMBERS, Table
from fa_mobile.experiments.wording import COLUMNS, TITLES, row_title, short_title

NOT_RUN: Final = "*Not run yet.*"
NOT_MEASURED: Final = "not measured"


def document(table: Table) -> str:
    """A file of its own, for the folder of results."""
    title = f"# Table {NUMBERS[table.table]}: {TITLES[table.table]}"
    return f"{title}\n\n{section(table, '')}\n"


def section(table: Table | None, folder: str) -> str:
    """What a document shows of a table.

    Args:
        table: None where it was not run.
        folder: where the picture lies, seen from the document: empty, or with a slash at its end.
    """
    if table is None or not table.rows:
        return NOT_RUN
    paragraphs = [
        conditions(table), verdict(table), f"RAW PSNR in dB by gain:\n\n{by_gain(table)}",
        f"Means over the gains:\n\n{means(table)}", seconds_note(table), edges(table),
        crops(table, folder),
    ]  # fmt: skip
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph)


def conditions(table: Table) -> str:
    """What was done alike for all rows."""
    s = table.settings
    seeds = [str(seed) for seed in sorted({row.seed for row in table.rows})]
    later = "" if s.later_rate is None else f", then {s.later_rate:g}"
    precision = "" if s.precision == "float32" else f" in {s.precision}"
    many = "seeds" if len(seeds) > 1 else "seed"
    return (
        f"{_training(table)} Batches of {s.batch} patches of {s.patch} x {s.patch}, optimizer "
        f"{s.optimizer}{precision}, peak rate {s.learning_rate:g}{later}, "
        f"{many} {', '.join(seeds)}; "
        f"{s.training_images} images to train on and {s.validation_images} to validate with. "
        f"Measured on the central {s.crop} x {s.crop} of {s.test_photos} photos that are not among "
        f"them. The noise is synthetic in training and test; the profile of the sensor "
        f"`{s.sensor}` is *{s.provenance}*.{_parts(table)}"
    )


def _training(table: Table) -> str:
    s = table.settings
    own = s.steps - s.common_steps
    if table.table == "ablation":
        return f"Every network: {s.steps} steps from scratch over the whole range of noise."
    if table.table == "subranges":
        return (
            f"Network `{s.network}`. Every network had {s.steps} steps: {s.common_steps} as one "
            f"common network over the whole range of noise, and {own} more at the same rates, the "
            "one model over the whole range, each member of the array over its own subrange (so "
            f"the array took {s.members} x {own} steps after the common ones). Both bring their "
            "input to the same noises, and differ in their weights alone."
        )
    return (
        f"Network `{s.network}`. Every loss had {s.steps} steps: {s.common_steps} of a common "
        f"network with Charbonnier, and {own} more with the loss, over the whole range of noise."
    )


def _parts(table: Table) -> str:
    teachers = {
        f"`{row.parts['teacher']}` (SHA-256 {row.parts['teacher_sha256'][:12]})"
        for row in table.rows
        if "teacher" in row.parts
    }
    return f" Teacher: {', '.join(sorted(teachers))}." if teachers else ""


def by_gain(table: Table) -> str:
    """RAW PSNR: rows downwards, gains across, means over the seeds."""
    rows = [["noisy", *(f"{s.values[RAW_PSNR]:.2f}" for s in table.noisy)]]
    for name in table.names():
        values = table.by_gain(name, RAW_PSNR)
        rows.append([_title(table, name), *(f"{value:.2f}" for value in values)])
    return _markdown(["gain", *(f"{gain:g}" for gain in table.settings.gains)], rows)


def means(table: Table) -> str:
    """Every measure, its spread over the seeds where there are several, and the time of a step."""
    header = ["", *(c.title for c in COLUMNS.values()), "RAW PSNR by seed", "s per step"]
    noisy = [
        _cell(
            [s.values[name] for s in table.noisy] if name in table.settings.measures else [], name
        )
        for name in COLUMNS
    ]
    rows = [["noisy", *noisy, "", ""]]
    for name in table.names():
        runs = table.seeds_of(name)
        cells = [
            _cell([r.mean(m) for r in runs] if m in table.settings.measures else [], m)
            for m in COLUMNS
        ]
        spread = [run.mean(RAW_PSNR) for run in runs]
        by_seed = f"{min(spread):.3f} to {max(spread):.3f}" if len(runs) > 1 else "one seed"
        times = [r.seconds_per_step for r in runs if r.seconds_per_step is not None]
        took = f"{min(times):.3f}" if times else "-"
        rows.append([_title(table, name), *cells, by_seed, took])
    return _markdown(header, rows)


def seconds_note(table: Table) -> str:
    """What the column of seconds is worth."""
    if all(row.seconds_per_step is None for row in table.rows):
        return ""
    return (
        "Seconds per step are of the machine that trained, whatever else it did; they are no "
        "measure of a network's speed."
    )


def edges(table: Table) -> str:
    """The step of the quality across each edge of the array, in a table and a sentence."""
    runs = [row for row in table.rows if row.edges]
    if not runs:
        return ""
    several = len(runs) > 1
    cells = [
        [f"{e.gain:.2f}", *([str(run.seed)] if several else []), f"{e.below_db:.3f}",
         f"{e.above_db:.3f}", f"{e.step_db:+.3f}"]
        for run in runs
        for e in run.edges
    ]  # fmt: skip
    largest = max(abs(e.step_db) for run in runs for e in run.edges)
    within = "within" if largest <= STEP_GOAL_DB else "beyond"
    header = [
        "edge at gain",
        *(["seed"] if several else []),
        "member below",
        "member above",
        "step",
    ]
    return (
        "Across the edges of the array, RAW PSNR in dB of the same captures with the member on "
        f"either side (the largest step, {largest:.3f} dB, is {within} the goal of "
        f"{STEP_GOAL_DB:g} dB):\n\n{_markdown(header, cells)}"
    )


def crops(table: Table, folder: str) -> str:
    """The picture, and where its crops come from."""
    p = table.picture
    if p is None:
        return ""
    gains = " and ".join(f"{gain:g}" for gain in p.gains)
    missing = [
        short_title(name, table.settings.members) for name in table.names() if name not in p.rows
    ]
    without = f" Not shown: {', '.join(missing)}." if missing else ""
    return (
        f"![crops at gain {gains}]({folder}{table.stem}.png)\n\n"
        f"*`{p.photo}` at gain {gains}: of the part that is measured, the {p.side} x {p.side} "
        f"with the most detail; above each crop its own RAW PSNR in dB; seed {p.seed}.*{without}"
    )


def _cell(values: Sequence[float], measure: str) -> str:
    if not values:
        return NOT_MEASURED
    return f"{sum(values) / len(values):.{COLUMNS[measure].digits}f}"


def _title(table: Table, name: str) -> str:
    return row_title(name, table.settings.members)


def _markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; columns after the first align right."""
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
