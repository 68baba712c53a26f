"""The bundle on disk: model files, manifest, golden vectors and the hash of every file."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from fa_mobile.errors import UserError
from fa_mobile.manifest import MANIFEST_FILE, GoldenVector, Manifest, parse_manifest

SUMS_FILE: Final = "SHA256SUMS"


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def files_of(folder: Path) -> list[str]:
    """All files below a bundle but the sums, as sorted names with forward slashes."""
    names = (p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    return sorted(name for name in names if name != SUMS_FILE)


def write_sums(folder: Path) -> None:
    """Write SHA256SUMS in the format of ``sha256sum --check``."""
    lines = [f"{file_sha256(folder / name)}  {name}\n" for name in files_of(folder)]
    (folder / SUMS_FILE).write_text("".join(lines), encoding="utf-8")


def check_sums(folder: Path) -> None:
    """Compare every file with SHA256SUMS.

    Raises:
        UserError: naming the files that are missing, changed or not listed.
    """
    path = folder / SUMS_FILE
    if not path.is_file():
        raise UserError(f"bundle {folder} has no {SUMS_FILE}; export it again")
    listed: dict[str, str] = {}
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        digest, _, name = line.partition("  ")
        listed[name] = digest
    present = set(files_of(folder))
    problems = [f"{name} is missing" for name in sorted(listed.keys() - present)]
    problems += [f"{name} is not listed" for name in sorted(present - listed.keys())]
    problems += [
        f"{name} has another hash"
        for name in sorted(present & listed.keys())
        if file_sha256(folder / name) != listed[name]
    ]
    if problems:
        raise UserError(
            f"bundle {folder} is damaged: {'; '.join(problems)}; copy or export it again"
        )


def read_bundle(folder: Path) -> Manifest:
    """The manifest of a bundle whose files are all as they were written.

    Raises:
        UserError: when ``folder`` is no bundle, or a damaged one.
    """
    manifest = parse_manifest(folder / MANIFEST_FILE)
    check_sums(folder)
    return manifest


def write_golden(folder: Path, name: str, array: npt.NDArray[np.generic]) -> None:
    """Write a golden array as headerless little-endian numbers."""
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(array.astype(array.dtype.newbyteorder("<")).tobytes())


def read_golden(
    folder: Path, vector: GoldenVector
) -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """(raw, reference, truth) of a golden vector, each [height, width].

    Raises:
        UserError: when a file has not the size that the manifest states.
    """
    shape = (vector.height, vector.width)

    def load(name: str, dtype: str) -> npt.NDArray[np.generic]:
        data = (folder / name).read_bytes()
        if len(data) != vector.height * vector.width * np.dtype(dtype).itemsize:
            raise UserError(f"{folder / name} has {len(data)} bytes, not a golden {shape} {dtype}")
        return np.frombuffer(data, dtype).reshape(shape)

    return (
        load(vector.raw, "<u2").astype(np.uint16),
        load(vector.reference, "<f4").astype(np.float32),
        load(vector.truth, "<f4").astype(np.float32),
    )
