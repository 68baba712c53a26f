"""What can be evaluated, as functions of (raw DN, gain) or (raw DN, noise)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from fa_mobile.errors import UserError
from fa_mobile.evaluation.captures import AS_PROFILED, NoiseScale, with_noise
from fa_mobile.manifest import MANIFEST_FILE
from fa_mobile.needs import require_classical, require_torch
from fa_mobile.noise import NoiseParameters
from fa_mobile.recipe import built_in_checkpoint, built_in_checkpoints
from fa_mobile.sensor import SensorProfile, load_profile

if TYPE_CHECKING:
    from fa_mobile.nsma import NoiseSubrangeModelArray

Denoise = Callable[[npt.NDArray[np.generic], float], npt.NDArray[np.float32]]
"""(raw DN [H, W] RGGB, gain) to denoised DN [H, W]."""
DenoiseByNoise = Callable[[npt.NDArray[np.generic], NoiseParameters], npt.NDArray[np.float32]]
"""(raw DN [H, W] RGGB, noise of its 0..1 signal) to denoised DN [H, W]."""

CLASSICAL: Final = "classical"
PMRID: Final = "pmrid:"
_TILE: Final = 1024
"""Mosaic samples to either side that a tile of a checkpoint decides; smaller frames are whole."""
_CAPTURED: Final = {
    "cfa", "black_level", "white_level", "a_linear", "b_quadratic", "color_matrix",
    "as_shot_neutral",
}  # fmt: skip
"""Fields of a profile on which simulated captures depend."""


class Subject(NamedTuple):
    """A denoiser, its name in reports, and the profile whose noise it believes in."""

    name: str
    denoise: Denoise
    profile: SensorProfile
    by_noise: DenoiseByNoise | None = None
    """For captures whose noise is known otherwise than through the profile and a gain."""
    takes_gain: bool = False
    """Whether ``by_noise`` can say a only, as the gain that has it; b follows the profile."""


def open_subjects(
    given: Sequence[str], sensor: str | None = None, *, one_sensor: bool = True
) -> list[Subject]:
    """Checkpoint or bundle folders, ``pmrid:WEIGHTS`` and ``classical``, for one sensor.

    Args:
        given: one or more. ``./classical`` is a folder of that name.
        sensor: profile name or file; None takes the first checkpoint's or bundle's.
        one_sensor: whether all must be made for it, as captures that are simulated demand.

    Raises:
        UserError: for what is none of these, when sensors differ, or when nothing says which
            sensor it is.
    """
    found = {text: open_subject(Path(text)) for text in given if not _is_peer(text)}
    if sensor is not None:
        profile = load_profile(sensor)
    elif found:
        profile = next(iter(found.values())).profile
    else:
        raise UserError(
            f"{', '.join(given)} fits every sensor; say which one with --sensor, such as imx258, "
            "or give a checkpoint or bundle beside it"
        )
    for text, subject in found.items():
        if one_sensor and _captured(subject.profile) != _captured(profile):
            raise UserError(
                f"{text} was made for sensor {subject.profile.name} with other levels, colours or "
                f"noise than {profile.name}; captures are the same for all subjects: evaluate it "
                "alone, or scale the noise with --noise-a and --noise-b"
            )
    subjects = [found[text] if text in found else _peer(text, profile) for text in given]
    times = Counter(subject.name for subject in subjects)
    return [
        subject if times[subject.name] == 1 else subject._replace(name=f"{subject.name} ({text})")
        for text, subject in zip(given, subjects, strict=True)
    ]


def _is_peer(text: str) -> bool:
    return text == CLASSICAL or text.startswith(PMRID)


def _captured(profile: SensorProfile) -> dict[str, object]:
    return profile.model_dump(include=_CAPTURED)


def _peer(text: str, profile: SensorProfile) -> Subject:
    if text == CLASSICAL:
        require_classical()
        from fa_mobile.evaluation import classical

        return Subject(
            classical.name(),
            classical.denoiser(profile),
            profile,
            classical.denoiser_by_noise(profile),
        )
    return _pmrid(Path(text.removeprefix(PMRID)), profile)


def _pmrid(weights: Path, profile: SensorProfile) -> Subject:
    require_torch()
    from fa_mobile.networks.baselines import PMRID_ANCHOR, load_pmrid
    from fa_mobile.nsma import ArraySpec, NoiseSubrangeModelArray

    if not weights.is_file():
        raise UserError(
            f"PMRID's weights {str(weights)!r} are not there; give {PMRID}PATH with the path of "
            "its released torch_pretrained.ckp"
        )
    spec = ArraySpec(
        name="pmrid", network="pmrid", members=1, edges=(), anchors=(PMRID_ANCHOR,), profile=profile
    )
    return of_array(NoiseSubrangeModelArray(spec, [load_pmrid(weights)]))


def open_subject(folder: Path) -> Subject:
    """A checkpoint or bundle folder, or a built-in checkpoint by its name.

    Raises:
        UserError: when it is none of these.
    """
    folder = built_in_checkpoint(str(folder)) or folder
    if (folder / MANIFEST_FILE).is_file():
        return _bundle(folder)
    from fa_mobile.nsma import ARRAY_FILE

    if (folder / ARRAY_FILE).is_file():
        return _checkpoint(folder)
    raise UserError(
        f"{folder} is neither a bundle ({MANIFEST_FILE}) nor a checkpoint ({ARRAY_FILE}); allowed "
        f"are their folders, {', '.join(built_in_checkpoints())}, {PMRID}WEIGHTS and {CLASSICAL}"
    )


def _bundle(folder: Path) -> Subject:
    from fa_mobile.runtimes.session import open_bundle

    bundle = open_bundle(folder)
    sensor = bundle.manifest.sensor
    by_gain = bundle.manifest.selector == "gain"

    def denoise(raw: npt.NDArray[np.generic], gain: float) -> npt.NDArray[np.float32]:
        return bundle(raw, gain=gain) if by_gain else bundle(raw, noise=sensor.noise(gain))

    def by_noise(raw: npt.NDArray[np.generic], noise: NoiseParameters) -> npt.NDArray[np.float32]:
        return bundle(raw, gain=gain_with(noise, sensor)) if by_gain else bundle(raw, noise=noise)

    return Subject(bundle.manifest.name, denoise, sensor, by_noise, takes_gain=by_gain)


def gain_with(noise: NoiseParameters, profile: SensorProfile) -> float:
    """The gain at which ``profile`` has the a of ``noise``.

    Raises:
        UserError: when it has it at no gain above 0.
    """
    gain = profile.gain_at(noise.a) if profile.a_linear[0] > 0 else 0.0
    if not gain > 0:
        raise UserError(
            f"noise a={noise.a:.3g} was given; profile {profile.name} has it at no gain: take the "
            "checkpoint, or a bundle whose selector is noise-profile"
        )
    return gain


def _checkpoint(folder: Path) -> Subject:
    from fa_mobile.nsma import load_checkpoint

    return of_array(load_checkpoint(folder))


def of_array(array: NoiseSubrangeModelArray, told: NoiseScale = AS_PROFILED) -> Subject:
    """An array in float, in torch, told ``told`` times its profile's noise at every gain."""
    profile = array.spec.profile
    believed, by_noise = with_noise(profile, told), _tiled(array)

    def denoise(raw: npt.NDArray[np.generic], gain: float) -> npt.NDArray[np.float32]:
        return by_noise(raw, believed.noise(gain))

    return Subject(array.spec.name, denoise, profile, by_noise)


