"""Paths that an index names."""

from __future__ import annotations

from pathlib import Path

from fa_mobile.errors import UserError


def inside(folder: Path, name: str) -> Path:
    """The path ``name`` below ``folder``.

    Raises:
        UserError: when it leads out of the folder.
    """
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise UserError(f"{name!r} leads out of {folder}; get the dataset's index again")
    return path
