"""The smooth signal within a flat region: a low-order polynomial that ignores outliers.

Vignetting and uneven light make a flat region slope. A polynomial of second order over a region
that is a small part of the frame leaves nothing of them that noise would not hide.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

BLOCK: Final = 5
"""Side of the blocks that stand for their samples in the fit."""
OUTLYING: Final = 5.0
"""Standard deviations from the surface beyond which a sample does not count for it."""
_ROUNDS: Final = 2
_MAD: Final = 1.4826
_LEAST_SCALE: Final = 1.25
"""DN: of whole DN, the median deviation of narrower noise is too coarse a measure."""


class Surface(NamedTuple):
    """A fitted surface and how well it fits."""

    values: Array
    """[h, w], DN, of the mean of what the sensor reports."""
    spread: float
    """Standard deviation of the samples about it, outliers left out, DN; corrected for the fit."""
    inside: npt.NDArray[np.bool_]
    """[h, w], False where a sample is an outlier."""
    parameters: int
    unevenness: float
    """Variance of block means about the surface over what the spread explains; 1: it is flat."""


def whole_blocks(samples: npt.NDArray[np.uint16]) -> npt.NDArray[np.uint16]:
    """A region without what would be left over of its blocks; no sample may lie outside the fit."""
    rows, cols = (side // BLOCK * BLOCK for side in samples.shape)
    return np.asarray(samples[:rows, :cols])


def fit_surface(samples: npt.NDArray[np.uint16]) -> Surface:
    """Fit the mean of a region of one plane, DN, whole blocks: :func:`whole_blocks`."""
    data = samples.astype(np.float64)
    rows, cols = (side // BLOCK for side in data.shape)
    basis_rows, basis_cols = (_basis(side) for side in data.shape)
    # The centre of a block stands for it: what curvature that neglects is far below the noise.
    design = _design(_block_centres(basis_rows, rows), _block_centres(basis_cols, cols))
    blocks = _blocked(data, rows, cols)
    coefficients = _least_squares(design, np.median(blocks, axis=2).ravel(), np.ones(rows * cols))
    inside = np.ones(data.shape, bool)
    for _ in range(_ROUNDS):
        values = _evaluate(coefficients, basis_rows, basis_cols)
        off = data - values
        scale = max(_MAD * float(np.median(np.abs(off))), _LEAST_SCALE)
        inside = np.abs(off) < OUTLYING * scale
        kept = _blocked(inside.astype(np.float64), rows, cols)
        weights = kept.sum(axis=2)
        means = (blocks * kept).sum(axis=2) / np.maximum(weights, 1)
        coefficients = _least_squares(design, means.ravel(), weights.ravel())
    values = _evaluate(coefficients, basis_rows, basis_cols)
    off = (data - values)[inside]
    parameters = design.shape[1]
    variance = float(off @ off) / max(len(off) - parameters, 1)
    rest = means - _blocked(values, rows, cols).mean(axis=2)
    freedom = max(int((weights > 0).sum()) - parameters, 1)
    uneven = float((weights * rest**2).sum()) / freedom
    return Surface(values, variance**0.5, inside, parameters, uneven / max(variance, 1e-9))


def _basis(side: int) -> Array:
    at = np.linspace(-1, 1, side)
    return np.stack([np.ones(side), at, at * at])


def _block_centres(basis: Array, count: int) -> Array:
    return np.asarray(basis.reshape(3, count, BLOCK).mean(axis=2))


_POWERS: Final = ((0, 0), (1, 0), (0, 1), (2, 0), (1, 1), (0, 2))


def _order(blocks: int) -> int:
    """Terms that so many blocks can carry."""
    return 6 if blocks >= 24 else 3 if blocks >= 9 else 1


def _design(rows: Array, cols: Array) -> Array:
    terms = _POWERS[: _order(rows.shape[1] * cols.shape[1])]
    return np.stack([np.outer(rows[p], cols[q]).ravel() for p, q in terms], axis=1)


def _evaluate(coefficients: Array, rows: Array, cols: Array) -> Array:
    total = np.zeros((rows.shape[1], cols.shape[1]))
    for value, (p, q) in zip(coefficients, _POWERS, strict=False):
        total += np.outer(value * rows[p], cols[q])
    return total


def _least_squares(design: Array, values: Array, weights: Array) -> Array:
    root = np.sqrt(weights)
    solution, *_ = np.linalg.lstsq(design * root[:, None], values * root, rcond=None)
    return np.asarray(solution, np.float64)


def _blocked(data: Array, rows: int, cols: int) -> Array:
    """[h, w] to [rows, cols, samples of a block]."""
    cut = data.reshape(rows, BLOCK, cols, BLOCK)
    return np.asarray(cut.transpose(0, 2, 1, 3).reshape(rows, cols, BLOCK * BLOCK))