def _tiled(array: NoiseSubrangeModelArray) -> DenoiseByNoise:
    """Large frames piece by piece, so that memory does not grow with them."""
    from fa_mobile.counting import mosaic_halo
    from fa_mobile.denoiser import RawDenoiser
    from fa_mobile.golden import run_reference
    from fa_mobile.runtimes.reading import MirroredMosaic
    from fa_mobile.runtimes.tiling import plan_frame

    denoiser = RawDenoiser(array).eval()
    stride = denoiser.stride
    least = (2 * stride, 2 * stride)

    @cache
    def halo() -> int:  # found by a run over a large frame, which smaller ones need not wait for
        return mosaic_halo(array.networks[0])

    def denoise(raw: npt.NDArray[np.generic], noise: NoiseParameters) -> npt.NDArray[np.float32]:
        if max(raw.shape) <= _TILE:
            return run_reference(denoiser, raw.astype(np.float32), *noise, minimum=least)
        side = _TILE + 2 * halo() + -(_TILE + 2 * halo()) % stride
        out = np.empty(raw.shape, np.float32)
        frame = MirroredMosaic(raw, "RGGB", stride, least)
        for tile in plan_frame(*frame.shape, (side, side), halo(), stride):
            part = np.empty((tile.rows.size, tile.cols.size), np.float32)
            frame.read(tile, part)
            frame.keep(tile, run_reference(denoiser, part, *noise, minimum=least), out)
        return out

    return denoise
