"""Table 1: the network with Feature-Align against those without it, trained alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from fa_mobile.experiments.results import Kind
from fa_mobile.experiments.trials import Alike, Trial, single

NETWORKS: Final = ("paper", "plain", "wavelet", "paper-no-skips", "mobile")
"""The paper's four, and the one that is shipped."""


@dataclass(frozen=True)
class Ablation:
    """Rows are networks, each over the whole range of noise."""

    alike: Alike
    names: tuple[str, ...]
    steps: int

    kind: Kind = "ablation"
    network: None = None
    common_steps: int = 0

    @property
    def all_steps(self) -> int:
        """Of each network."""
        return self.steps

    def trial(self, name: str, seed: int) -> Trial:
        """One network."""
        return single(name, self.alike.from_scratch(name, seed, self.steps))
