"""The files of one pair, and its entry in the index."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy.typing as npt

from fa_mobile.bundle import file_sha256
from fa_mobile.pairing.align import Aligned
from fa_mobile.pairing.dataset import write_tiff
from fa_mobile.pairing.frames import Capture
from fa_mobile.pairing.matching import Match
from fa_mobile.pairing.pictures import pair_picture
from fa_mobile.pairing.schema import Crop, PairEntry, Source, Stored


def unused_name(found: Match, used: Collection[str]) -> str:
    """A name for the pair's files, from its scene and short exposure."""
    text = found.short.stem
    if not text.startswith(found.scene.replace("/", "_")):
        text = f"{found.scene}_{text}"
    stem = re.sub(r"[^A-Za-z0-9_.-]+", "_", text).lstrip("_.-")[:100] or "pair"
    name, number = stem, 2
    while name in used:
        name, number = f"{stem}-{number}", number + 1
    return name


def write_pair(
    folder: Path, name: str, scene: str, short: Capture, long: Capture, aligned: Aligned
) -> PairEntry:
    """Write the files of a pair below ``folder``; returns its entry in the index."""
    preview = f"preview/{name}.png"
    save_picture(folder / preview, aligned, short)
    window, (top, left) = aligned.window, short.corner
    rows, cols = aligned.translation.shift
    return PairEntry(
        name=name,
        scene=scene,
        short=_source(short),
        long=_source(long),
        a=aligned.noise.a,
        b=aligned.noise.b,
        truth_a=aligned.truth_noise.a,
        truth_b=aligned.truth_noise.b,
        brightness=aligned.brightness,
        shift=(2 * rows, 2 * cols),
        shift_error=2 * aligned.translation.standard_error,
        features=aligned.translation.flow.found,
        inlier_share=aligned.field.share,
        saturated_share=aligned.saturated,
        crop=Crop(
            top=top + 2 * window.top,
            left=left + 2 * window.left,
            height=2 * window.height,
            width=2 * window.width,
        ),
        black_level=short.frame.black_level,
        white_level=short.frame.white_level,
        noisy=_store(folder, f"noisy/{name}.tif", aligned.noisy),
        truth=_store(folder, f"truth/{name}.tif", aligned.truth),
        preview=preview,
    )


def _source(capture: Capture) -> Source:
    return Source(
        name=capture.path.name, sha256=file_sha256(capture.path), gain=capture.gain,
        iso=capture.frame.iso, exposure_seconds=capture.exposure,
    )  # fmt: skip


def _store(folder: Path, place: str, samples: npt.NDArray[Any]) -> Stored:
    path = folder / place
    path.parent.mkdir(exist_ok=True)
    write_tiff(path, samples)
    return Stored(path=place, sha256=file_sha256(path))


def save_picture(path: Path, aligned: Aligned, short: Capture) -> None:
    """Write the picture of a pair, accepted or not."""
    path.parent.mkdir(exist_ok=True)
    pair_picture(aligned, short).save(path)
