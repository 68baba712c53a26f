"""The one exception that the command line turns into a sentence and exit code 2."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError


class UserError(Exception):
    """Something given from outside cannot be used.

    The message says what was given, what is allowed and what to do, in one line.
    """


def describe_validation(error: ValidationError) -> str:
    """Every problem that pydantic found, in one line."""
    problems = []
    for item in error.errors(include_url=False, include_context=False):
        where = ".".join(str(part) for part in item["loc"]) or "(whole)"
        given = "" if item["type"] == "missing" else f", given {_short(item['input'])}"
        problems.append(f"{where}: {item['msg'].removeprefix('Value error, ')}{given}")
    return "; ".join(problems)


def _short(value: object, limit: int = 60) -> str:
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"
