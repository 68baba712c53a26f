"""A bundle's golden vectors on an emulated ARM CPU."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from fa_mobile.bench.arm_environment import ArmEnvironment
from fa_mobile.bench.arm_process import ArmProcess
from fa_mobile.bundle import read_bundle
from fa_mobile.errors import UserError
from fa_mobile.runtimes.session import Bundle
from fa_mobile.verify import VerifyReport, replay_all

Array = npt.NDArray[np.float32]


class ArmModel:
    """A model in a process of QEMU, called as :class:`fa_mobile.runtimes.session.Model` is."""

    def __init__(self, process: ArmProcess) -> None:
        self._process = process

    def run(self, raw: Array, *scalars: Array) -> Array:
        """``raw`` float32 [1, 1, H, W] and scalars float32 [1] to denoised [1, 1, H, W]."""
        (denoised,) = self._process.run([raw, *scalars])
        return np.asarray(denoised, np.float32)


def run_golden(environment: ArmEnvironment, bundle_folder: Path, cpu: str) -> VerifyReport:
    """Replay every golden vector of a bundle under QEMU.

    Returns:
        What ``fa-mobile verify`` would say on such a machine, by the manifest's tolerance.

    Raises:
        UserError: for a damaged bundle, a Core ML one, or a CPU that is not known.
    """
    manifest = read_bundle(bundle_folder)
    if manifest.target == "coreml":
        raise UserError(f"bundle {manifest.name} is a Core ML model, which runs on Apple systems")
    model = bundle_folder / manifest.files[0]
    with ArmProcess(environment, model, cpu, count=False) as process:
        return replay_all(Bundle(bundle_folder, manifest, ArmModel(process)))
