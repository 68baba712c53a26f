"""Quality beside speed: each network's RAW PSNR in equal trainings over its int8 ms per MP."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from fa_mobile.files import replace_file


class Point(NamedTuple):
    """One network."""

    network: str
    ms_per_mp: float
    psnr_db: float
    low_db: float
    high_db: float
    """The least and the most of its seeds."""


def front(points: Sequence[Point]) -> list[Point]:
    """Those that no other beats in both speed and quality, fastest first."""
    return [
        point
        for point in sorted(points, key=lambda p: (p.ms_per_mp, -p.psnr_db))
        if not any(
            (other.ms_per_mp <= point.ms_per_mp and other.psnr_db > point.psnr_db)
            or (other.ms_per_mp < point.ms_per_mp and other.psnr_db >= point.psnr_db)
            for other in points
        )
    ]  # fmt: skip


def draw(path: Path, points: Sequence[Point], title: str) -> None:
    """Write the picture as PNG; needs matplotlib.

    Raises:
        ValueError: without points.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    if not points:
        raise ValueError("no network was both trained and timed")
    figure = Figure(figsize=(8, 5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    best = front(points)
    axes.plot([p.ms_per_mp for p in best], [p.psnr_db for p in best], color="tab:orange",
              alpha=0.6, label="front")  # fmt: skip
    for point in points:
        spread = [[point.psnr_db - point.low_db], [point.high_db - point.psnr_db]]
        color = "tab:orange" if point in best else "tab:blue"
        axes.errorbar(point.ms_per_mp, point.psnr_db, yerr=spread, fmt="o", color=color, capsize=3)
        axes.annotate(
            point.network, (point.ms_per_mp, point.psnr_db), (7, 5), textcoords="offset points"
        )
    axes.margins(x=0.15)
    axes.set(xscale="log", xlabel="int8, ms per MP (median)", title=title,
             ylabel="RAW PSNR, mean over gains 1..64, dB")  # fmt: skip
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter("{x:g}")
    axes.tick_params(axis="x", which="minor", labelsize=7)
    axes.grid(True, which="both", alpha=0.2)
    axes.legend(loc="lower left")
    with replace_file(path) as partial:
        figure.savefig(partial, format="png", dpi=110)
