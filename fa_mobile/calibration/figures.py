"""The report's pictures, PNG: patches on a frame, variance over intensity, the regressions.

The second and third are those of the paper's Figures 8 and 9 (arXiv 2103.01524, supplement).
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from fa_mobile.calibration.reading import Preview
from fa_mobile.calibration.result import Calibration
from fa_mobile.calibration.run import GainResult

_COLORS: Final = ("tab:red", "tab:green", "yellowgreen", "tab:blue")
_CHANNELS: Final = ("R", "Gr", "Gb", "B")
_CLIPPED: Final = 0.01
MOST_SCATTERS: Final = 12
_POINTS: Final = 800
"""Dots of one scatter at most: more hide the line."""


def draw_patches(preview: Preview) -> bytes:
    """The patches that were taken, on a frame."""
    height, width = preview.picture.shape
    figure = Figure(figsize=(8, 8 * height / width + 0.4), layout="constrained")
    axes = _canvas(figure).add_subplot()
    axes.imshow(np.sqrt(preview.picture), cmap="gray", vmin=0, vmax=1)
    for left, top, wide, high in preview.regions:
        box = Rectangle((left - 0.5, top - 0.5), wide, high, fill=False, edgecolor="orange")
        axes.add_patch(box)
    axes.set(title=f"{len(preview.regions)} patches, {preview.path.name}")
    axes.set_axis_off()
    return _png(figure)


def shown_gains(gains: Sequence[GainResult]) -> list[GainResult]:
    """Those whose scatter is drawn: all, or as many as fit, evenly chosen."""
    if len(gains) <= MOST_SCATTERS:
        return list(gains)
    at = np.linspace(0, len(gains) - 1, MOST_SCATTERS).round().astype(int)
    return [gains[index] for index in at]


def draw_scatters(gains: Sequence[GainResult]) -> bytes:
    """Variance over intensity at each gain, and the line that was fitted (Figure 8)."""
    shown = shown_gains(gains)
    columns = min(3, len(shown))
    rows = math.ceil(len(shown) / columns)
    figure = Figure(figsize=(4 * columns, 3.1 * rows + 0.5), layout="constrained")
    grid = _canvas(figure).subplots(rows, columns, squeeze=False)
    for axes in grid.flat[len(shown) :]:
        axes.set_axis_off()
    for axes, gain in zip(grid.flat, shown, strict=False):
        _scatter(axes, gain)
    handles = [
        figure.axes[0].plot([], [], "o", color=color, label=name, markersize=4)[0]
        for color, name in zip(_COLORS, _CHANNELS, strict=True)
    ]
    handles += figure.axes[0].plot(
        [], [], "o", color="gray", fillstyle="none", markersize=4,
        label="clipped in part: too low as it is, the fit allows for it",
    )  # fmt: skip
    handles += figure.axes[0].plot([], [], color="black", label="a x + b")
    figure.legend(handles=handles, loc="outside lower center", ncols=6, fontsize=8)
    return _png(figure)


def _scatter(axes: Any, gain: GainResult) -> None:
    every = gain.points[:: max(1, len(gain.points) // _POINTS)]
    for channel, color in enumerate(_COLORS):
        for clipped in (False, True):
            dots = [p for p in every if p.channel == channel and (p.clipped >= _CLIPPED) == clipped]
            axes.plot(
                [p.mean for p in dots], [p.variance for p in dots], "o", color=color, markersize=4,
                fillstyle="none" if clipped else "full", linestyle="none",
            )  # fmt: skip
    a, b = gain.estimate.noise
    end = max(p.mean for p in gain.points)
    axes.plot([0, end], [b, a * end + b], color="black", linewidth=1)
    axes.set(title=f"gain {gain.gain:g}: a = {a:.3e}, b = {b:.2e}", xlabel="intensity",
             ylabel="variance")  # fmt: skip
    axes.title.set_fontsize(9)
    axes.ticklabel_format(axis="y", style="sci", scilimits=(0, 0))
    axes.grid(alpha=0.2)


def draw_regressions(calibration: Calibration) -> bytes:
    """a and b over gain, ln b over ln a, and what remains of each (Figure 9)."""
    points, fit = calibration.points, calibration.regressions
    gain = np.array([p.gain for p in points])
    dense = np.linspace(gain.min(), gain.max(), 200)
    figure = Figure(figsize=(12, 5.4), layout="constrained")
    (first, second, third), rest = _canvas(figure).subplots(
        2, 3, gridspec_kw={"height_ratios": [3, 1]}
    )
    _with_intervals(first, gain, [p.a for p in points])
    first.plot(dense, np.polyval(fit.a_linear, dense), color="tab:orange")
    first.set(xlabel="gain", ylabel="a", title="a = {:.3e} g + {:.2e}".format(*fit.a_linear))
    _with_intervals(second, gain, [p.b for p in points])
    second.plot(dense, np.polyval(fit.b_quadratic, dense), color="tab:orange")
    title = "b = {:.2e} g² + {:.2e} g + {:.2e}".format(*fit.b_quadratic)
    second.set(xlabel="gain", ylabel="b", title=title)
    positive = [(math.log(p.a.value), math.log(p.b.value)) for p in points if p.b.value > 0]
    log_a, log_b = np.array(positive).T
    third.plot(log_a, log_b, "o", color="black", markersize=4)
    third.plot(log_a, np.polyval(fit.log_line, log_a), color="tab:orange")
    title = "ln b = {:.3f} ln a + {:.2f}".format(*fit.log_line)
    third.set(xlabel="ln a", ylabel="ln b", title=title)
    kept = [r for r in fit.log_residuals if r is not None]
    for axes, at, left, label in (
        (rest[0], np.log2(gain), 100 * np.array(fit.a_residuals), "%"),
        (rest[1], np.log2(gain), np.array(fit.b_residuals), "std. errors"),
        (rest[2], log_a, np.array(kept), "ln b"),
    ):
        axes.axhline(0, color="gray", linewidth=0.8)
        axes.plot(at, left, "o", color="black", markersize=4)
        axes.set(xlabel="ln a" if axes is rest[2] else "log2 gain", ylabel=label)
    for axes in (first, second, third, *rest):
        axes.grid(alpha=0.2)
        axes.title.set_fontsize(10)
    return _png(figure)


def _with_intervals(axes: Any, gain: Any, values: Sequence[Any]) -> None:
    middle = np.array([v.value for v in values])
    reach = np.array([[v.value - v.low for v in values], [v.high - v.value for v in values]])
    axes.errorbar(
        gain, middle, yerr=np.maximum(reach, 0), fmt="o", color="black", markersize=4, capsize=3
    )
    axes.ticklabel_format(axis="y", style="sci", scilimits=(0, 0))


def _canvas(figure: Figure) -> Figure:
    FigureCanvasAgg(figure)
    return figure


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    # Without the library's version in it, equal results give equal files.
    figure.savefig(buffer, format="png", dpi=110, metadata={"Software": None})
    return buffer.getvalue()
