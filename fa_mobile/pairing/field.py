"""What the flow left after the global translation says: rotation, scale, parts that moved."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import least_squares

from fa_mobile.pairing.flow import Flow, Matrices

MOST_SLOPE: Final = 0.25
"""Plane pixels by which the corners may be off: half a mosaic pixel, where a truth blurs."""
LEAST_SHARE: Final = 0.6
"""Of the features that were looked for: so many must move as the whole."""
LEAST_BLOCKS: Final = 2
"""Regions whose features moved on their own before a pair is rejected: one may be an accident of
aliasing, as a fine grid shows it."""
_SURE: Final = 4.0
"""Standard deviations of a feature (or slope) beyond which it is no noise."""
_MODEL: Final = 0.15
"""Plane pixels: what aliasing adds to a feature's own noise."""
_BLOCK: Final = 32
"""Plane pixels: side of the regions in which features are judged together."""
_FEWEST: Final = 4


class Field(NamedTuple):
    """The residual flow, judged."""

    share: float
    """Of the features looked for, 0..1: followed, and still where the whole is."""
    corner: float
    """Plane pixels by which rotation, scale and shear move the corners."""
    corner_error: float
    """Its standard error."""
    blocks: int
    """Regions of 64 x 64 mosaic pixels most of whose features moved on their own."""

    @property
    def sloped(self) -> bool:
        """Whether more than a translation lies between the frames."""
        return self.corner > MOST_SLOPE and self.corner > _SURE * self.corner_error


def judge(flow: Flow, shape: tuple[int, int]) -> Field:
    """Judge what is left of the flow when the frames are aligned.

    Args:
        flow: between the aligned guides; at least 4 features.
        shape: of the guide.
    """
    eye = np.eye(2)
    covariances = np.linalg.inv(flow.information) * flow.noise + _MODEL**2 * eye
    inverses = np.asarray(np.linalg.inv(covariances), np.float64)
    corner, error = _slope(flow, inverses, shape)
    distance = np.einsum("ni,nij,nj->n", flow.vectors, inverses, flow.vectors)
    off = distance > _SURE**2
    return Field(float((~off).sum() / flow.found), corner, error, _moving_blocks(flow, off))


def _slope(flow: Flow, inverses: Matrices, shape: tuple[int, int]) -> tuple[float, float]:
    """How far an affine field moves the corners, and the standard error of that."""
    half = np.array(shape) / 2
    places = (flow.points - half) / np.linalg.norm(half)
    roots = np.linalg.cholesky(inverses).transpose(0, 2, 1)
    design = np.column_stack([np.ones(len(places)), places])

    def residuals(flat: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        left = flow.vectors - design @ flat.reshape(3, 2)
        return np.asarray(np.einsum("nij,nj->ni", roots, left).ravel())

    # The loss lets features that move on their own be outvoted.
    fit = least_squares(residuals, np.zeros(6), loss="cauchy")
    covariance = np.linalg.pinv(fit.jac.T @ fit.jac)[2:, 2:]
    corner = float(np.linalg.norm(fit.x[2:].reshape(2, 2), 2))
    return corner, float(np.sqrt(np.trace(covariance)))


def _moving_blocks(flow: Flow, off: npt.NDArray[np.bool_]) -> int:
    where = flow.points.astype(int) // _BLOCK
    number = where[:, 0] * 65536 + where[:, 1]
    _, index, count = np.unique(number, return_inverse=True, return_counts=True)
    moved = np.bincount(index, weights=off)
    return int(((count >= _FEWEST) & (moved > count / 2)).sum())
