"""Benchmark reports on disk."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from fa_mobile.bench.schema import REPORT_SCHEMA, Report
from fa_mobile.errors import UserError, describe_validation
from fa_mobile.files import replace_file

_MOST_BYTES: Final = 64 * 2**20
"""A minute of samples of a dozen bundles takes less than one of these 64 MiB."""


def write_report(path: Path, report: Report) -> None:
    """Write a report as JSON.

    Raises:
        UserError: when the place cannot be written.
    """
    with replace_file(path) as partial:
        partial.write_text(report.model_dump_json(indent=2) + "\n", encoding="utf-8")


def read_report(path: Path) -> Report:
    """Read and validate a report.

    Raises:
        UserError: for a missing or far too large file, wrong JSON, another schema version, or
            fields that are unknown, missing, of the wrong type or in contradiction.
    """
    if not path.is_file():
        raise UserError(
            f"benchmark report {path} does not exist; give a file that "
            "'fa-mobile bench --output FILE' wrote"
        )
    size = path.stat().st_size
    if size > _MOST_BYTES:
        raise UserError(
            f"{path} has {size:,} bytes; allowed for a benchmark report are {_MOST_BYTES:,}: "
            "give a file that 'fa-mobile bench --output FILE' wrote"
        )
    return parse_report(path.read_bytes(), str(path))


def parse_report(data: bytes, name: str) -> Report:
    """:func:`read_report` of what was already read; ``name`` is for the messages."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{name} is not JSON: {error}; write the report again") from error
    version = found.get("schema_version") if isinstance(found, dict) else None
    if version != REPORT_SCHEMA:
        raise UserError(
            f"{name} has schema version {version!r}; this fa-mobile reads {REPORT_SCHEMA}: "
            "measure again, or use the fa-mobile that wrote it"
        )
    try:
        return Report.model_validate_json(data, strict=True)
    except ValidationError as error:
        raise UserError(f"{name}: {describe_validation(error)}") from error
