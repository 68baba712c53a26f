"""A bundle on an ARM CPU without a phone: its instructions counted, its golden vectors replayed.

Emulation tells what a CPU executes and what comes out, not how long it takes. Instructions are a
measure of cost without noise: they tell one build from another to a fraction of a percent, and
what a CPU's extensions (dot products, i8mm) are worth to a network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from fa_mobile.bench.arm_environment import ArmEnvironment, find_arm_environment
from fa_mobile.bench.arm_estimate import estimate_milliseconds
from fa_mobile.bench.arm_golden import run_golden
from fa_mobile.bench.arm_process import ArmProcess
from fa_mobile.bench.subjects import is_one_call
from fa_mobile.bundle import read_bundle
from fa_mobile.errors import UserError
from fa_mobile.manifest import Manifest

__all__ = [
    "CPUS",
    "ArmEnvironment",
    "InstructionCount",
    "count_file",
    "count_instructions",
    "estimate_milliseconds",
    "find_arm_environment",
    "per_run",
    "run_golden",
]

CPUS: Final = ("cortex-a55", "cortex-a76", "cortex-a710")
"""A little core and a big core with dot products, and a big core with i8mm and SVE2."""
_MEGA: Final = 1e6


@dataclass(frozen=True)
class InstructionCount:
    """Instructions that one denoising costs on one thread of an emulated CPU."""

    bundle: str
    cpu: str
    gain: float
    width: int
    height: int
    """Of the mosaic."""
    runs: int
    instructions: float
    """Of one run."""
    spread: float
    """(largest - smallest) / mean over the counted runs; 0 with one of them."""
    versions: dict[str, str]

    @property
    def per_mp(self) -> float:
        """Instructions per 10^6 mosaic pixels."""
        return self.instructions * _MEGA / (self.width * self.height)

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        return {**asdict(self), "instructions_per_mp": self.per_mp}


def per_run(counts: Sequence[int]) -> tuple[float, float]:
    """Instructions of one run and their spread, from those of runs in one process.

    The first run is left out, because it also sets up what later ones find: the difference
    between n runs and one, over n - 1.

    Args:
        counts: instructions of each run, at least two.

    Raises:
        UserError: for fewer.
    """
    if len(counts) < 2:
        raise UserError(f"{len(counts)} runs were counted; at least 2 are needed")
    later = np.array(counts[1:], np.float64)
    return float(later.mean()), float(np.ptp(later) / later.mean())


def count_file(
    environment: ArmEnvironment,
    model: Path,
    inputs: Mapping[str, npt.NDArray[Any]] | Sequence[npt.NDArray[Any]],
    cpu: str,
    *,
    runs: int = 2,
) -> tuple[float, float]:
    """Instructions of one run of any model file, and their spread; see :func:`per_run`.

    Args:
        environment: see :func:`find_arm_environment`.
        model: ``.onnx``, or ``.pte`` with the method ``forward``, or a bundle's ``.pte``.
        inputs: of the model, in its order; names are not looked at.
        cpu: for example one of CPUS.
        runs: in one process, from 2.

    Raises:
        UserError: for a CPU, a model, inputs or a number of runs that are not allowed.
    """
    if runs < 2:
        raise UserError(f"runs={runs} was given; allowed are whole numbers from 2")
    arrays = list(inputs.values() if isinstance(inputs, Mapping) else inputs)
    with ArmProcess(environment, model, cpu) as process:
        for _ in range(runs):
            process.run(arrays, keep=False)
        return per_run(process.counts())


def count_instructions(
    environment: ArmEnvironment,
    bundle_folder: Path,
    cpu: str,
    *,
    gain: float,
    width: int,
    height: int,
    runs: int = 2,
) -> InstructionCount:
    """Count what a bundle costs on a CPU, on one thread, in one call without tiles.

    Args:
        environment: see :func:`find_arm_environment`.
        bundle_folder: of an ExecuTorch or ONNX bundle.
        cpu: for example one of CPUS.
        gain: of the capture; it chooses the member.
        width, height: of the mosaic: what the bundle takes in one call.
        runs: in one process, from 2; the first is not counted.

    Raises:
        UserError: for a damaged bundle, a Core ML one, or arguments that are not allowed.
    """
    manifest = read_bundle(bundle_folder)
    inputs = _inputs(manifest, gain, width, height)
    model = bundle_folder / manifest.files[0]
    instructions, spread = count_file(environment, model, inputs, cpu, runs=runs)
    return InstructionCount(
        manifest.name,
        cpu,
        gain,
        width,
        height,
        runs,
        instructions,
        spread,
        environment.versions,
    )


def _inputs(
    manifest: Manifest, gain: float, width: int, height: int
) -> list[npt.NDArray[np.float32]]:
    if manifest.target == "coreml":
        raise UserError(f"bundle {manifest.name} is a Core ML model, which runs on Apple systems")
    if not is_one_call(manifest, width, height):
        raise UserError(
            f"{width} x {height} was given; bundle {manifest.name} takes "
            + (
                f"{manifest.tile[1]} x {manifest.tile[0]} only"
                if manifest.fixed_shape
                else f"multiples of {manifest.stride} from {manifest.min_side} to "
                f"{min(manifest.tile)}"
            )
        )
    sensor = manifest.sensor
    # The count hardly depends on the samples; any that use the whole range will do.
    raw = np.random.default_rng(0).uniform(
        sensor.pedestal, sensor.white_level, (1, 1, height, width)
    )
    chosen = [gain] if manifest.selector == "gain" else list(sensor.noise(gain))
    return [np.asarray(raw, np.float32), *(np.array([value], np.float32) for value in chosen)]
