"""Sparse optical flow: Shi-Tomasi features followed by pyramidal Lucas-Kanade, in OpenCV."""

from __future__ import annotations

import math
from typing import Any, Final, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Vectors = npt.NDArray[np.float64]
"""[N, 2]: rows, columns, in plane pixels."""
Matrices = npt.NDArray[np.float64]
"""[N, 2, 2], over (rows, columns)."""

MOST_FEATURES: Final = 2000
_QUALITY: Final = 0.001
"""Of the strongest feature. Weak ones weigh little in the average, but there are many."""
_SPACING: Final = 6
WINDOW: Final = 31
"""Side of the window that is followed; at gain 64 smaller ones are lost in noise."""
_LEVELS: Final = 3
"""Halvings of the pyramid: the search reaches several windows far."""
_STOP: Final = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 50, 0.001)
MOST_UNSURE: Final = 0.3
"""Plane pixels of standard deviation: a feature that noise blurs more is none."""
_STEP: Final = 1.0
"""Variance for the rounding to 8 bits, which is no white noise where a picture is smooth."""
ROUND_TRIP: Final = 1.0
"""Plane pixels by which a feature, followed there and back, may miss its start."""


class Flow(NamedTuple):
    """Features of one image and where they are in another."""

    points: Vectors
    """Where the features are in the first image."""
    vectors: Vectors
    """How far they moved."""
    information: Matrices
    """How sharply each window says so; its inverse times ``noise`` is the covariance."""
    noise: float
    """Variance of the second image's samples."""
    found: int
    """Features looked for; those not in ``points`` were lost, or came back elsewhere."""


def follow(clean: Bytes, noisy: Bytes, *, margin: float, noise: float) -> Flow:
    """Follow the features of ``clean`` into ``noisy``, and back.

    Lucas-Kanade takes the gradients of the first image. With the clean one there, noise does not
    pull the displacement towards 0, as noisy gradients do.

    Args:
        clean, noisy: [h, w], the same size.
        margin: pixels at each side that hold no picture, because a frame was moved; a feature's
            window stays clear of them.
        noise: variance of the samples of ``noisy``. Features that it would displace by more than
            ``MOST_UNSURE`` are not looked for.
    """
    corners = _corners(clean, margin)
    sharpness = _information(clean, corners)
    sure = _deviation(sharpness, noise) <= MOST_UNSURE
    corners, sharpness = corners[sure], sharpness[sure]
    if not len(corners):
        return Flow(np.empty((0, 2)), np.empty((0, 2)), sharpness, noise, 0)
    there, seen = _lucas_kanade(clean, noisy, corners)
    back, seen_back = _lucas_kanade(noisy, clean, there)
    missed = np.linalg.norm((back - corners)[:, 0], axis=1)
    good = seen & seen_back & (missed <= ROUND_TRIP)
    start, end = (at[good, 0, ::-1].astype(np.float64) for at in (corners, there))
    return Flow(start, end - start, sharpness[good], noise, len(corners))


def _corners(clean: Bytes, margin: float) -> npt.NDArray[np.float32]:
    """Features whose windows lie within the picture, [N, 1, 2] as OpenCV wants them: x, y."""
    inner = np.zeros_like(clean)
    edge = math.ceil(margin) + WINDOW // 2 + 1
    inner[edge : max(clean.shape[0] - edge, 0), edge : max(clean.shape[1] - edge, 0)] = 1
    corners = cv2.goodFeaturesToTrack(
        clean, MOST_FEATURES, _QUALITY, _SPACING, mask=inner, blockSize=7
    )
    return np.empty((0, 1, 2), np.float32) if corners is None else np.asarray(corners, np.float32)


def _lucas_kanade(
    first: Bytes, second: Bytes, points: npt.NDArray[Any]
) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]:
    follow_points: Any = cv2.calcOpticalFlowPyrLK  # its stub asks for a guess of where they go
    there, seen, _ = follow_points(
        first, second, points, None, winSize=(WINDOW, WINDOW), maxLevel=_LEVELS, criteria=_STOP
    )
    return there, seen[:, 0] == 1


def _information(image: Bytes, corners: npt.NDArray[np.float32]) -> Matrices:
    """The sum of the outer products of each window's gradients."""
    along_rows, along_cols = (
        cv2.Scharr(image, cv2.CV_64F, dx, 1 - dx, scale=1 / 32) for dx in (0, 1)
    )
    cols, rows = np.round(corners[:, 0]).astype(int).T
    pairs = ((along_rows, along_rows), (along_rows, along_cols), (along_cols, along_cols))
    sums = [
        cv2.boxFilter(one * other, -1, (WINDOW, WINDOW), normalize=False)[rows, cols]
        for one, other in pairs
    ]
    return np.stack([sums[0], sums[1], sums[1], sums[2]], axis=-1).reshape(-1, 2, 2)


def _deviation(information: Matrices, noise: float) -> npt.NDArray[np.float64]:
    """Standard deviation of each displacement in its least sure direction."""
    weakest = np.linalg.eigvalsh(information)[:, 0]
    return np.asarray(np.sqrt((noise + _STEP) / np.maximum(weakest, 1e-9)))
