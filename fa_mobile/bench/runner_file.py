"""The command-line runner for phones on this machine: which files, and for which phone."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fa_mobile.errors import UserError

RUNNERS: Final = Path("build/runner")
"""Where benchmarks/runner/README.md builds runners, one folder for each ABI."""
RUNNER: Final = "fa_runner"
LIBRARY: Final = "libonnxruntime.so"
_README: Final = "benchmarks/runner/README.md says how to build it"
_MACHINES: Final = {3: "x86", 40: "armeabi-v7a", 62: "x86_64", 183: "arm64-v8a"}
"""e_machine of an ELF file to Android's name of the ABI."""


@dataclass(frozen=True)
class RunnerFiles:
    """What is pushed: the program and ONNX Runtime's library, named as in ``LIBRARY``."""

    program: Path
    library: Path


def find_runner(given: Path | None, abis: tuple[str, ...]) -> RunnerFiles:
    """The runner and the library beside it, both for an ABI that the phone has.

    Args:
        given: the program; None takes the one of the phone's best ABI below ``RUNNERS``.
        abis: the phone's, the best first.

    Raises:
        UserError: for a file that is missing, is no program, or is of another ABI.
    """
    program = given if given is not None else RUNNERS / abis[0] / RUNNER
    library = program.parent / LIBRARY
    for path in (program, library):
        if not path.is_file():
            raise UserError(
                f"{path} does not exist; the phone needs a runner for {abis[0]} with {LIBRARY} "
                f"beside it: {_README}"
            )
        found = abi_of(path)
        if found not in abis:
            raise UserError(
                f"{path} is for {found or 'no phone (it is no ELF file)'}; allowed on this phone "
                f"are {', '.join(abis)}: {_README}"
            )
    return RunnerFiles(program, library)


def abi_of(path: Path) -> str | None:
    """Android's name of the ABI that an ELF file was built for; None for what is no ELF file."""
    with path.open("rb") as stream:
        head = stream.read(20)
    if len(head) < 20 or head[:4] != b"\x7fELF" or head[5] != 1:
        return None
    (machine,) = struct.unpack_from("<H", head, 18)
    return _MACHINES.get(machine, f"ELF machine {machine}")
