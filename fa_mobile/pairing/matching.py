"""Which files are a pair.

SHORT and LONG are files, or folders that are searched with their subfolders. One long exposure
serves any number of short ones. A file's key is its path below the folder, without its suffix.
The long exposure of a short one is, in this order:

1. the only one, where LONG is a file;
2. the one with the same key: ``short/kitchen.dng`` and ``long/kitchen.dng``;
3. the one of the same scene. A long exposure's scene is its key, or its key without its last part
   after ``_``, ``-`` or ``/``; a short one's key begins with it and goes on with one of these:
   ``kitchen_iso1600_03`` and ``kitchen/03`` belong to ``kitchen``, ``kitchen_long`` and
   ``kitchen/long``. Of several scenes that fit, the longest wins.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from fa_mobile.errors import UserError
from fa_mobile.training.sources import RAW_SUFFIXES

_SEPARATORS: Final = "_-/"


class Keyed(NamedTuple):
    """A file and its key."""

    path: Path
    key: str


class Match(NamedTuple):
    """A short exposure, its long one, and the scene that they share."""

    short: Path
    long: Path
    scene: str


class Unmatched(NamedTuple):
    """A file without a partner, and why."""

    path: Path
    reason: str


def captures_below(given: Path) -> list[Keyed]:
    """The RAW files of a file or folder, sorted by key.

    Raises:
        UserError: when there is none.
    """
    if given.is_file():
        return [Keyed(given, given.stem)]
    if not given.is_dir():
        raise UserError(f"{given} was not found; give a RAW file or a folder of RAW files")
    paths = [p for p in given.rglob("*") if p.suffix.lower() in RAW_SUFFIXES and p.is_file()]
    if not paths:
        raise UserError(f"no RAW file ({', '.join(RAW_SUFFIXES)}) lies in {given}; give another")
    keyed = [Keyed(p, p.relative_to(given).with_suffix("").as_posix()) for p in paths]
    return sorted(keyed, key=lambda one: (one.key, one.path.suffix))


def match(
    shorts: Sequence[Keyed], longs: Sequence[Keyed], *, only: bool = False
) -> tuple[list[Match], list[Unmatched]]:
    """Match short exposures to long ones, by the rules above.

    Args:
        shorts, longs: as :func:`captures_below` gives them.
        only: LONG was a file: it serves every short exposure.

    Returns:
        Matches in the order of the short exposures; and the files, short and long, without one.
    """
    matches, alone = [], []
    for short in shorts:
        fitting = [(longs[0], longs[0].key)] if only else _fitting(short.key, longs)
        if len(fitting) == 1:
            ((long, scene),) = fitting
            matches.append(Match(short.path, long.path, scene))
        elif fitting:
            names = ", ".join(long.path.name for long, _ in fitting)
            alone.append(
                Unmatched(
                    short.path,
                    f"{len(fitting)} long exposures fit ({names}); keep one for each scene",
                )
            )
        else:
            alone.append(
                Unmatched(
                    short.path,
                    "its long exposure is missing; name it like the short one, or like the first "
                    "part of its name",
                )
            )
    used = {found.long for found in matches}
    if matches:
        alone += [
            Unmatched(long.path, "no short exposure belongs to this long one; check the names")
            for long in longs
            if long.path not in used
        ]
    return matches, alone


def _fitting(key: str, longs: Sequence[Keyed]) -> list[tuple[Keyed, str]]:
    """The long exposures that fit best, and the scene for which they do."""
    same = [(long, key) for long in longs if long.key == key]
    if same:
        return same
    found = [
        (long, scene)
        for long in longs
        for scene in _scenes(long.key)
        if key.startswith(scene) and key[len(scene) : len(scene) + 1] in tuple(_SEPARATORS)
    ]
    longest = max((len(scene) for _, scene in found), default=0)
    return [(long, scene) for long, scene in found if len(scene) == longest]


def _scenes(key: str) -> list[str]:
    end = max(key.rfind(mark) for mark in _SEPARATORS)
    return [key, key[:end]] if end > 0 else [key]
