"""A pinned npm package, fetched once by npm and kept outside the repository."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Final

from fa_mobile.bundle import file_sha256
from fa_mobile.errors import UserError
from fa_mobile.files import replace_file

PINS: Final = Path(__file__).parent / "packages.json"


def pinned_version(name: str) -> str:
    """The version that packages.json pins."""
    version: str = _pin(name)["version"]
    return version


def package_file(name: str) -> Path:
    """The package's .tgz in the cache, fetched if it is not there, its SHA-256 checked.

    The cache is ``$FA_MOBILE_CACHE``, or ``fa-mobile`` in the user's cache folder.

    Raises:
        UserError: when npm is missing or fails, or the package is not the pinned one.
    """
    pin = _pin(name)
    cached = _cache() / f"{name}-{pin['version']}.tgz"
    if not cached.is_file():
        _fetch(f"{name}@{pin['version']}", cached)
    if (found := file_sha256(cached)) != pin["sha256"]:
        raise UserError(
            f"{cached} has SHA-256 {found}, {PINS.name} pins {pin['sha256']}: remove the file and "
            "try again; if it stays so, the registry serves another package than the pinned one"
        )
    return cached


def extract(name: str, members: dict[str, Path]) -> None:
    """Copy files of a package: the name inside it to the path to write.

    Raises:
        UserError: see :func:`package_file`; or when the package lacks one of them.
    """
    with tarfile.open(package_file(name)) as archive:
        for inside, destination in members.items():
            try:
                stream = archive.extractfile(f"package/{inside}")
            except KeyError:
                stream = None
            if stream is None:
                raise UserError(
                    f"npm package {name} has no file {inside}; check the pinned version"
                )
            with stream, replace_file(destination) as partial, partial.open("wb") as out:
                shutil.copyfileobj(stream, out)


def extract_all(name: str, folder: Path) -> Path:
    """Unpack a package below ``folder``; returns the folder that holds its package.json."""
    target = folder / name
    if not target.is_dir():
        with tempfile.TemporaryDirectory(dir=folder) as partial:
            with tarfile.open(package_file(name)) as archive:
                archive.extractall(partial, filter="data")
            (Path(partial) / "package").rename(target)
    return target


def _pin(name: str) -> dict[str, str]:
    found: dict[str, str] = json.loads(PINS.read_text(encoding="utf-8"))[name]
    return found


def _cache() -> Path:
    if given := os.environ.get("FA_MOBILE_CACHE"):
        return Path(given)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fa-mobile"


def _fetch(what: str, destination: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise UserError(
            f"npm was not found; it fetches {what}: install Node.js 20 or newer, or put the "
            f"package's .tgz at {destination}"
        )
    with tempfile.TemporaryDirectory() as folder:
        command = [npm, "pack", what, "--pack-destination", folder, "--loglevel", "error"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        files = list(Path(folder).glob("*.tgz"))
        if done.returncode or len(files) != 1:
            reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise UserError(f"npm could not fetch {what} ({reason}); check the network, try again")
        with replace_file(destination) as partial:
            shutil.copyfile(files[0], partial)
