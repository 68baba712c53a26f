"""One table of the paper from photos to its files: JSON, Markdown, crops."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from fa_mobile.errors import UserError
from fa_mobile.evaluation.captures import CROP
from fa_mobile.evaluation.measures import ALL, Measure, chosen_measures
from fa_mobile.evaluation.stlpips import StLpips
from fa_mobile.evaluation.subjects import of_array
from fa_mobile.experiments.crops import GAINS as SHOWN_GAINS
from fa_mobile.experiments.crops import picture_of
from fa_mobile.experiments.markdown import document
from fa_mobile.experiments.photos import Photos, photos_to_measure, training_digest
from fa_mobile.experiments.results import (
    Picture,
    Settings,
    Table,
    continued_table,
    write_table,
)
from fa_mobile.experiments.running import (
    NOISE_SEED,
    Measuring,
    Reports,
    run_rows,
    shown_arrays,
)
from fa_mobile.experiments.trials import PROFILE, Experiment
from fa_mobile.experiments.wording import PERCEPTUAL, short_title
from fa_mobile.files import explained, replace_file
from fa_mobile.preview import save_picture
from fa_mobile.sensor import load_profile
from fa_mobile.training.pipeline import Data, load_data


class Given(NamedTuple):
    """What every table takes."""

    photos: Sequence[Path]
    """Folders, to train on."""
    test: Sequence[Path]
    """Folders, to measure on."""
    seeds: Sequence[int]
    gains: tuple[float, ...]
    output: Path
    """Folder."""
    perceptual: Path | None
    """Weights of ST-LPIPS."""
    picture: str | None
    """File name of the test photo whose crops are shown; None: the first by name."""
    anew: bool
    """Leave out what the output holds."""


def rebuild(experiment: Experiment, given: Given, reports: Reports) -> Table:
    """Train, measure and write a table; what is on disk of it already is kept.

    Everything that can be refused is refused before the first step.

    Raises:
        UserError: for photos, weights or an output that cannot be used, or a training that stops.
    """
    measures, perceptual_sha256 = _measures(given.perceptual)
    training_sha256, trained_on = training_digest(given.photos)
    least = max(measure.least_side for measure in measures.values())
    photos = photos_to_measure(given.test, least, trained_on)
    shown = _shown_photo(photos, given.picture)
    data = load_data(given.photos, [], experiment.alike.patch)
    for line in (*photos.skipped, *data.skipped):
        reports.say(f"skipped: {line}")
    reports.say(
        f"{len(data.sources)} images to train on, {len(data.held_out)} to validate with, "
        f"{len(photos.paths)} to measure on"
    )
    settings = _settings(
        experiment, data, photos, training_sha256, tuple(measures), given.gains, perceptual_sha256
    )
    table = Table(table=experiment.kind, settings=settings)
    with explained(given.output):
        given.output.mkdir(parents=True, exist_ok=True)
    path = given.output / f"{table.stem}.json"
    table = continued_table(path, table, anew=given.anew)
    seeds = list(dict.fromkeys(given.seeds))
    how = Measuring(photos.paths, measures, given.gains)
    table = run_rows(experiment, seeds, table, data, how, reports, lambda t: _write(t, path))
    table = _draw(experiment, table, shown, path, reports)
    _write(table, path)
    return table


def _measures(perceptual: Path | None) -> tuple[dict[str, Measure], str | None]:
    measures = chosen_measures([ALL])
    if perceptual is None:
        return measures, None
    distance = StLpips(perceptual)
    return measures | {PERCEPTUAL: distance.measure}, distance.sha256


def _shown_photo(photos: Photos, name: str | None) -> Path:
    if name is None:
        return photos.paths[0]
    for path in photos.paths:
        if path.name == name:
            return path
    some = ", ".join(path.name for path in photos.paths[:3])
    raise UserError(
        f"picture {name!r} was given; allowed are the file names of test photos, such as {some}"
    )


def _settings(
    experiment: Experiment,
    data: Data,
    photos: Photos,
    training_sha256: str,
    measures: tuple[str, ...],
    gains: tuple[float, ...],
    perceptual_sha256: str | None,
) -> Settings:
    alike, profile = experiment.alike, load_profile(PROFILE)
    first = experiment.trial(experiment.names[0], 0)
    return Settings(
        network=experiment.network,
        sensor=profile.name,
        provenance=profile.provenance,
        members=alike.members,
        steps=experiment.all_steps,
        common_steps=experiment.common_steps,
        batch=alike.batch,
        patch=alike.patch,
        optimizer=alike.optimizer,
        precision=alike.precision,
        learning_rate=alike.learning_rate,
        later_rate=None if first.start is None else first.config.learning_rate,
        training_images=len(data.sources),
        validation_images=len(data.held_out),
        training_sha256=training_sha256,
        test_photos=len(photos.paths),
        test_sha256=photos.sha256,
        crop=CROP,
        noise_seed=NOISE_SEED,
        gains=gains,
        measures=measures,
        perceptual_sha256=perceptual_sha256,
    )


def _write(table: Table, path: Path) -> None:
    write_table(table, path)
    with replace_file(path.with_suffix(".md")) as partial:
        partial.write_text(document(table), encoding="utf-8")


def _draw(experiment: Experiment, table: Table, photo: Path, path: Path, reports: Reports) -> Table:
    """Write the crops beside the table; returns the table that says where they come from."""
    arrays = shown_arrays(experiment, table)
    members = table.settings.members
    subjects = {
        short_title(name, members).strip("`"): of_array(array).denoise
        for name, array in arrays.items()
    }
    with reports.measuring() as progress:
        picture, place = picture_of(photo, subjects, load_profile(PROFILE), NOISE_SEED, progress)
    save_picture(picture, path.with_suffix(".png"))
    made = Picture(
        photo=photo.name, gains=SHOWN_GAINS, seed=table.rows[0].seed, rows=tuple(arrays),
        **place._asdict(),
    )  # fmt: skip
    return table.model_copy(update={"picture": made})
