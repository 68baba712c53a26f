"""The files of a platform's noise profiles, DNG and dumps together."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fa_mobile.calibration.captures import Given, Sensor, Skipped
from fa_mobile.calibration.platform import Stated, read_dump
from fa_mobile.errors import UserError
from fa_mobile.raw_io import RawFrame


def read_stated(
    files: Sequence[Given], report: Callable[[str], None]
) -> tuple[list[Stated], RawFrame | None, list[Skipped]]:
    """What the platform states in RAW files and JSON dumps.

    Returns:
        The captures, a RAW frame for the sensor's levels (None without RAW files), and the files
        that say nothing.

    Raises:
        UserError: when no file states a noise, or RAW files are of different sensors.
    """
    stated: list[Stated] = []
    sensor = Sensor()
    dumps = [given for given in files if given.path.suffix.lower() == ".json"]
    for given in dumps:
        report(given.path.name)
        try:
            stated += read_dump(given.path)
        except UserError as error:
            sensor.skipped.append(Skipped(given.path, str(error)))
    for given, frame in sensor.frames([given for given in files if given not in dumps]):
        report(given.path.name)
        if frame is None:
            continue
        if frame.noise is None or frame.iso is None:
            missing = "NoiseProfile" if frame.noise is None else "ISO"
            sensor.skipped.append(Skipped(given.path, f"it has no {missing} in its metadata"))
            continue
        stated.append(Stated(frame.iso, frame.noise, 0.0))
    if not stated:
        reasons = "; ".join(f"{s.path.name}: {s.reason}" for s in sensor.skipped[:2])
        raise UserError(
            f"none of {len(files)} files states a noise ({reasons}); give DNG files with "
            "NoiseProfile, or leave out --from-noise-profile and measure"
        )
    return stated, sensor.frame, sensor.skipped
