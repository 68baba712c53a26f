"""A capture that a sensor would have taken of a photo's scene. Synthetic noise."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fa_mobile import isp
from fa_mobile.bayer import red_offset
from fa_mobile.errors import UserError
from fa_mobile.patches import capture, to_dn
from fa_mobile.raw_io import RawFrame
from fa_mobile.sensor import SensorProfile


class Simulated(NamedTuple):
    """The noisy capture as a file would hold it, and the clean signal in DN, float32 [H, W]."""

    noisy: RawFrame
    truth: npt.NDArray[np.float32]


class SimulatedRggb(NamedTuple):
    """Whole DN of a capture, and the clean signal in DN: [H, W] RGGB both, even sides."""

    noisy: npt.NDArray[np.uint16]
    truth: npt.NDArray[np.float32]


def sensor_color(profile: SensorProfile) -> isp.ColorPipeline:
    """The profile's colour in daylight; a photo's white is put at 80 % of the sensor's."""
    red, _, blue = profile.as_shot_neutral
    return isp.ColorPipeline(
        isp.srgb_to_camera(profile.color_matrix), 1 / red, 1 / blue, brightness=1.25
    )


def clean_mosaic(photo: npt.NDArray[np.uint8], profile: SensorProfile) -> isp.Image:
    """The photo's scene as the sensor would see it without noise: [H, W] in 0..1, even sides."""
    return isp.unprocess(photo.astype(np.float32) / 255, sensor_color(profile))


def simulate(
    photo: npt.NDArray[np.uint8], profile: SensorProfile, gain: float, seed: int
) -> Simulated:
    """Simulate a capture at ``gain``; the same seed gives the same noise.

    Args:
        photo: uint8 [H, W, 3] sRGB, at least 2 x 2 (4 x 4 where the sensor is not RGGB).
        gain: above 0; 1 is the base gain.

    Raises:
        UserError: for a gain or a photo that is not allowed.
    """
    made = simulate_rggb(photo, profile, gain, seed)
    # Beginning at another sample of the RGGB mosaic gives the sensor's own pattern.
    top, left = red_offset(profile.cfa)
    frame = RawFrame(
        mosaic=made.noisy[top:, left:],
        cfa=profile.cfa,
        black_level=profile.black_level,
        white_level=profile.white_level,
        iso=gain * profile.base_iso,
        noise=profile.noise(gain),
        make=profile.make,
        model=profile.model,
        color_matrix=profile.color_matrix,
        as_shot_neutral=profile.as_shot_neutral,
    )
    return Simulated(frame, made.truth[top:, left:])


def simulate_rggb(
    photo: npt.NDArray[np.uint8], profile: SensorProfile, gain: float, seed: int
) -> SimulatedRggb:
    """The mosaics of :func:`simulate` with red at the origin, whatever the sensor's pattern.

    Raises:
        UserError: for a gain or a photo that is not allowed.
    """
    if not (math.isfinite(gain) and gain > 0):
        raise UserError(f"gain {gain} was given; allowed are finite numbers above 0")
    if min(photo.shape[:2]) < 2:
        raise UserError(f"a photo of {photo.shape[1]} x {photo.shape[0]} is too small; give 2 x 2")
    clean = clean_mosaic(photo, profile)
    dn = capture(clean, profile.noise(gain), profile, np.random.default_rng(seed))
    return SimulatedRggb(dn.astype(np.uint16), to_dn(clean, profile))
