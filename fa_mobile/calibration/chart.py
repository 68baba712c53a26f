"""The flat patches of a chart: found as uniform rectangles of one size in a grid, or by corners.

A colour checker or any other grid of flat patches will do: colours are not looked at. The frame
is reduced until noise is small beside the contrast of patches; areas without edges are taken at
several thresholds; rectangles of equal size vote for a grid, and the grid fills in the patches
that a threshold lost (the black one has hardly an edge).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from fa_mobile.bayer import PlaneWindow
from fa_mobile.calibration.lattice import fit_lattice
from fa_mobile.calibration.regions import LEAST_SIDE, Planes
from fa_mobile.errors import UserError

Points = npt.NDArray[np.float64]

LEAST_PATCHES: Final = 6
_WORKING_SIDE: Final = 400
"""Longer side of the reduced frame, in pixels."""
_THRESHOLDS: Final = 16
"""Edge strengths to try, from below the median of the frame to nearly its largest."""
_SIZES: Final = (2e-4, 4e-2)
"""Area of a patch, as a share of the frame."""
_RECTANGULAR: Final = 0.75
_ASPECT: Final = 1.8
_ALIKE: Final = 1.5
"""Ratio of two areas up to which they may be patches of one chart."""
_SHRINK: Final = 0.95
"""Of the side of a patch, what is kept."""
_EATEN: Final = 4.0
"""Pixels of the reduced frame by which smoothing makes a patch's flat part smaller, at least."""
_NOISE_FLOOR: Final = 0.02
"""Added to the signal before its root is taken, which evens out the noise."""


class _Blob(NamedTuple):
    centre: tuple[float, float]
    area: float
    side: float


def find_chart(planes: Planes, black: Sequence[float], white: float) -> list[PlaneWindow]:
    """The chart's patches, row by row, as regions of the planes.

    Args:
        planes: [4, h, w] DN.
        black: R, Gr, Gb, B, DN.
        white: DN.

    Raises:
        UserError: when there are fewer than 6 patches in a grid.
    """
    image, scale = _reduced(planes, black, white)
    edges = _edge_strength(image)
    weak, strong = (max(float(v), 1e-6) for v in np.percentile(edges, (25, 98)))
    best: list[PlaneWindow] = []
    height, width = planes.shape[1:]
    for threshold in np.geomspace(weak, strong, _THRESHOLDS):
        blobs = _alike(_blobs(edges < threshold))
        if len(blobs) < LEAST_PATCHES:
            continue
        centres = np.array([blob.centre for blob in blobs])
        side = (float(np.median([blob.side for blob in blobs])) + _EATEN) * _SHRINK
        found = fit_lattice(centres, LEAST_PATCHES)
        if found is None:
            continue
        patches, turn = found
        regions = _squares(patches / scale, side / scale, turn, height, width)
        if len(regions) > len(best):
            best = regions
    if len(best) < LEAST_PATCHES:
        raise UserError(
            f"{len(best)} patches of a chart were found; needed are at least {LEAST_PATCHES} flat "
            "rectangles in a grid; let the chart fill more of the frame, or give --corners, or "
            "--scene flat or --scene burst"
        )
    return best


