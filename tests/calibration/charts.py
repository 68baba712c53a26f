"""Captures of a colour checker, and of flat fields, with a noise that is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from fa_mobile.bayer import mosaic_rgb
from fa_mobile.noise import NoiseParameters
from fa_mobile.raw_io import RawFrame
from fa_mobile.sensor import SensorProfile, load_profile

Image = npt.NDArray[np.float32]

# Rough reflectances (R, G, B) of a 24-patch colour checker, row by row.
PATCHES: Final = np.array(
    [
        [.17, .08, .05], [.54, .29, .22], [.12, .19, .33], [.10, .14, .05], [.23, .21, .42],
        [.14, .50, .40], [.67, .20, .03], [.07, .10, .37], [.53, .08, .12], [.11, .04, .14],
        [.34, .50, .05], [.75, .36, .03], [.03, .04, .28], [.06, .29, .06], [.43, .03, .04],
        [.83, .57, .01], [.49, .08, .29], [.02, .23, .36], [.90, .91, .88], [.59, .59, .59],
        [.36, .36, .36], [.19, .19, .19], [.09, .09, .09], [.032, .032, .032],
    ],
    np.float32,
)  # fmt: skip
SENSOR: Final = load_profile("imx258")
"""Its levels and colours; the noise is each test's own."""


def chart_scene(
    height: int, width: int, *, cover: float = 0.45, degrees: float = 3.0, background: float = 0.25
) -> Image:
    """A 6 x 4 chart with its black frame before a wall: linear RGB [height, width, 3].

    Args:
        cover: share of the frame's area that the chart takes.
        degrees: by which the chart is turned.
        background: reflectance of the wall.
    """
    pitch = float(np.sqrt(cover * height * width / (6.4 * 4.4)))
    scene = np.full((height, width, 3), background, np.float32)
    turn = cv2.getRotationMatrix2D((0, 0), degrees, 1.0)[:, :2]

    def paint(left: float, top: float, right: float, bottom: float, color: Sequence[float]) -> None:
        corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
        at = (corners - [3, 2]) * pitch @ turn.T + [width / 2, height / 2]
        cv2.fillConvexPoly(scene, np.round(at).astype(np.int32), [float(c) for c in color])

    paint(-0.2, -0.2, 6.2, 4.2, (0.035, 0.035, 0.035))
    for index, color in enumerate(PATCHES):
        row, col = divmod(index, 6)
        paint(col + 0.07, row + 0.07, col + 0.93, row + 0.93, color.tolist())
    return scene


def lit(
    scene: Image, *, exposure: float, vignetting: float, profile: SensorProfile = SENSOR
) -> Image:
    """The scene as the sensor sees it: RGGB [H, W], white at ``exposure``, dark corners."""
    neutral = np.array(profile.as_shot_neutral, np.float32)
    height, width = scene.shape[:2]
    rows, cols = (np.linspace(-1, 1, side, dtype=np.float32) for side in (height, width))
    radius = (rows[:, None] ** 2 + cols[None, :] ** 2) / 2
    shade = 1 - np.float32(vignetting) * radius
    return np.asarray(mosaic_rgb(scene * neutral * exposure) * shade, np.float32)


def captured(
    clean: Image,
    noise: NoiseParameters,
    gain: float,
    rng: np.random.Generator,
    *,
    hot: float = 0.001,
    clip_black: bool = False,
    profile: SensorProfile = SENSOR,
) -> RawFrame:
    """The frame that the sensor reports: Eq. 7, whole DN, a share ``hot`` of defective samples.

    Half of those are stuck at white, a quarter at DN 0, a quarter anywhere.
    """
    signal = clean + np.sqrt(noise.a * np.maximum(clean, 0) + noise.b) * rng.standard_normal(
        clean.shape, dtype=np.float32
    )
    black, white = profile.black_level[0], profile.white_level
    dn = np.round(signal * (white - black) + black)
    dn = np.clip(dn, black if clip_black else 0, white)
    count = round(hot * dn.size)
    at = rng.choice(dn.size, count, replace=False)
    stuck = np.concatenate(
        [
            np.full(count // 2, white),
            np.full(count // 4, black if clip_black else 0),
            rng.integers(0, int(white) + 1, count - count // 2 - count // 4),
        ]
    )
    dn.flat[at] = stuck
    return RawFrame(
        mosaic=dn.astype(np.uint16),
        cfa=profile.cfa,
        black_level=profile.black_level,
        white_level=white,
        iso=gain * profile.base_iso,
        make=profile.make,
        model=profile.model,
        color_matrix=profile.color_matrix,
        as_shot_neutral=profile.as_shot_neutral,
    )


def chart_frame(
    height: int,
    width: int,
    noise: NoiseParameters,
    gain: float,
    seed: int,
    *,
    exposure: float = 0.95,
    cover: float = 0.45,
    degrees: float = 3.0,
    clip_black: bool = False,
    hot: float = 0.001,
) -> RawFrame:
    """A chart with vignetting of 10 %; an exposure above 1 saturates its white patch."""
    scene = chart_scene(height, width, cover=cover, degrees=degrees)
    clean = lit(scene, exposure=exposure, vignetting=0.1)
    rng = np.random.default_rng(seed)
    return captured(clean, noise, gain, rng, hot=hot, clip_black=clip_black)
