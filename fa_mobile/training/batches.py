"""Batches of clean and noisy patches, a pure function of (seed, step): runs resume exactly."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fa_mobile.bayer import pack
from fa_mobile.noise import NoiseParameters, add_noise
from fa_mobile.selection import Edges, select
from fa_mobile.sensor import SensorProfile
from fa_mobile.training.sources import Mosaic, Source

Array = npt.NDArray[np.float32]


class Draw(NamedTuple):
    """The noise that the network is told, its member's anchor, and the noise that there is."""

    told: NoiseParameters
    anchor: NoiseParameters
    true: NoiseParameters


class NoiseSampler(NamedTuple):
    """Draws (a, b): a log-uniform over ``a_range``, ln b on the profile's line with jitter.

    ``edges`` and ``anchors`` say which member's domain each draw enters, so the common network,
    which trains on the whole range, meets the very inputs that its members will. What a capture
    has instead of what it is said to have is off by a factor between 1 / (1 + ``error_below``) and
    1 + ``error_above``, log-uniform, a and b each.
    """

    profile: SensorProfile
    a_range: tuple[float, float]
    log_b_jitter: float
    edges: Edges
    anchors: Sequence[NoiseParameters]
    member: int | None
    error_below: float = 0.0
    error_above: float = 0.0

    def draw(self, rng: np.random.Generator) -> Draw:
        """The noise of one capture."""
        low, high = self.a_range
        a = math.exp(rng.uniform(math.log(low), math.log(high)))
        b = self.profile.line_b(a) * math.exp(rng.normal(0, self.log_b_jitter))
        index = select(a, self.edges) if self.member is None else self.member
        told = true = NoiseParameters(a, b)
        if self.error_below or self.error_above:
            below, above = math.log1p(self.error_below), math.log1p(self.error_above)
            off_a, off_b = np.exp(rng.uniform(-below, above, 2))
            true = NoiseParameters(a * float(off_a), b * float(off_b))
        return Draw(told, self.anchors[index], true)


class Batch(NamedTuple):
    """Packed patches [N, 4, h, w] of the normalised signal, and per patch [N, 1, 1, 1] the rest.

    ``a``, ``b``: the noise as it is told; ``anchor_a``, ``anchor_b``: of the member that serves it.
    ``weight`` divides errors by sqrt(a / a_mid), so that the noise of every sample weighs alike and
    no gain drowns the others. ``gains`` [N, 4, 1, 1] (white balance times brightness, by packed
    channel) and ``camera_to_rgb`` [N, 3, 3] render a patch with the colour of the camera that it
    was made for.
    """

    noisy: Array
    clean: Array
    a: Array
    b: Array
    anchor_a: Array
    anchor_b: Array
    weight: Array
    gains: Array
    camera_to_rgb: Array


def simulate_capture(
    clean: Mosaic, noise: NoiseParameters, profile: SensorProfile, rng: np.random.Generator
) -> Mosaic:
    """A noisy capture of a clean mosaic, rounded to whole DN.

    Clipped (Eq. 7) at the ends of the file's range: a sensor's file keeps a pedestal below black.
    Captures clipped at black instead cannot be told from these where it is dark, but their mean
    is higher: a network trained on both takes the middle and darkens what is dark, red most.
    """
    return add_noise(clean, noise, rng, low=profile.pedestal, levels=profile.span[0])


def draw_batch(
    sources: Sequence[Source],
    probabilities: npt.NDArray[np.float64],
    sampler: NoiseSampler,
    *,
    seed: int,
    step: int,
    batch: int,
    patch: int,
) -> Batch:
    """The batch of one training step: ``batch`` patches of ``patch`` x ``patch`` mosaic pixels."""
    rng = np.random.default_rng([seed, step])
    side = patch // 2
    a_mid = math.sqrt(math.prod(sampler.profile.a_range))
    noisy = np.empty((batch, 4, side, side), np.float32)
    truth = np.empty_like(noisy)
    a, b, anchor_a, anchor_b, weight = columns = np.empty((5, batch, 1, 1, 1), np.float32)
    gains = np.empty((batch, 4, 1, 1), np.float32)
    camera_to_rgb = np.empty((batch, 3, 3), np.float32)
    for index in range(batch):
        source = sources[rng.choice(len(sources), p=probabilities)]
        clean, color = source.draw(rng, patch)
        told, anchor, true = sampler.draw(rng)
        noisy[index] = pack(simulate_capture(clean, true, sampler.profile, rng))
        truth[index] = pack(clean)
        columns[:, index, 0, 0, 0] = (*told, *anchor, math.sqrt(a_mid / told.a))
        gains[index, :, 0, 0] = (color.red_gain, 1, 1, color.blue_gain)
        gains[index] *= color.brightness
        camera_to_rgb[index] = np.linalg.inv(color.rgb_to_camera)
    return Batch(noisy, truth, a, b, anchor_a, anchor_b, weight, gains, camera_to_rgb)
