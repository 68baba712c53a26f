"""``fa-mobile evaluate --dataset``: results on real captures, and submissions to benchmarks."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import typer

from fa_mobile.cli import show

if TYPE_CHECKING:
    from fa_mobile.evaluation.dataset_crops import CropRow
    from fa_mobile.evaluation.dataset_results import DatasetQuality
    from fa_mobile.evaluation.measures import Measure
    from fa_mobile.evaluation.subjects import Subject

RESULTS = "results"
"""Stem of the files that ``-o`` gets."""


class Asked(NamedTuple):
    """What the command line says of a dataset."""

    folder: Path
    format: str | None
    profile: str | None
    limit: int | None
    crop: int | None
    out: Path | None
    submit: Path | None
    as_json: bool


def run_dataset(
    asked: Asked,
    subjects: Sequence[Subject],
    measures: Mapping[str, Measure],
    named: Mapping[str, object],
) -> None:
    """Evaluate ``subjects`` on a dataset, or write the first one's submission.

    Args:
        asked: the command line.
        subjects: the one asked about first.
        measures: what is computed.
        named: joins the JSON.

    Raises:
        UserError: for options that do not go together, and what evaluating raises.
    """
    from fa_mobile.datasets.table import FORMAT_NAMES, format_named
    from fa_mobile.errors import UserError
    from fa_mobile.needs import require_datasets, require_measures
    from fa_mobile.sensor import load_profile

    if asked.format is None:
        raise UserError(f"--dataset was given without --format; say {', '.join(FORMAT_NAMES)}")
    layout = format_named(asked.format)
    require_datasets()
    if layout.has_truth and asked.submit is not None:
        raise UserError(f"--submit was given; {layout.name} has its truth here: leave it out")
    if not layout.has_truth and (asked.submit is None or asked.out is not None):
        raise UserError(
            f"{layout.name} keeps its truth on the server: give --submit FOLDER (no -o) and send "
            "what is written there"
        )
    if asked.out is not None:
        require_measures()  # crops are rendered
    profile = None if asked.profile is None else load_profile(asked.profile)
    dataset = layout.open(asked.folder, profile)
    if asked.submit is not None:
        if len(subjects) > 1 or asked.limit is not None or asked.crop is not None:
            raise UserError("--submit was given; it takes one subject, no --limit and no --crop")
        if asked.submit.is_dir() and any(asked.submit.iterdir()):
            raise UserError(f"{asked.submit} is not empty; give --submit a new folder")
        from fa_mobile.evaluation.dataset_submit import submit

        with show.tiles(asked.as_json) as progress:
            count = submit(subjects[0], dataset, layout, asked.submit, progress=progress)
        written = {"format": layout.name, "submission": str(asked.submit), "crops": count}
        if asked.as_json:
            show.print_json(written | {"subject": subjects[0].name})
        else:
            typer.echo(f"{count} denoised crops of {layout.title} in {asked.submit}")
        return
    from fa_mobile.evaluation.dataset_crops import CropKeeper
    from fa_mobile.evaluation.dataset_quality import evaluate_dataset

    keeper = None if asked.out is None else CropKeeper()
    with show.tiles(asked.as_json) as progress:
        result = evaluate_dataset(
            subjects, dataset, asked.folder.resolve().name, measures,
            limit=asked.limit, crop=asked.crop, keeper=keeper, progress=progress,
        )  # fmt: skip
    if asked.out is not None and keeper is not None:
        _write(asked.out, result, keeper.rows(), named)
    if asked.as_json:
        show.print_json(result.to_dict() | dict(named))
    else:
        _print(result)


def _write(
    out: Path, result: DatasetQuality, rows: Sequence[CropRow], named: Mapping[str, object]
) -> None:
    """``results.json``, ``results.md`` and ``results.html`` in ``out``."""
    from fa_mobile.evaluation.dataset_report import to_html, to_markdown
    from fa_mobile.files import replace_file

    data = json.dumps(result.to_dict() | dict(named), indent=2) + "\n"
    texts = {"json": data, "md": to_markdown(result), "html": to_html(result, rows)}
    for suffix, text in texts.items():
        with replace_file(out / f"{RESULTS}.{suffix}") as partial:
            partial.write_text(text, encoding="utf-8")


def _print(result: DatasetQuality) -> None:
    from fa_mobile.evaluation.dataset_report import headline, reasons, remarks, tables

    for table in tables(result):
        show.table(f"{table.title}\n{headline(result)}", table.columns, table.rows)
    for line in remarks(result):
        typer.echo(line)
    for line in reasons(result):
        typer.echo(line, err=True)
