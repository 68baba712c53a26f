"""Where ARM programs run without a phone: QEMU, a root of Debian's arm64, wheels, a counter."""

from __future__ import annotations

import functools
import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fa_mobile.errors import UserError

DEFAULT_FOLDER: Final = Path("build/arm")
VARIABLE: Final = "FA_MOBILE_ARM"
VERSIONS_FILE: Final = "versions.json"
_MAKE: Final = "benchmarks/arm/setup.sh"
_PARTS: Final = ("qemu/qemu-aarch64", "qemu/insn_count.so", "root/usr/bin/python3.13", "site/numpy")


@dataclass(frozen=True)
class ArmEnvironment:
    """A folder that ``benchmarks/arm/setup.sh`` made."""

    folder: Path
    """Absolute: QEMU looks absolute paths up below the guest's root first."""
    versions: dict[str, str]
    """What is in it, such as ``qemu`` and ``onnxruntime``, by name."""

    def command(self, cpu: str, counts: Path | None, *arguments: str) -> list[str]:
        """Arguments of a process: the guest's Python on a CPU, counted into a file.

        Args:
            cpu: as :func:`known_cpus` lists them.
            counts: where the plug-in appends its readings; None: not counted.
            arguments: of Python.
        """
        plugin = (
            [] if counts is None else ["-plugin", f"{self.folder}/qemu/insn_count.so,out={counts}"]
        )
        root = self.folder / "root"
        return [
            str(self.folder / "qemu/qemu-aarch64"), "-L", str(root), "-cpu", cpu, *plugin,
            str(root / "usr/bin/python3.13"), *arguments,
        ]  # fmt: skip

    def variables(self) -> dict[str, str]:
        """All of the guest's environment variables: nothing of the host's reaches it."""
        package = Path(__file__).resolve().parents[2]
        return {
            "PYTHONPATH": f"{self.folder / 'site'}{os.pathsep}{package}",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONHASHSEED": "0",
            "PYTHONNOUSERSITE": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "LC_ALL": "C.UTF-8",
        }


def find_arm_environment(folder: Path | None = None) -> ArmEnvironment:
    """The environment in a folder.

    Args:
        folder: None takes the variable FA_MOBILE_ARM, or else build/arm of the working folder.

    Raises:
        UserError: naming what is missing and how to get it.
    """
    chosen = folder or Path(os.environ.get(VARIABLE) or DEFAULT_FOLDER)
    missing = [name for name in (*_PARTS, VERSIONS_FILE) if not (chosen / name).exists()]
    if missing:
        raise UserError(
            f"{chosen} is no ARM environment: it has no {', '.join(missing)}; make it with "
            f"'{_MAKE} {chosen}' (a few minutes, Debian), or name another in {VARIABLE}"
        )
    try:
        versions = json.loads((chosen / VERSIONS_FILE).read_text(encoding="utf-8"))
        named = {str(name): str(version) for name, version in versions.items()}
    except (OSError, ValueError, AttributeError) as error:
        raise UserError(
            f"{chosen / VERSIONS_FILE} is no list of versions ({error}); remove {chosen} and make "
            f"it with '{_MAKE} {chosen}'"
        ) from error
    if "," in str(chosen.resolve()):
        raise UserError(f"{chosen} has a comma in its path, which QEMU would read as a separator")
    return ArmEnvironment(chosen.resolve(), named)


@functools.cache
def known_cpus(environment_folder: Path) -> tuple[str, ...]:
    """The CPUs that an environment's QEMU emulates.

    Raises:
        UserError: when QEMU does not run on this machine.
    """
    qemu = environment_folder / "qemu/qemu-aarch64"
    try:
        # It prints its list and exits with 1: what it printed tells whether it ran.
        listed = subprocess.run([str(qemu), "-cpu", "help"], capture_output=True, timeout=60)
        names = [line for line in listed.stdout.decode().splitlines() if line.startswith(" ")]
        if not names:
            raise OSError(listed.stderr.decode(errors="replace").strip() or "it lists no CPUs")
    except (OSError, subprocess.SubprocessError) as error:
        raise UserError(
            f"{qemu} does not run here ({error}); remove {environment_folder} and make it anew "
            f"with '{_MAKE} {environment_folder}'"
        ) from error
    return tuple(name.strip() for name in names)
