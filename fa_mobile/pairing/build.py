"""From captures to a dataset of pairs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from fa_mobile import __version__
from fa_mobile.errors import UserError
from fa_mobile.files import replace_folder
from fa_mobile.noise import NoiseParameters
from fa_mobile.pairing.align import align
from fa_mobile.pairing.frames import Capture, check_alike, read_capture
from fa_mobile.pairing.matching import Match, Unmatched
from fa_mobile.pairing.schema import INDEX_FILE, Index, PairEntry, RejectedEntry, SkippedEntry
from fa_mobile.pairing.writing import save_picture, unused_name, write_pair
from fa_mobile.sensor import SensorProfile

NoiseFrom = Literal["profile", "dng"]
Progress = Callable[[int, int, str], None]
"""Called with (pairs done, pairs in all, name of the short exposure)."""


@dataclass(frozen=True)
class How:
    """What pairs are made by."""

    profile: SensorProfile
    noise_from: NoiseFrom = "profile"
    short_gain: float | None = None
    """Of short exposures that do not say their ISO; so ``long_gain``."""
    long_gain: float | None = None


@dataclass
class _Dataset:
    """What has been written so far."""

    folder: Path
    how: How
    sensor: Capture | None = None
    """The first capture: the others must be of its sensor."""
    pairs: list[PairEntry] = field(default_factory=list)
    rejected: list[RejectedEntry] = field(default_factory=list)
    skipped: list[SkippedEntry] = field(default_factory=list)


def build_dataset(
    matches: Sequence[Match],
    alone: Sequence[Unmatched],
    folder: Path,
    how: How,
    progress: Progress | None = None,
    *,
    overwrite: bool = False,
) -> Index:
    """Make pairs of captures and write them, whole or not at all.

    A file that cannot be used is skipped and a pair that does not pass the tests is rejected; both
    are in the index with their reason, and the others go on.

    Args:
        matches, alone: as :func:`fa_mobile.pairing.matching.match` gives them.
        folder: to write.
        overwrite: replace a dataset that is there already.

    Raises:
        UserError: when not one pair could be examined, or the folder is not free.
    """
    check_free(folder, overwrite=overwrite)
    with replace_folder(folder) as partial:
        made = _Dataset(partial, how)
        made.skipped += [SkippedEntry(file=one.path.name, reason=one.reason) for one in alone]
        longs = _Longs(how)
        for done, found in enumerate(matches):
            if progress is not None:
                progress(done, len(matches), found.short.name)
            _examine(made, found, longs)
        if made.sensor is None or not (made.pairs or made.rejected):
            reasons = "; ".join(f"{one.file}: {one.reason}" for one in made.skipped[:3])
            raise UserError(
                f"no pair of {len(matches)} could be examined, {len(made.skipped)} skipped "
                f"({reasons}); nothing was written"
            )
        frame = made.sensor.frame
        index = Index(
            made_with=f"fa-mobile {__version__}", make=frame.make, model=frame.model,
            profile=how.profile, noise_from=how.noise_from, pairs=tuple(made.pairs),
            rejected=tuple(made.rejected), skipped=tuple(made.skipped),
        )  # fmt: skip
        text = index.model_dump_json(indent=2) + "\n"
        (partial / INDEX_FILE).write_text(text, encoding="utf-8")
    return index


def check_free(folder: Path, *, overwrite: bool) -> None:
    """Refuse to write where something is that is not to be replaced.

    Raises:
        UserError: saying what is there.
    """
    if not folder.is_dir() or not any(folder.iterdir()):
        return
    if not (folder / INDEX_FILE).is_file():
        raise UserError(f"{folder} holds files that are no dataset of pairs; give a new folder")
    if not overwrite:
        raise UserError(f"{folder} holds a dataset already; give a new folder, or --overwrite")


class _Longs:
    """Long exposures, the last one kept: short ones of a scene come one after the other."""

    def __init__(self, how: How) -> None:
        self._how = how
        self._last: Capture | None = None

    def __call__(self, path: Path) -> Capture:
        if self._last is None or self._last.path != path:
            self._last = None
            self._last = read_capture(path, self._how.profile, self._how.long_gain)
        return self._last


def _examine(made: _Dataset, found: Match, longs: Callable[[Path], Capture]) -> None:
    """Keep, reject or skip one pair."""
    how = made.how
    try:
        short = read_capture(found.short, how.profile, how.short_gain)
        long = longs(found.long)
        check_alike(short, long)
        _check_sensor(made, short)
        noises = _noise(short, how), _noise(long, how)
    except UserError as error:
        made.skipped.append(
            SkippedEntry(file=found.short.name, reason=_nameless(str(error), found))
        )
        return
    made.sensor = made.sensor or short
    name = unused_name(found, _taken(made))
    try:
        aligned = align(short, long, *noises)
    except UserError as error:
        _reject(made, found, str(error), None)
        return
    if aligned.reason is not None:
        place = f"rejected/{name}.png"
        save_picture(made.folder / place, aligned, short)
        _reject(made, found, aligned.reason, place)
        return
    made.pairs.append(write_pair(made.folder, name, found.scene, short, long, aligned))


def _check_sensor(made: _Dataset, short: Capture) -> None:
    if made.sensor is None or made.sensor.sensor[:2] == short.sensor[:2]:
        return
    first = made.sensor.frame
    raise UserError(
        f"it is of {short.frame.make} {short.frame.model}, others here are of {first.make} "
        f"{first.model}: mixed sensors; one dataset is of one sensor, pair the others on their own"
    )


def _noise(capture: Capture, how: How) -> NoiseParameters:
    if how.noise_from == "profile":
        return how.profile.noise(capture.gain)
    if capture.frame.noise is None:
        raise UserError(f"{capture.path} has no NoiseProfile; take the noise from the profile")
    return capture.frame.noise


def _nameless(message: str, found: Match) -> str:
    """A message with the names of files in place of their paths, for the index."""
    for path in (found.short, found.long):
        message = message.replace(str(path), path.name)
    return message.removeprefix(f"{found.short.name}: ")


def _taken(made: _Dataset) -> set[str]:
    maps = (Path(one.map).stem for one in made.rejected if one.map is not None)
    return {*(pair.name for pair in made.pairs), *maps}


def _reject(made: _Dataset, found: Match, reason: str, place: str | None) -> None:
    made.rejected.append(
        RejectedEntry(
            scene=found.scene, short=found.short.name, long=found.long.name, reason=reason,
            map=place,
        )
    )  # fmt: skip
