"""A command run in this process: fixtures of several test files build on it."""

from __future__ import annotations

import sys
import warnings
from typing import Any

import pytest

from fa_mobile.cli import main

Result = tuple[int, str, str]
"""(exit code, standard output, standard error)."""


def run_here(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: object
) -> Result:
    """``fa-mobile`` with ``arguments``; quicker than a process of its own."""
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)  # main() sets its own
    monkeypatch.setattr(sys, "argv", ["fa-mobile", *map(str, arguments)])
    code: Any = 0
    try:
        main()
    except SystemExit as end:
        code = end.code
    out, err = capsys.readouterr()
    return int(code or 0), out, err
