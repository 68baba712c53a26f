"""Where the time of ``mobile`` goes: what timing its parts as programs of their own gave.

The runtime that pip brings has no tracer of operators. So parts are left out, and what is left is
timed in the same rounds (:mod:`fa_mobile.bench.part_programs`): a part's cost is a difference.
"""

from __future__ import annotations

from typing import Final

from fa_mobile.bench.device import Strict
from fa_mobile.bench.statistics import median

WHOLE: Final = "the member"
CELLS: Final = "from packed cells to cells: the member without domain and packing"
FRONT: Final = "of it what is float: the front end and the direct way"
NO_ALIGN: Final = "from cells to cells without Feature-Align"
NO_SUMS: Final = "the same without the blocks' sums either"


class Parts(Strict):
    """Samples in ms of each part on one frame, round by round."""

    cpu: str
    threads: int
    width: int
    height: int
    samples_ms: dict[str, tuple[float, ...]]

    def ms_per_mp(self, part: str) -> float:
        """The median."""
        return median(self.samples_ms[part]) / (self.width * self.height / 1e6)