def chart_by_corners(
    corners: Sequence[tuple[float, float]], grid: tuple[int, int], height: int, width: int
) -> list[PlaneWindow]:
    """The patches of a chart whose corners are known.

    Args:
        corners: x, y in mosaic pixels of the outer corners of the corner patches: top left, top
            right, bottom right, bottom left of the chart.
        grid: columns, rows of patches.
        height, width: of a plane (half the mosaic's).

    Raises:
        UserError: when corners lie outside the frame or patches are too small.
    """
    columns, rows = grid
    at = np.array(corners, np.float64) / 2
    inside = (at >= -0.5).all() and (at <= [width + 0.5, height + 0.5]).all()
    if not inside or not cv2.isContourConvex(at.astype(np.float32)):
        raise UserError(
            f"corners {list(corners)} were given; allowed are four points x,y inside the frame of "
            f"{2 * width} x {2 * height}, around the chart in turn"
        )
    unit = np.array([[0, 0], [columns, 0], [columns, rows], [0, rows]], np.float32)
    warp = cv2.getPerspectiveTransform(unit, at.astype(np.float32))
    cells = [(col + 0.5, row + 0.5) for row in range(rows) for col in range(columns)]
    centres = cv2.perspectiveTransform(np.array([cells], np.float64), warp)[0]
    top, left = at[1] - at[0], at[3] - at[0]
    side = float(min(np.hypot(*top) / columns, np.hypot(*left) / rows)) * 0.7
    turn = float(np.arctan2(top[1], top[0]))
    regions = _squares(centres, side, turn, height, width)
    if len(regions) < columns * rows:
        raise UserError(
            f"{len(regions)} of {columns * rows} patches within the corners {list(corners)} are at "
            f"least {2 * LEAST_SIDE} pixels wide; take the chart larger, or correct --corners "
            "and --grid"
        )
    return regions


def _reduced(
    planes: Planes, black: Sequence[float], white: float
) -> tuple[npt.NDArray[np.float32], float]:
    """Root of the signal, [h, w, 3], reduced to the working size; and working over plane size."""
    height, width = planes.shape[1:]
    scale = min(1.0, _WORKING_SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    signal = [
        np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.float32)
        for plane in planes
    ]
    red, first, second, blue = (
        (plane - np.float32(level)) / np.float32(white - level)
        for plane, level in zip(signal, black, strict=True)
    )
    image = np.stack([red, (first + second) / 2, blue], axis=-1)
    return np.sqrt(np.maximum(image, 0) + np.float32(_NOISE_FLOOR)), scale


def _edge_strength(image: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Gradient of the smoothed image, the largest of the colours: [h, w]."""
    # The median removes hot pixels; the smoothing leaves borders of patches apart.
    smooth = cv2.GaussianBlur(cv2.medianBlur(image, 5), (0, 0), 1.2)
    across = cv2.Sobel(smooth, cv2.CV_32F, 1, 0)
    down = cv2.Sobel(smooth, cv2.CV_32F, 0, 1)
    return np.asarray(np.hypot(across, down).max(axis=-1), np.float32)


def _blobs(flat: npt.NDArray[np.bool_]) -> list[_Blob]:
    """Rectangular areas of a mask."""
    opened = cv2.morphologyEx(flat.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    # Patches lie in holes of the wall's area, so outer borders of every depth are looked at.
    contours, hierarchy = cv2.findContours(opened, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    found = []
    for contour, links in zip(contours, hierarchy[0] if len(contours) else (), strict=True):
        if links[3] != -1:  # the border of a hole
            continue
        area = float(cv2.contourArea(contour))
        if not _SIZES[0] * flat.size <= area <= _SIZES[1] * flat.size:
            continue
        centre, (first, second), _ = cv2.minAreaRect(contour)
        small, large = sorted((first, second))
        if small > 0 and large / small < _ASPECT and area > _RECTANGULAR * small * large:
            found.append(_Blob((float(centre[0]), float(centre[1])), area, float(small)))
    return found


def _alike(blobs: list[_Blob]) -> list[_Blob]:
    """The largest set of blobs of about one size."""
    sets = (
        [other for other in blobs if blob.area / _ALIKE < other.area < blob.area * _ALIKE]
        for blob in blobs
    )
    return max(sets, key=len, default=[])


def _squares(
    centres: Points, side: float, turn: float, height: int, width: int
) -> list[PlaneWindow]:
    """Upright squares inside turned ones, those that lie in the plane and are large enough."""
    quarter = abs((turn + np.pi / 4) % (np.pi / 2) - np.pi / 4)
    upright = int(side / (np.cos(quarter) + np.sin(quarter)))
    if upright < LEAST_SIDE:
        return []
    regions = [
        PlaneWindow(round(y - upright / 2), round(x - upright / 2), upright, upright)
        for x, y in centres
    ]
    return [
        r
        for r in regions
        if min(r.top, r.left) >= 0 and r.top + upright <= height and r.left + upright <= width
    ]
