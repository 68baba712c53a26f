"""Table 2: one model over the whole range of noise against an array of n, each for its subrange.

Both start from one common network and have the same further steps at the same rates, for each
network. The one model stands in every place of an array: its input is brought to the same noises
as the array's, so that the two differ in their weights and in nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from fa_mobile.experiments.equal import CHECKPOINT
from fa_mobile.experiments.results import Kind
from fa_mobile.experiments.trials import Alike, Trial, continued, single
from fa_mobile.training.config import LossName

ONE: Final = "one-model"
ARRAY: Final = "array"
WHOLE: Final[LossName] = "charbonnier"
"""A run over the whole range is called by its loss, so that Table 3 finds it as well."""


@dataclass(frozen=True)
class Subranges:
    """Rows are the one model and the array."""

    alike: Alike
    network: str
    common_steps: int
    """Of the common network."""
    member_steps: int
    """Of the one model, and of each member, after it."""

    kind: Kind = "subranges"
    names: tuple[str, ...] = (ONE, ARRAY)

    @property
    def all_steps(self) -> int:
        """Of each network, the common ones included."""
        return self.common_steps + self.member_steps

    def trial(self, name: str, seed: int) -> Trial:
        """One of the two rows."""
        common = self.alike.from_scratch(self.network, seed, self.common_steps)
        if name == ONE:
            return single(name, continued(common, WHOLE, self.member_steps, None), common)
        members = self.alike.members
        own = tuple(
            continued(common, f"member{index}of{members}", self.member_steps, index)
            for index in range(members)
        )
        together = common.folder.with_name(
            f"{common.folder.name}-array{members}-{self.member_steps}"
        )
        return Trial(
            name, seed, common, own, tuple(stage.folder for stage in own), together / CHECKPOINT,
            {}, edges=True,
        )  # fmt: skip
