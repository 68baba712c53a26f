"""The report of a calibration: one HTML file with its pictures inside."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from fa_mobile.calibration import figures
from fa_mobile.calibration.result import Calibration
from fa_mobile.files import replace_file

_TEMPLATE: Final = "report.html"


def write_report(calibration: Calibration, path: Path) -> None:
    """Write the report; equal calibrations give equal files.

    Raises:
        UserError: when the place cannot be written.
    """
    with replace_file(path) as partial:
        partial.write_text(render_report(calibration), encoding="utf-8")


def render_report(calibration: Calibration) -> str:
    """The report as HTML."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters["embedded"] = _embedded
    measured = calibration.measured
    pictures = {"regressions": figures.draw_regressions(calibration)}
    if measured is not None:
        pictures["scatters"] = figures.draw_scatters(measured.gains)
        if measured.preview is not None:
            pictures["patches"] = figures.draw_patches(measured.preview)
    return environment.get_template(_TEMPLATE).render(
        calibration=calibration,
        profile=calibration.profile,
        measured=measured,
        pictures=pictures,
        span=max(calibration.profile.span),
        hidden=0 if measured is None
        else len(measured.gains) - len(figures.shown_gains(measured.gains)),
    )  # fmt: skip


def _embedded(png: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")
