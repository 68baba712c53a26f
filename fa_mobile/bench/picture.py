"""The roofline picture: bundles under the machine's roofs, on logarithmic axes."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Final

from fa_mobile.bench.device import device_name
from fa_mobile.bench.schema import Entry, Report
from fa_mobile.errors import UserError
from fa_mobile.files import replace_file

_COLORS: Final = {"int8": "tab:orange", "fp32": "tab:blue"}
_OTHER: Final = "tab:green"
_MARKS: Final = "osD^vP*X"
FORMATS: Final = (".png", ".svg")


def draw(path: Path, report: Report, entries: list[Entry] | None = None) -> None:
    """Write the roofline picture, PNG or SVG by the path's ending.

    Args:
        entries: those to show, all with a roof by default.

    Raises:
        UserError: for another ending, without matplotlib, or when nothing has a roof.
    """
    if path.suffix not in FORMATS:
        raise UserError(
            f"picture {path} was asked for; allowed endings are {' and '.join(FORMATS)}"
        )
    shown = [e for e in (report.entries if entries is None else entries) if e.roof is not None]
    if not shown or report.bandwidth is None:
        raise UserError(
            "there is nothing to draw: no bundle was timed beside ceilings and bandwidth; "
            "leave out --no-ceiling"
        )
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise UserError(
            f"the picture needs matplotlib ({error}); run: pip install 'fa-mobile[bench]'"
        ) from error
    figure = Figure(figsize=(9, 7), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    _draw_roofs(axes, report, shown)
    for mark, entry in enumerate(shown):
        _draw_entry(axes, entry, _MARKS[mark % len(_MARKS)])
    axes.set(xscale="log", yscale="log", xlabel="executed MACs per byte (bytes derived)",
             ylabel="GMAC/s", title=_title(report))  # fmt: skip
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter("{x:g}")
        axis.set_minor_formatter("{x:g}")
    axes.tick_params(which="minor", labelsize=7)
    axes.grid(True, which="both", alpha=0.2)
    figure.legend(fontsize=8, loc="outside lower center", ncols=2)
    with replace_file(path) as partial:
        # Without the date, equal reports give equal files.
        metadata = {"Date": None} if path.suffix == ".svg" else None
        figure.savefig(partial, format=path.suffix[1:], dpi=120, metadata=metadata)


def _draw_roofs(axes: Any, report: Report, entries: list[Entry]) -> None:
    assert report.bandwidth is not None
    rate = report.bandwidth.gbytes_per_s
    targets = {entry.target for entry in entries}
    kinds = sorted({(c.target, c.precision) for c in report.ceilings if c.target in targets})
    best = {kind: c for kind in kinds if (c := report.best_ceiling(*kind)) is not None}
    intensities = [e.roof.macs_per_byte for e in entries if e.roof is not None]
    knees = [ceiling.gmacs_per_s / rate for ceiling in best.values()]
    low, high = min(intensities + knees) / 3, max(intensities + knees) * 3
    top = max(ceiling.gmacs_per_s for ceiling in best.values())
    label = f"copy bandwidth {rate:.1f} GB/s"
    axes.plot([low, top / rate], [low * rate, top], color="gray", label=label)
    for (target, precision), ceiling in best.items():
        axes.plot(
            [ceiling.gmacs_per_s / rate, high],
            [ceiling.gmacs_per_s] * 2,
            color=_COLORS.get(precision, _OTHER),
            linestyle="-" if target == "executorch" else "--",
            label=f"best {precision} convolution, {target}: {ceiling.gmacs_per_s:.0f}",
        )


def _draw_entry(axes: Any, entry: Entry, mark: str) -> None:
    assert entry.roof is not None
    found = entry.roof
    color = _COLORS.get(entry.precision, _OTHER)
    label = f"{entry.title}: {found.executed_gmacs_per_s:.1f} ({found.share:.0%} of allowed)"
    axes.plot(found.macs_per_byte, found.executed_gmacs_per_s, mark, color=color, label=label)
    if not math.isclose(found.executed_gmacs_per_s, found.nominal_gmacs_per_s, rel_tol=1e-3):
        axes.plot(
            found.macs_per_byte, found.nominal_gmacs_per_s, mark, color=color, fillstyle="none"
        )


def _title(report: Report) -> str:
    name = device_name(report.device)
    threads = report.settings.threads or "as the runtime chooses"
    return f"{name}, threads: {threads}; hollow marks: nominal MACs"
