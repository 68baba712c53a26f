"""What can be evaluated, as functions of (raw DN, gain)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fa_mobile.errors import UserError
from fa_mobile.evaluation.raw_psnr import Denoise
from fa_mobile.manifest import MANIFEST_FILE
from fa_mobile.noise import NoiseParameters
from fa_mobile.sensor import SensorProfile

if TYPE_CHECKING:
    from fa_mobile.nsma import NoiseSubrangeModelArray


def open_subject(folder: Path) -> tuple[str, Denoise, SensorProfile]:
    """A checkpoint or bundle folder as (name, function, sensor).

    Raises:
        UserError: when the folder is neither.
    """
    if (folder / MANIFEST_FILE).is_file():
        return _bundle(folder)
    from fa_mobile.nsma import ARRAY_FILE

    if (folder / ARRAY_FILE).is_file():
        return _checkpoint(folder)
    raise UserError(
        f"{folder} is neither a bundle ({MANIFEST_FILE}) nor a checkpoint ({ARRAY_FILE})"
    )


def _bundle(folder: Path) -> tuple[str, Denoise, SensorProfile]:
    from fa_mobile.runtimes.session import open_bundle

    bundle = open_bundle(folder)
    sensor = bundle.manifest.sensor
    by_gain = bundle.manifest.selector == "gain"

    def denoise(raw: npt.NDArray[np.generic], gain: float) -> npt.NDArray[np.float32]:
        return bundle(raw, gain=gain) if by_gain else bundle(raw, noise=sensor.noise(gain))

    return bundle.manifest.name, denoise, sensor


def _checkpoint(folder: Path) -> tuple[str, Denoise, SensorProfile]:
    from fa_mobile.nsma import load_checkpoint

    return of_array(load_checkpoint(folder))


def of_array(array: NoiseSubrangeModelArray) -> tuple[str, Denoise, SensorProfile]:
    """An array in float, in torch, as (name, function, sensor)."""
    from fa_mobile.denoiser import RawDenoiser
    from fa_mobile.golden import run_reference

    denoiser, profile = RawDenoiser(array).eval(), array.spec.profile

    def denoise(raw: npt.NDArray[np.generic], gain: float) -> npt.NDArray[np.float32]:
        noise: NoiseParameters = profile.noise(gain)
        least = (2 * denoiser.stride, 2 * denoiser.stride)
        return run_reference(denoiser, raw.astype(np.float32), *noise, minimum=least)

    return array.spec.name, denoise, profile
