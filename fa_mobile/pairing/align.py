"""One pair: brightness, translation, the tests that reject it, and what is kept of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from fa_mobile.bayer import PlaneWindow, unpack
from fa_mobile.errors import UserError
from fa_mobile.noise import NoiseParameters
from fa_mobile.pairing.brightness import SATURATED, brightness_factor
from fa_mobile.pairing.cells import CELL
from fa_mobile.pairing.field import LEAST_BLOCKS, LEAST_SHARE, Field, judge
from fa_mobile.pairing.frames import Capture
from fa_mobile.pairing.guide import Planes
from fa_mobile.pairing.local import Local, compare
from fa_mobile.pairing.shifting import move_planes, overlap
from fa_mobile.pairing.translation import Translation, find_translation

MOST_ERROR: Final = 0.05
"""Plane pixels: a translation that is less sure (0.1 mosaic pixels) blurs the truth."""
MOST_SATURATED: Final = 0.2
"""Of the samples: where the long exposure is saturated there is no truth."""


@dataclass(frozen=True, eq=False)
class Aligned:
    """A pair whose frames lie on each other, and whether it may be used."""

    noisy: npt.NDArray[np.uint16]
    """[H, W] RGGB, DN as the file holds them."""
    truth: npt.NDArray[np.float32]
    """[H, W] RGGB, DN, not rounded: the long exposure moved and at the short one's brightness."""
    window: PlaneWindow
    """Of :attr:`Capture.planes`."""
    noise: NoiseParameters
    truth_noise: NoiseParameters
    """What is left in the truth at most: interpolation takes a part of it."""
    brightness: float
    translation: Translation
    saturated: float
    """Share of the truth's samples that are."""
    field: Field
    local: Local

    @property
    def reason(self) -> str | None:
        """Why the pair is rejected, or None."""
        field = self.field
        if field.sloped:
            return (
                f"the frames are rotated or scaled: corners are off by {2 * field.corner:.2f} "
                "mosaic pixels, and only a translation is undone"
            )
        if field.share < LEAST_SHARE:
            return f"only {100 * field.share:.0f} % of the features move as the whole does"
        if self.local.moving:
            return (
                f"something moved or was lit otherwise: {self.local.largest} cells of 16 x 16 side "
                "by side differ by more than noise"
            )
        if field.blocks >= LEAST_BLOCKS:
            return f"in {field.blocks} regions of 64 x 64 most features moved on their own"
        if self.translation.standard_error > MOST_ERROR:
            error = 2 * self.translation.standard_error
            return f"the translation is not sure: +-{error:.2f} mosaic pixels"
        if self.saturated > MOST_SATURATED:
            return f"{100 * self.saturated:.0f} % of the long exposure is saturated"
        return None


def align(
    short: Capture, long: Capture, noise: NoiseParameters, long_noise: NoiseParameters
) -> Aligned:
    """Bring the long exposure to the short one's place and brightness, and judge the result.

    Args:
        short, long: alike (:func:`fa_mobile.pairing.frames.check_alike`).
        noise, long_noise: of each, at its own gain.

    Raises:
        UserError: when the frames cannot be compared: too little texture or light, or no overlap.
    """
    roughly = np.float32(brightness_factor(short.planes, long.planes))
    translation = find_translation(short.planes, long.planes * roughly, noise)
    height, width = short.planes.shape[1:]
    window = overlap(height, width, translation.shift)
    if min(window.height, window.width) < 2 * CELL:
        raise UserError(
            f"the frames overlap by {2 * window.height} x {2 * window.width} samples only; keep "
            "the camera still between the exposures"
        )
    noisy = window.of(short.planes)
    clean = window.of(move_planes(long.planes, translation.shift))
    factor = brightness_factor(noisy, clean)
    truth_noise = NoiseParameters(factor * long_noise.a, factor**2 * long_noise.b)
    truth = np.asarray(clean * np.float32(factor), np.float32)
    return Aligned(
        noisy=_part(short.mosaic, window),
        truth=_in_dn(truth, short),
        window=window,
        noise=noise,
        truth_noise=truth_noise,
        brightness=factor,
        translation=translation,
        saturated=float((clean >= SATURATED).mean()),
        field=judge(translation.flow, (height, width)),
        local=compare(noisy, truth, clean.max(axis=0), noise, truth_noise, short.pedestal),
    )


def _part(mosaic: npt.NDArray[np.uint16], window: PlaneWindow) -> npt.NDArray[np.uint16]:
    """A window of the planes, cut out of the mosaic: even offsets, even sides."""
    top, left, height, width = (2 * value for value in window)
    return np.ascontiguousarray(mosaic[top : top + height, left : left + width])


def _in_dn(planes: Planes, capture: Capture) -> npt.NDArray[np.float32]:
    black = np.array(capture.frame.black_level, np.float32)[:, None, None]
    dn = planes * (np.float32(capture.frame.white_level) - black) + black
    return np.asarray(unpack(dn), np.float32)
