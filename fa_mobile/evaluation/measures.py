"""What is measured between a mosaic and the truth, by name.

RAW measures see DN clipped to black..white; SSIM takes the four packed colours as channels, for
the neighbours of a mosaic differ by their colour. RGB measures see both mosaics through the same
minimal ISP (:func:`fa_mobile.isp.render`: white balance, bilinear demosaicing, colour matrix,
gamma, tone curve) with the daylight colour of the sensor's profile, as float 0..1, not rounded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from fa_mobile import isp
from fa_mobile.bayer import pack
from fa_mobile.errors import UserError
from fa_mobile.metrics import psnr, ssim
from fa_mobile.needs import require_measures
from fa_mobile.patches import to_signal
from fa_mobile.sensor import SensorProfile
from fa_mobile.simulation import sensor_color

_SSIM_WINDOW: Final = 11


class View:
    """A mosaic [H, W] RGGB in DN, and what measures make of it: made when first asked for."""

    def __init__(self, mosaic: npt.NDArray[np.float32], profile: SensorProfile) -> None:
        self.mosaic = mosaic
        self.profile = profile

    @property
    def peak(self) -> float:
        """white - black in DN, the largest of the four colours."""
        return max(self.profile.span)

    @cached_property
    def planes(self) -> npt.NDArray[np.generic]:
        """The packed colours last: [H/2, W/2, 4] in DN."""
        return np.moveaxis(pack(self.mosaic), 0, -1)

    @cached_property
    def rgb(self) -> isp.Image:
        """The display image [H, W, 3] in 0..1."""
        return isp.render(to_signal(self.mosaic, self.profile), sensor_color(self.profile))


class SignalView(View):
    """The same of a normalised signal [H, W] RGGB (peak 1) with the colour of its exposure."""

    def __init__(self, signal: npt.NDArray[np.float32], color: isp.ColorPipeline) -> None:
        self.mosaic = signal
        self.color = color

    @property
    def peak(self) -> float:
        return 1.0

    @cached_property
    def rgb(self) -> isp.Image:
        return isp.render(self.mosaic, self.color)


class Measure(NamedTuple):
    """One number between an estimate and the truth."""

    title: str
    score: Callable[[View, View], float]
    """(estimate, truth) to the number."""
    digits: int
    """After the point, in tables."""
    least_side: int = 2
    """Of the mosaic."""


def _raw_psnr(estimate: View, truth: View) -> float:
    return psnr(estimate.mosaic, truth.mosaic, data_range=truth.peak)


def _raw_ssim(estimate: View, truth: View) -> float:
    return ssim(estimate.planes, truth.planes, data_range=truth.peak)


def _rgb_psnr(estimate: View, truth: View) -> float:
    return psnr(estimate.rgb, truth.rgb, data_range=1)


def _rgb_ssim(estimate: View, truth: View) -> float:
    return ssim(estimate.rgb, truth.rgb, data_range=1)


RAW_PSNR: Final = "raw-psnr"
MEASURES: Final[dict[str, Measure]] = {
    RAW_PSNR: Measure("RAW PSNR, dB", _raw_psnr, 2),
    "raw-ssim": Measure("RAW SSIM", _raw_ssim, 4, 2 * _SSIM_WINDOW),
    "rgb-psnr": Measure("RGB PSNR, dB", _rgb_psnr, 2, 8),
    "rgb-ssim": Measure("RGB SSIM", _rgb_ssim, 4, _SSIM_WINDOW + 1),
}
ALL: Final = "all"


def chosen_measures(names: Iterable[str]) -> dict[str, Measure]:
    """The measures called ``names`` (``all``: every one), RAW PSNR always first among them.

    Raises:
        UserError: for another name, or where a library that they need is not installed.
    """
    wanted = list(names)
    for name in wanted:
        if name != ALL and name not in MEASURES:
            raise UserError(
                f"metric {name!r} was given; allowed are {', '.join(MEASURES)} and {ALL} "
                "(the perceptual distance comes with --perceptual)"
            )
    picked = {
        name: measure
        for name, measure in MEASURES.items()
        if name == RAW_PSNR or name in wanted or ALL in wanted
    }
    if len(picked) > 1:
        require_measures()
    return picked
