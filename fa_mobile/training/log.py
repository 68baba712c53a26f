"""The log of a run: one CSV row per validation."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import Final, NamedTuple

from fa_mobile.files import explained, replace_file

LOG_FILE: Final = "log.csv"


class Row(NamedTuple):
    """The loss of one step, its two parts (None: Charbonnier alone), and the validation."""

    step: int
    loss: float
    learning_rate: float
    validation_psnr_db: float
    charbonnier: float | None = None
    term: float | None = None

    def cells(self) -> dict[str, str]:
        """Column names and texts; a loss of one part has no columns for parts."""
        cells = {
            "step": str(self.step),
            "loss": f"{self.loss:.5f}",
            "learning_rate": f"{self.learning_rate:.3e}",
            "validation_psnr_db": f"{self.validation_psnr_db:.4f}",
        }
        if self.charbonnier is not None and self.term is not None:
            cells |= {"charbonnier": f"{self.charbonnier:.5f}", "term": f"{self.term:.5f}"}
        return cells


def append(folder: Path, row: Row) -> None:
    """Add a row to the log in ``folder``.

    Raises:
        UserError: when it cannot be written.
    """
    path = folder / LOG_FILE
    cells = row.cells()
    with explained(path), path.open("a", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        if stream.tell() == 0:
            writer.writerow(cells.keys())
        writer.writerow(cells.values())


def forget_after(folder: Path, step: int) -> None:
    """Drop the rows after ``step``, and one cut off: a run that resumes there writes them again.

    Raises:
        UserError: when the log cannot be read or written.
    """
    path = folder / LOG_FILE
    if not path.is_file():
        return
    with explained(path), path.open(newline="", encoding="utf-8", errors="replace") as stream:
        lines = stream.read().splitlines(keepends=True)
    kept = [
        line
        for index, line in enumerate(lines)
        if line.endswith("\n") and (index == 0 or _step_of(line) <= step)
    ]
    if len(kept) < len(lines):
        with replace_file(path) as partial:
            partial.write_text("".join(kept), encoding="utf-8", newline="")


def _step_of(line: str) -> float:
    """Infinite where the line does not begin with a step."""
    first = line.split(",")[0]
    return int(first) if first.isdecimal() else math.inf
