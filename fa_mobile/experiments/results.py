"""What is kept of a table of the paper: one JSON file, from which its Markdown is written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fa_mobile.errors import UserError, describe_validation
from fa_mobile.evaluation.edges import EdgeStep
from fa_mobile.files import replace_file

SCHEMA: Final = 1
Kind = Literal["ablation", "subranges", "losses"]
NUMBERS: Final[dict[Kind, int]] = {"ablation": 1, "subranges": 2, "losses": 3}
"""Of the tables in the paper."""
Count = Annotated[int, Field(ge=0)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Kept(BaseModel):
    """Base of what is kept: no unknown field, no change, no NaN or infinity."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Score(Kept):
    """Means over the test photos at one gain, by name of the measure."""

    gain: float
    values: dict[str, float]


class Row(Kept):
    """One subject of a table, trained with one seed."""

    name: str
    seed: int
    weights_sha256: Sha256
    """Of the very weights that were measured."""
    seconds_per_step: float | None
    """Median; None where the training had ended in an earlier sitting."""
    scores: tuple[Score, ...]
    edges: tuple[EdgeStep, ...] = ()
    parts: dict[str, str] = {}
    """What the training read beside photos: names and hashes of a teacher, of VGG16."""

    def mean(self, measure: str) -> float:
        """Over the gains."""
        return float(np.mean([score.values[measure] for score in self.scores]))


class Settings(Kept):
    """What all rows of a table have in common. The noise is synthetic."""

    network: str | None
    """None where the rows are networks."""
    sensor: str
    provenance: str
    """Of the sensor's noise profile."""
    noise: Literal["synthetic"] = "synthetic"
    members: Count
    steps: Count
    """Of each network, the common ones included."""
    common_steps: Count
    """Of them, those of the common network that the others start from; 0: there is none."""
    batch: Count
    patch: Count
    """Mosaic pixels along a side."""
    optimizer: str
    precision: str = "float32"
    """Of the arithmetic."""
    learning_rate: float
    """Peak, of the runs from scratch."""
    later_rate: float | None
    """Peak, of the runs that start from the common network."""
    training_images: Count
    validation_images: Count
    training_sha256: Sha256
    test_photos: Count
    test_sha256: Sha256
    crop: Count
    """Side of the centre of each test photo that is measured."""
    noise_seed: int
    gains: tuple[float, ...]
    measures: tuple[str, ...]
    perceptual_sha256: Sha256 | None
    """Of the weights of the perceptual distance; None: not measured."""


class Picture(Kept):
    """Where the crops come from, which lie beside the table as PNG."""

    photo: str
    """The file's name."""
    top: Count
    left: Count
    side: Count
    gains: tuple[float, ...]
    seed: int
    """Of the trainings that are shown."""
    rows: tuple[str, ...]


class Table(Kept):
    """A table of the paper, rebuilt."""

    schema_version: Literal[1] = SCHEMA
    table: Kind
    settings: Settings
    noisy: tuple[Score, ...] = ()
    """Of the captures themselves."""
    rows: tuple[Row, ...] = ()
    picture: Picture | None = None

    @property
    def stem(self) -> str:
        """Name of its files, without the ending."""
        return f"table{NUMBERS[self.table]}"

    def names(self) -> list[str]:
        """Of the rows, each once, in the order in which they were measured first."""
        return list(dict.fromkeys(row.name for row in self.rows))

    def seeds_of(self, name: str) -> list[Row]:
        """The rows of a name: one for each seed."""
        return [row for row in self.rows if row.name == name]

    def row(self, name: str, seed: int) -> Row | None:
        """The row of a name and a seed."""
        return next((r for r in self.rows if (r.name, r.seed) == (name, seed)), None)

    def mean(self, name: str, measure: str) -> float:
        """Of a name over gains and seeds."""
        return float(np.mean([row.mean(measure) for row in self.seeds_of(name)]))

    def by_gain(self, name: str, measure: str) -> list[float]:
        """Of a name over its seeds, gain by gain."""
        values = [[s.values[measure] for s in row.scores] for row in self.seeds_of(name)]
        return [float(value) for value in np.mean(values, axis=0)]

    def with_row(self, row: Row, noisy: tuple[Score, ...]) -> Table:
        """The table with a row more, or with this one in the place of an older one."""
        rows = {(r.name, r.seed): r for r in (*self.rows, row)}
        return self.model_copy(update={"rows": tuple(rows.values()), "noisy": noisy})


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """The settings that are not alike, each with both values; empty where all are."""
    return ", ".join(
        f"{name} ({before[name]}, {after[name]})" for name in before if before[name] != after[name]
    )


def read_table(path: Path) -> Table:
    """A table that :func:`write_table` wrote.

    Raises:
        UserError: when it cannot be read or is none.
    """
    advice = "delete it, or give --anew to measure everything again"
    try:
        return Table.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise UserError(
            f"{path} holds no table of experiments ({describe_validation(error)}); {advice}"
        ) from error
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error}); {advice}") from error


def continued_table(path: Path, empty: Table, *, anew: bool) -> Table:
    """``empty``, or what the file holds of the same settings: so no row is measured twice.

    Args:
        path: of the table's JSON; need not exist.
        empty: the table asked for, without rows.
        anew: leave out what the file holds.

    Raises:
        UserError: when the file holds rows of other settings, naming what differs.
    """
    if anew or not path.is_file():
        return empty
    kept = read_table(path)
    settings = [{"table": t.table, **t.settings.model_dump()} for t in (kept, empty)]
    if unlike := differences(*settings):
        raise UserError(
            f"{path} holds rows that were trained or measured otherwise; these differ (there, "
            f"now): {unlike}; give the same settings, another output (-o), or --anew to replace it"
        )
    return kept


def write_table(table: Table, path: Path) -> None:
    """Write a table as JSON.

    Raises:
        UserError: when it cannot be written.
    """
    with replace_file(path) as partial:
        partial.write_text(table.model_dump_json(indent=1) + "\n", encoding="utf-8")
