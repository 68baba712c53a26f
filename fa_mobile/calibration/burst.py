"""Two frames of one static scene to counted differences: no flat region is needed.

The frame is cut into blocks, fixed before any noise is looked at. The variance of the difference
of two frames is twice the noise's, whatever the scene shows; because the variance is linear in the
signal, its mean over a block is that of the block's mean signal. Blocks are chosen by their mean
frame alone, which is independent of the difference, so that the choice biases nothing.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from fa_mobile.calibration.estimate import moment_estimate
from fa_mobile.calibration.likelihood import Array, DifferenceCounts
from fa_mobile.calibration.limits import Limits
from fa_mobile.calibration.regions import Planes
from fa_mobile.calibration.samples import Point
from fa_mobile.errors import UserError
from fa_mobile.raw_io import RawFrame

BLOCK: Final = 16
"""Side of a block, in samples of a plane."""
_CLASSES: Final = 20
"""Classes of intensity from which blocks are taken alike."""
_PER_CLASS: Final = 10
_FREE: Final = 4.0
"""Standard deviations that a block's mean keeps from the ends of the range."""
_FAR: Final = 6.0
"""Standard deviations beyond which a sample is a defect."""
_SMOOTH: Final = 0.25
"""Contrast of the scene within a block, over its signal: more would mix many variances."""
_SOUND: Final = 0.01
"""Share of clipped samples up to which a block tells what noise to expect."""
_MOVED: Final = 4.5
"""Standard errors of a block's mean difference beyond which something moved there."""
_MOST_MOVED: Final = 0.5
"""Share of the blocks that may move; where more do, the frames are not of one scene."""
_MAD: Final = 1.4826
_BIN: Final = 8


class Differences(NamedTuple):
    """What two frames give: counted differences, a point for each block, and what was left out."""

    counted: DifferenceCounts
    points: list[Point]
    moved: int
    """Blocks in which the scene moved."""


class _Block(NamedTuple):
    point: Point
    first: Array
    last: Array
    counts: Array
    strays: Array
    shift: float
    span: float


def differences(first: Planes, second: Planes, frame: RawFrame, limits: Limits) -> Differences:
    """Count the differences of two frames of one scene at one gain.

    Args:
        first, second: [4, h, w] DN, at least 16 x 16.
        frame: either; its levels hold for both.
        limits: where the frames are clipped.

    Raises:
        UserError: when the frames are too small or not of one scene.
    """
    if min(first.shape[1:]) < BLOCK:
        raise UserError(
            f"frames of {2 * first.shape[2]} x {2 * first.shape[1]} were given; allowed are at "
            f"least {2 * BLOCK} samples a side; give whole frames"
        )
    blocks: list[_Block] = []
    moved = every = 0
    for channel, black in enumerate(frame.black_level):
        one, two = (_cut(planes[channel]) for planes in (first, second))
        if not ((one > limits.low) & (one < limits.high)).mean(axis=1).max() > 1 - _SOUND:
            continue
        away = one - two
        middle = np.median(away, axis=1)[:, None]
        spread = _expected_spread(one, away - middle, black, limits)
        near = np.abs(away - middle) < _FAR * spread[:, None]
        shift = (away * near).sum(axis=1) / near.sum(axis=1)
        still = _without_defects((first[channel].astype(np.float32) + second[channel]) / 2, spread)
        signal = still.mean(axis=1) - black
        # Of the scene alone: the mean of two frames has a quarter of their difference's variance.
        texture = np.sqrt(np.maximum(still.var(axis=1) - spread**2 / 4, 0))
        steady = _steady(shift, signal, spread)
        moved += int((~steady).sum())
        every += len(steady)
        span = frame.white_level - black
        sigma = spread / np.sqrt(2)
        free = signal + black - _FREE * sigma > limits.low
        free &= signal + black + _FREE * sigma < limits.high
        smooth = texture < _SMOOTH * signal + sigma
        for index in _chosen(np.flatnonzero(steady & free & smooth), signal, texture):
            blocks.append(
                _block(away[index], channel, signal[index], shift[index], spread[index], span)
            )
    if moved > _MOST_MOVED * every:
        raise UserError(
            f"{moved} of {every} blocks differ in brightness between two frames of one gain; "
            "allowed is a static scene under steady light; put the camera on a stand, or give "
            "--scene chart"
        )
    if not blocks:
        raise UserError(
            "every part of the frames is at an end of the sensor's range; expose for the middle"
        )
    return Differences(_counted(blocks), [block.point for block in blocks], moved)


