"""What a linear way beside a network has to add, so that means are right and pictures no worse.

``mobile`` has such a way, from its windows of level to the residual: beta of the last
Feature-Align, then the tail; in float at every precision. A change of its weights changes results
linearly, so what is best is found in closed form. Flat colours alone leave much of it open:
windows that no flat colour tells apart would work against each other, and photos lost up to 0.3 dB
by it. Hence photos are asked as well, each by what a change does to its mean squared error.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

_SMALLEST: Final = 0.001
"""Of the noise's energy, the least that a photo's mean squared error counts as: one of nothing but
white, where noise is cut off, has none."""

Array = npt.NDArray[np.float64]


class Pull(NamedTuple):
    """Where photos draw the weights, by position in the cell; a mean over photos.

    ``curvature`` [16, c, c] and ``gradient`` [16, c]: half the second, and half the first
    derivative of the relative mean squared error.
    """

    curvature: Array
    gradient: Array


def energy(error: npt.NDArray[np.floating[Any]], noise: float) -> float:
    """A photo's mean squared error, to weigh it by.

    Args:
        error: of the result.
        noise: mean variance of the capture's noise, over 0.
    """
    return max(float(np.mean(np.square(error, dtype=np.float64))), _SMALLEST * noise)


def responses(slope: Array, seen: Array) -> Array:
    """By how much a unit of each weight moves the mean of the result, [16, c].

    Args:
        slope: of the result over the residual, [16, pixels].
        seen: by the way, [c, pixels]; ones for a bias.
    """
    return np.asarray(slope @ seen.T / seen.shape[1])


def pull(captures: Iterable[tuple[Array, Array, Array, float]]) -> Pull:
    """Of captures of photos: (error [16, p], slope [16, p], seen [c, p], :func:`energy`).

    The error is what is to be lessened; the energy is of the result's own.
    """
    curvatures, gradients = [], []
    for error, slope, seen, own in captures:
        moved = slope[:, None] * seen
        curvatures.append(moved @ moved.transpose(0, 2, 1) / (seen.shape[1] * own))
        gradients.append(np.einsum("icp,ip->ic", moved, error) / (seen.shape[1] * own))
    return Pull(np.mean(curvatures, axis=0), np.mean(gradients, axis=0))


def best_change(
    rows: Array, wanted: Array, photos: Pull, position: int, *, weight: float, held: float
) -> Array:
    """The change of one position's weights [c] that serves flat colours and photos best.

    Args:
        rows: by how much each weight moves a flat colour's mean, over what is aimed at: [n, c];
            the bias comes last.
        wanted: by how much it should move, over the same: [n].
        photos: over the same columns.
        position: in the cell.
        weight: of photos' relative mean squared error, beside a flat colour's squared error.
        held: a weight that changes by so much (the bias excepted) costs as much as one flat
            colour off by what is aimed at: for what neither flats nor these photos show.
    """
    normal = rows.T @ rows + weight * photos.curvature[position]
    normal[:-1, :-1] += np.eye(len(normal) - 1) / held**2
    target = rows.T @ wanted - weight * photos.gradient[position]
    return np.asarray(np.linalg.solve(normal, target))
