"""Denoising a RAW frame of any Bayer pattern and any levels through a bundle of one sensor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from fa_mobile.bayer import CfaPattern
from fa_mobile.dng import cell_order
from fa_mobile.errors import UserError
from fa_mobile.noise import NoiseParameters
from fa_mobile.raw_io import RawFrame, gain_of, normalize
from fa_mobile.runtimes.reading import whole_dn
from fa_mobile.runtimes.session import Bundle
from fa_mobile.sensor import SensorProfile

Plane = npt.NDArray[np.float32]
Levels = tuple[float, float, float, float]


def denoise_frame(
    bundle: Bundle,
    frame: RawFrame,
    *,
    gain: float | None = None,
    noise: NoiseParameters | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> RawFrame:
    """Denoise a frame; the result has the frame's levels and pattern, and no NoiseProfile.

    A frame of other levels than the bundle's sensor is scaled to its DN and back, which keeps the
    normalised signal: it must then be given the gain (or noise) that fits that signal.

    Args:
        gain: in place of the one from the frame's ISO speed.
        noise: in place of the one from the frame's NoiseProfile, for bundles that take it.

    Raises:
        UserError: when neither is given nor in the frame, or is not allowed.
    """
    sensor = bundle.manifest.sensor
    if bundle.manifest.selector == "gain":
        gain = gain_of(frame, sensor) if gain is None else gain
    else:
        noise = noise or _noise_of(frame, gain, sensor)
    same = frame.black_level == sensor.black_level and frame.white_level == sensor.white_level
    dn = (
        frame.mosaic
        if same
        else _to_dn(normalize(frame), sensor.black_level, sensor.white_level, frame.cfa)
    )
    out = bundle(dn, gain=gain, noise=noise, cfa=frame.cfa, progress=progress)
    if not same:
        black = _cells(sensor.black_level, out.shape, frame.cfa)
        signal = (out - black) / (sensor.white_level - black)
        out = _to_dn(signal, frame.black_level, frame.white_level, frame.cfa)
    return replace(frame, mosaic=whole_dn(out, frame.white_level), noise=None)


def _noise_of(frame: RawFrame, gain: float | None, sensor: SensorProfile) -> NoiseParameters:
    if gain is not None:
        return sensor.noise(gain)
    if frame.noise is not None:
        return frame.noise
    try:
        return sensor.noise(gain_of(frame, sensor))
    except UserError as error:
        raise UserError(f"the file has no NoiseProfile either: {error}, or --noise") from error


def _to_dn(signal: Plane, black_level: Levels, white: float, cfa: CfaPattern) -> Plane:
    black = _cells(black_level, signal.shape, cfa)
    return np.asarray(signal * (white - black) + black, np.float32)


def _cells(values: Levels, shape: tuple[int, ...], cfa: CfaPattern) -> Plane:
    """[H, W] (odd sides too): the value of each sample's colour, from R, Gr, Gb, B order."""
    cell = np.array(cell_order(values, cfa), np.float32).reshape(2, 2)
    tiled = np.tile(cell, ((shape[0] + 1) // 2, (shape[1] + 1) // 2))
    return tiled[: shape[0], : shape[1]]