def _cut(plane: npt.NDArray[np.generic]) -> Array:
    """[blocks, samples of a block]."""
    rows, cols = (side // BLOCK for side in plane.shape)
    cut = plane[: rows * BLOCK, : cols * BLOCK].reshape(rows, BLOCK, cols, BLOCK)
    return cut.transpose(0, 2, 1, 3).reshape(rows * cols, -1).astype(np.float64)


def _expected_spread(one: Array, away: Array, black: float, limits: Limits) -> Array:
    """[blocks]: the differences' standard deviation by a first line over all blocks.

    A block's own would let its noise decide whether it takes part, which biases the noise.
    """
    signal = np.median(one, axis=1) - black
    clipped = ((one <= limits.low) | (one >= limits.high)).mean(axis=1)
    own = (_MAD * np.median(np.abs(away), axis=1)) ** 2
    sound = clipped < _SOUND
    line = moment_estimate(signal[sound], own[sound], np.ones(sound.sum()))
    return np.sqrt(np.maximum(line.a * np.maximum(signal, 0) + line.b, 1))


def _without_defects(mean: npt.NDArray[np.float32], spread: Array) -> Array:
    """[blocks, samples] of a mean frame [h, w]; what stands out alone becomes its median."""
    ring = np.ones((3, 3), np.uint8)
    ring[1, 1] = 0
    middle, highest, lowest = (
        _cut(plane)
        for plane in (cv2.medianBlur(mean, 3), cv2.dilate(mean, ring), cv2.erode(mean, ring))
    )
    samples, reach = _cut(mean), _FAR * spread[:, None]
    alone = (samples > highest + reach) | (samples < lowest - reach)
    return np.where(alone, middle, samples)


def _steady(shift: Array, signal: Array, spread: Array) -> npt.NDArray[np.bool_]:
    """False where a block's brightness changed otherwise than the light did as a whole."""
    lit = signal > np.median(signal)
    ratio = float(np.median(shift[lit] / np.maximum(signal[lit], 1))) if lit.any() else 0.0
    error = spread / BLOCK  # BLOCK^2 samples
    return np.asarray(np.abs(shift - ratio * signal) < _MOVED * error + 0.1)


def _chosen(usable: npt.NDArray[np.intp], signal: Array, texture: Array) -> list[int]:
    """Blocks of every intensity, the smoothest first."""
    if not len(usable):
        return []
    level = np.sqrt(np.maximum(signal[usable], 0))
    edges = np.linspace(level.min(), level.max() + 1e-9, _CLASSES + 1)
    found: list[int] = []
    for low, high in pairwise(edges):
        members = usable[(level >= low) & (level < high)]
        found += members[np.argsort(texture[members])][:_PER_CLASS].tolist()
    return found


def _block(
    away: Array, channel: int, signal: float, shift: float, spread: float, span: float
) -> _Block:
    width = max(1, int(spread / _BIN))
    bins, counts = np.unique(np.floor_divide(away, width), return_counts=True)
    first = bins * width
    # A stuck pixel differs by 0; a defect that flickers by anything.
    whole = (first <= 0) & (first + width - 1 >= 0)
    strays = np.stack([np.full(len(bins), width / (2 * span + 1)), whole, np.zeros(len(bins))], 1)
    kept = away[np.abs(away - shift) < _FAR * spread] - shift
    variance = (float(kept @ kept) / max(len(kept) - 1, 1) / 2 - 1 / 12) / span**2
    point = Point(channel, signal / span, variance, 0.0, len(away))
    counted = counts.astype(np.float64)
    return _Block(point, first, first + width - 1, counted, strays, shift, span)


def _counted(blocks: list[_Block]) -> DifferenceCounts:
    return DifferenceCounts(
        counts=np.concatenate([b.counts for b in blocks]),
        groups=np.repeat(np.arange(len(blocks)), [len(b.counts) for b in blocks]),
        strays=np.concatenate([b.strays for b in blocks]).astype(np.float64),
        intensity=np.array([b.point.mean for b in blocks]),
        spent=np.ones(len(blocks)),
        first=np.concatenate([b.first for b in blocks]),
        last=np.concatenate([b.last for b in blocks]),
        shift=np.array([b.shift for b in blocks]),
        span=np.array([b.span for b in blocks]),
    )


def join(parts: list[DifferenceCounts]) -> DifferenceCounts:
    """Counts of several pairs as one; each block of each pair stays a group."""
    before = np.cumsum([0, *(len(part.intensity) for part in parts[:-1])])
    return DifferenceCounts(
        counts=np.concatenate([p.counts for p in parts]),
        groups=np.concatenate([p.groups + n for p, n in zip(parts, before, strict=True)]),
        strays=np.concatenate([p.strays for p in parts]),
        intensity=np.concatenate([p.intensity for p in parts]),
        spent=np.concatenate([p.spent for p in parts]),
        first=np.concatenate([p.first for p in parts]),
        last=np.concatenate([p.last for p in parts]),
        shift=np.concatenate([p.shift for p in parts]),
        span=np.concatenate([p.span for p in parts]),
    )
