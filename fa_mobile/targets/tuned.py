"""The table of measured folds: for each target, precision and network the fastest plan known.

``tuned.json`` beside this module is written by ``make tune`` and read by the targets; it holds
the evidence for each choice.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from fa_mobile.errors import UserError, describe_validation
from fa_mobile.folding import FoldPlan
from fa_mobile.networks import NETWORK_NAMES
from fa_mobile.targets.table import PRECISIONS, TARGET_NAMES

TUNED_FILE: Final = Path(__file__).with_name("tuned.json")

Text = Annotated[str, Field(min_length=1, max_length=400)]
Above = Annotated[float, Field(gt=0)]
Value = bool | int | str | None
"""Of one field of a :class:`FoldPlan`."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Times(_Strict):
    """Of one member's call, and as ratios to the value that the plan had before, round by round."""

    min_ms: Above
    median_ms: Above
    min_ratio: Above
    """Of the two minima."""
    median_ratio: Above
    """The median of the rounds' ratios."""


class Trial(_Strict):
    """One value of one field of the plan, all others as they stood then."""

    field: Text
    value: Value
    kept: bool
    times: Times | None
    reason: Text | None = None
    """Why there are no times: "refused: ..." by exporter or runtime, or "not run: ..."."""

    @model_validator(mode="after")
    def _measured_or_explained(self) -> Self:
        if (self.times is None) == (self.reason is None):
            raise ValueError("either times or a reason must be given, not both")
        if self.kept and self.times is None:
            raise ValueError("a value that was not measured cannot be kept")
        return self


class Conditions(_Strict):
    """How an entry was measured. Weights are random: they do not change the time."""

    date: datetime.date
    cpu: Text
    versions: dict[str, str]
    side: Annotated[int, Field(gt=0)]
    """H and W of the mosaic."""
    threads: Annotated[int, Field(gt=0)]
    rounds: Annotated[int, Field(gt=0)]


class Entry(_Strict):
    """The plan kept, what it was measured against, and the ratio of its time to the first one's.

    ``ratio`` is the median over the rounds of a last race between ``start`` and ``plan``.
    """

    target: str
    precision: str
    network: str
    start: FoldPlan
    plan: FoldPlan
    ratio: Above
    conditions: Conditions
    trials: tuple[Trial, ...]

    @property
    def key(self) -> tuple[str, str, str]:
        """(target, precision, network)."""
        return self.target, self.precision, self.network

    @model_validator(mode="after")
    def _known(self) -> Self:
        if self.target not in TARGET_NAMES:
            raise ValueError(f"target {self.target!r}: allowed are {', '.join(TARGET_NAMES)}")
        if self.precision not in PRECISIONS[self.target]:
            allowed = ", ".join(PRECISIONS[self.target])
            raise ValueError(f"precision {self.precision!r} of {self.target}: allowed: {allowed}")
        if self.network not in NETWORK_NAMES:
            raise ValueError(f"network {self.network!r}: allowed are {', '.join(NETWORK_NAMES)}")
        return self


class Table(_Strict):
    """The whole file."""

    schema_version: Literal[1] = 1
    entries: tuple[Entry, ...] = ()

    @model_validator(mode="after")
    def _one_each(self) -> Self:
        keys = [entry.key for entry in self.entries]
        if twice := sorted({" ".join(key) for key in keys if keys.count(key) > 1}):
            raise ValueError(f"more than one entry for {', '.join(twice)}")
        return self

    def entry(self, target: str, precision: str, network: str) -> Entry | None:
        """The entry for these three, if there is one."""
        wanted = (target, precision, network)
        return next((entry for entry in self.entries if entry.key == wanted), None)

    def with_entry(self, new: Entry) -> Table:
        """The table with ``new`` in the place of the entry for the same three; sorted."""
        others = [entry for entry in self.entries if entry.key != new.key]
        return Table(entries=tuple(sorted([*others, new], key=lambda entry: entry.key)))


def parse_table(text: str, *, source: str) -> Table:
    """A table from its JSON.

    Raises:
        UserError: naming ``source`` and everything that is wrong.
    """
    try:
        return Table.model_validate_json(text)
    except ValidationError as error:
        raise UserError(
            f"table of folds {source}: {describe_validation(error)}; 'make tune' writes it anew"
        ) from error


@cache
def shipped_table() -> Table:
    """The package's table; empty where there is no file.

    Raises:
        UserError: for a file that is not such a table.
    """
    if not TUNED_FILE.is_file():
        return Table()
    return parse_table(TUNED_FILE.read_text(encoding="utf-8"), source=TUNED_FILE.name)


def plan_for(
    target: str,
    precision: str,
    network: str,
    guess: FoldPlan,
    report: Callable[[str], None],
) -> FoldPlan:
    """The plan that the table has for a network on a target, else ``guess``; says which.

    Raises:
        UserError: when the table is damaged.
    """
    entry = shipped_table().entry(target, precision, network)
    if entry is None:
        report(f"folds: a guess, {TUNED_FILE.name} has no entry for {network} ('make tune')")
        return guess
    report(f"folds: measured on {entry.conditions.cpu}, {entry.conditions.date}")
    return entry.plan
