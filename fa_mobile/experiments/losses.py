"""Table 3: the paper's four losses on one network, all from one common network."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, get_args

from fa_mobile.errors import UserError
from fa_mobile.experiments.results import Kind
from fa_mobile.experiments.trials import Alike, Trial, continued, single
from fa_mobile.nsma import read_spec
from fa_mobile.training.config import PaperLoss, TrainConfig
from fa_mobile.training.objective import build_objective, pinned

LOSSES: Final[tuple[PaperLoss, ...]] = get_args(PaperLoss)
_TEACHER, _VGG = "teacher", "perceptual_weights"
_READS: Final = {"perceptual": _VGG, "distillation": _TEACHER, "feature": _TEACHER}
"""The field of the configuration that holds the part of a loss."""


@dataclass(frozen=True)
class Losses:
    """Rows are losses. Files of losses that are not asked for need not be there."""

    alike: Alike
    names: tuple[str, ...]
    network: str
    common_steps: int
    """Of the common network, with Charbonnier."""
    loss_steps: int
    """With each loss, after it."""
    teacher: Path | None
    perceptual_weights: Path | None

    kind: Kind = "losses"

    @property
    def all_steps(self) -> int:
        """Of each network, the common ones included."""
        return self.common_steps + self.loss_steps

    def trial(self, name: str, seed: int) -> Trial:
        """One loss.

        Raises:
            UserError: when the file that it reads is missing.
        """
        common = self.alike.from_scratch(self.network, seed, self.common_steps)
        field = _READS.get(name)
        given = None if field is None else getattr(self, field)
        part = {} if given is None else {str(field): str(given)}
        stage = continued(common, name, self.loss_steps, None, loss=name, **part)
        return single(name, stage, common, _parts(stage.config) if part else {})

    def check(self) -> None:
        """Refuse a loss whose part was not given or cannot be read, before anything is trained.

        Raises:
            UserError: naming the loss, and how to do without it.
        """
        for name in self.names:
            field = _READS.get(name)
            if field is not None and getattr(self, field) is None:
                rest = " ".join(
                    f"--loss {loss}" for loss in self.names if _READS.get(loss) != field
                )
                raise UserError(
                    f"loss {name} reads a file that was not given; give it with "
                    f"--{field.replace('_', '-')}, or leave the loss out: "
                    f"{rest or '--loss charbonnier'}"
                )
            build_objective(self.trial(name, 0).config)


def _parts(config: TrainConfig) -> dict[str, str]:
    """Names and hashes of the files that a loss reads; no path."""
    pins = pinned(config)
    parts = {}
    if config.teacher is not None and pins.teacher_sha256 is not None:
        path = Path(config.teacher)
        parts["teacher"] = read_spec(path).name if path.is_dir() else path.name
        parts["teacher_sha256"] = pins.teacher_sha256
    if pins.perceptual_sha256 is not None:
        parts["vgg16_sha256"] = pins.perceptual_sha256
    return parts
