"""What has to be trained for one row of a table, as data. Nothing is trained or read here.

Runs of several experiments may lie in one folder: what they have in common, such as the common
networks of two tables, is then trained once.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from fa_mobile.experiments.equal import CHECKPOINT, equal_config, run_name
from fa_mobile.experiments.results import Kind
from fa_mobile.training.config import OptimizerName, Precision, TrainConfig
from fa_mobile.training.pipeline import stage_config

PROFILE: Final = "imx258"


@dataclass(frozen=True)
class Stage:
    """One run on disk."""

    config: TrainConfig
    folder: Path


@dataclass(frozen=True)
class Trial:
    """One row: what it starts from (None: nothing), what it trains, and what is measured."""

    name: str
    seed: int
    start: Stage | None
    own: tuple[Stage, ...]
    places: tuple[Path, ...]
    """The run whose weights each member of the measured array has."""
    checkpoint: Path
    """Where that array is kept."""
    parts: dict[str, str]
    """See :class:`fa_mobile.experiments.results.Row`."""
    edges: bool = False
    """Whether the step of the quality across the array's edges is measured."""

    @property
    def config(self) -> TrainConfig:
        """Of the first run of its own."""
        return self.own[0].config


@dataclass(frozen=True)
class Alike:
    """What all trainings of a table share, and the folder that they lie in."""

    runs: Path
    learning_rate: float
    optimizer: OptimizerName
    batch: int
    patch: int
    members: int = 4
    precision: Precision = "float32"

    def from_scratch(self, network: str, seed: int, steps: int) -> Stage:
        """A network that learns the whole range of noise."""
        config = equal_config(
            network, seed, self.learning_rate, steps,
            batch=self.batch, patch=self.patch, optimizer=self.optimizer, members=self.members,
            profile=PROFILE, precision=self.precision,
        )  # fmt: skip
        return Stage(config, self.runs / run_name(config))


class Experiment(Protocol):
    """A table: which rows it can have, and what each takes."""

    @property
    def kind(self) -> Kind:
        """Which of the paper's."""

    @property
    def alike(self) -> Alike:
        """What all trainings share."""

    @property
    def names(self) -> tuple[str, ...]:
        """Of the rows asked for."""

    @property
    def network(self) -> str | None:
        """The one network; None where the rows are networks."""

    @property
    def common_steps(self) -> int:
        """Of the network that the others start from; 0: there is none."""

    @property
    def all_steps(self) -> int:
        """Of each network, the common ones included."""

    def trial(self, name: str, seed: int) -> Trial:
        """What a row takes; also of rows that an earlier command asked for."""


def continued(start: Stage, name: str, steps: int, member: int | None, **others: Any) -> Stage:
    """A run that starts from another one's averaged weights, with the rates of a member's stage.

    Args:
        start: the run it starts from.
        name: what the folder is called behind the name of the other's.
        steps: of this run alone.
        member: whose range of noise; None for the whole range.
        others: further fields of the configuration.
    """
    config = stage_config(start.config, start.folder.parent, str(member or 0), steps)
    update = {
        "member": member,
        "init": str(start.folder),
        "warmup": min(config.warmup, steps // 10),
        **others,
    }
    folder = start.folder.with_name(f"{start.folder.name}-{name}-{steps}")
    return Stage(config.model_copy(update=update), folder)


def single(
    name: str, stage: Stage, start: Stage | None = None, parts: dict[str, str] | None = None
) -> Trial:
    """A row of one network over the whole range: it stands in every place of an array."""
    seed = stage.config.seed if start is None else start.config.seed
    return Trial(
        name, seed, start, (stage,), (stage.folder,) * stage.config.members,
        stage.folder / CHECKPOINT, parts or {},
    )  # fmt: skip
