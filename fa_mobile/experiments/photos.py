"""The photos of an experiment: told apart by their contents, those measured never trained on."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fa_mobile.errors import UserError
from fa_mobile.nsma import sha256_file
from fa_mobile.training.sources import photo_paths, read_photo


@dataclass(frozen=True)
class Photos:
    """Files, and one hash of all their contents."""

    paths: tuple[Path, ...]
    sha256: str
    skipped: tuple[str, ...] = ()


def digest(hashes: Sequence[str]) -> str:
    """One hash of many, in their order."""
    return hashlib.sha256("".join(hashes).encode()).hexdigest()


def training_digest(folders: Sequence[Path]) -> tuple[str, frozenset[str]]:
    """One hash of all photos to train and validate with, and the hash of each."""
    hashes = [sha256_file(path) for path in photo_paths(folders)]
    return digest(hashes), frozenset(hashes)


def photos_to_measure(
    folders: Sequence[Path], least_side: int, trained_on: frozenset[str]
) -> Photos:
    """Photos to measure on; those that cannot be read or are too small are left out, in words.

    Args:
        folders: that hold them.
        least_side: in pixels, of what is to be measured.
        trained_on: hashes of files that must not be among them.

    Raises:
        UserError: when a photo is also trained on, or none is left.
    """
    kept, hashes, skipped = [], [], []
    for path in photo_paths(folders):
        try:
            height, width = read_photo(path).shape[:2]
        except UserError as error:
            skipped.append(str(error))
            continue
        if min(height, width) < least_side:
            skipped.append(f"{path}: {width} x {height} is too small")
            continue
        hashes.append(sha256_file(path))
        if hashes[-1] in trained_on:
            raise UserError(
                f"test photo {path} is among the photos to train on; measure on photos that "
                "nobody trained on: give other folders, or move it away"
            )
        kept.append(path)
    if not kept:
        raise UserError(
            f"none of {len(skipped)} test photos can be measured ({skipped[0]}); give photos of "
            f"{least_side} x {least_side} at least"
        )
    return Photos(tuple(kept), digest(hashes), tuple(skipped))
