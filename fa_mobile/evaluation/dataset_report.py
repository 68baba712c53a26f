"""Results on a dataset to read: tables, Markdown, and a page of its own with crops."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from jinja2 import Environment
from PIL import Image

from fa_mobile.evaluation.dataset_crops import CropRow, Panel
from fa_mobile.evaluation.dataset_results import DatasetQuality, SubjectResult
from fa_mobile.evaluation.measures import Measure

_MOST_REASONS: Final = 20


class Table(NamedTuple):
    """One measure: levels downwards, noisy and the subjects across."""

    title: str
    columns: tuple[str, ...]
    rows: list[list[str]]


def tables(result: DatasetQuality) -> list[Table]:
    """A table for each measure; the last row is the mean over all regions."""
    single = len(result.subjects) == 1
    names = ("noisy", *[subject.subject for subject in result.subjects])
    columns = ("level", "regions", *names, *(("difference",) if single else ()))
    return [
        Table(measure.title, columns, list(_rows(result, name, measure, single=single)))
        for name, measure in result.measures.items()
    ]


def _rows(
    result: DatasetQuality, name: str, measure: Measure, *, single: bool
) -> Iterator[list[str]]:
    first = result.subjects[0]
    groups = [
        (score.level.label, score.regions, score.noisy[name],
         [subject.scores[index].denoised[name] for subject in result.subjects])
        for index, score in enumerate(first.scores)
    ]  # fmt: skip
    total = sum(score.regions for score in first.scores)
    groups.append(("all", total, first.mean[0][name], [s.mean[1][name] for s in result.subjects]))
    for label, count, noisy, values in groups:
        cells = [f"{value:.{measure.digits}f}" for value in (noisy, *values)]
        if single:
            cells.append(f"{values[0] - noisy:+.{measure.digits}f}")
        yield [label, str(count), *cells]


def headline(result: DatasetQuality) -> str:
    """What was measured, in a line."""
    samples, cameras = (
        f"{count} {word}{'' if count == 1 else 's'}"
        for count, word in ((result.samples, "sample"), (len(result.cameras), "camera"))
    )
    crop = "" if result.crop is None else f", central {result.crop} x {result.crop}"
    return f"{result.format}: {samples}, {cameras}, noise: {result.noise_kind}{crop}"


def remarks(result: DatasetQuality) -> list[str]:
    """What must be known beside the numbers."""
    return [*result.notes, *filter(None, map(_remark, result.subjects))]


def _remark(subject: SubjectResult) -> str:
    parts = []
    if subject.takes_gain:
        ratio = "" if subject.told_b is None else f", {subject.told_b:.2f} times the samples' own"
        parts.append(f"is told the gain that has a sample's a; b is its profile's{ratio}")
    if subject.beyond:
        parts.append(f"{subject.beyond} samples have an a beyond profile {subject.sensor}'s range")
    return f"{subject.subject}: {'; '.join(parts)}" if parts else ""


def reasons(result: DatasetQuality) -> list[str]:
    """Why samples were skipped: each reason once with the first file that it happened to."""
    counted: dict[str, tuple[str, int]] = {}
    for entry in result.skipped:
        name, samples = counted.get(entry.reason, (entry.name, 0))
        counted[entry.reason] = name, samples + entry.samples
    lines = [
        f"{samples} skipped ({name}{' first' if samples > 1 else ''}): {reason}"
        for reason, (name, samples) in counted.items()
    ]
    more = len(lines) - _MOST_REASONS
    return lines if more <= 0 else [*lines[:_MOST_REASONS], f"and {more} more reasons, in the JSON"]


def to_markdown(result: DatasetQuality) -> str:
    """The tables, remarks and skipped samples."""
    parts = [f"# {headline(result)}", ""]
    for table in tables(result):
        parts += [f"## {table.title}", "", _line(table.columns)]
        parts += [_line(["---", *["---:"] * (len(table.columns) - 1)])]
        parts += [*map(_line, table.rows), ""]
    for title, lines in (("Remarks", remarks(result)), ("Skipped", reasons(result))):
        if lines:
            parts += [f"## {title}", "", *[f"- {line}" for line in lines], ""]
    return "\n".join(parts)


def _line(cells: Sequence[str]) -> str:
    safe = (cell.replace("|", "\\|") for cell in cells)
    return f"| {' | '.join(safe)} |"


def to_html(result: DatasetQuality, rows: Sequence[CropRow]) -> str:
    """One page that needs no other file; what comes from file names and metadata is escaped."""
    page = Environment(autoescape=True).from_string(_PAGE)
    return page.render(
        headline=headline(result),
        folder=result.folder,
        tables=tables(result),
        rows=[_shown(row, result) for row in rows],
        remarks=remarks(result),
        reasons=reasons(result),
    )


def _shown(row: CropRow, result: DatasetQuality) -> dict[str, Any]:
    def lines(panel: Panel) -> list[str]:
        return [
            f"{name} {panel.values[name]:.{measure.digits}f}"
            for name, measure in result.measures.items()
            if name in panel.values
        ]

    return {
        "title": f"{row.level.label}, {row.which}: {row.sample}",
        "panels": [
            {"caption": panel.caption, "lines": lines(panel), "source": _embedded(panel)}
            for panel in row.panels
        ],
    }


def _embedded(panel: Panel) -> str:
    buffer = io.BytesIO()
    Image.fromarray(panel.picture).save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ headline }}</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 2em auto; max-width: 75em; padding: 0 1em;
  color: #222; background: #fff; }
table { border-collapse: collapse; margin: 0.5em 0 1.5em; }
th, td { padding: 0.2em 0.8em; border-bottom: 1px solid #ddd; text-align: right; }
th:first-child, td:first-child { text-align: left; }
tr:last-child td { font-weight: 600; }
.row { display: flex; flex-wrap: wrap; gap: 0.8em; margin-bottom: 1.5em; }
figure { margin: 0; width: 200px; }
img { width: 200px; image-rendering: pixelated; display: block; }
figcaption { font-size: 13px; overflow-wrap: anywhere; }
</style>
</head>
<body>
<h1>{{ headline }}</h1>
<p>{{ folder }}</p>
{% for table in tables %}
<h2>{{ table.title }}</h2>
<table>
<tr>{% for column in table.columns %}<th>{{ column }}</th>{% endfor %}</tr>
{% for row in table.rows %}<tr>{% for cell in row %}<td>{{ cell }}</td>{% endfor %}</tr>
{% endfor %}</table>
{% endfor %}
{% if rows %}<h2>Crops</h2>
<p>The central part of the worst and the best result of each level, all of a row in the same
light. The numbers are of the whole region.</p>
{% for row in rows %}<h3>{{ row.title }}</h3>
<div class="row">{% for panel in row.panels %}<figure>
<img src="{{ panel.source }}" alt="{{ panel.caption }}">
<figcaption><b>{{ panel.caption }}</b>{% for line in panel.lines %}<br>{{ line }}{% endfor %}
</figcaption></figure>{% endfor %}</div>
{% endfor %}{% endif %}
{% for title, lines in (("Remarks", remarks), ("Skipped", reasons)) %}{% if lines %}
<h2>{{ title }}</h2>
<ul>{% for line in lines %}<li>{{ line }}</li>{% endfor %}</ul>
{% endif %}{% endfor %}</body>
</html>
"""
