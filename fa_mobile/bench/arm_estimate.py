"""Milliseconds on a phone's CPU, estimated from instructions. Nothing here was measured on one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from fa_mobile.errors import UserError

INSTRUCTIONS_PER_SECOND: Final = (10e9, 13e9)
"""Of four Cortex-A76 at 2.4 GHz together, rounded outwards; see :func:`estimate_milliseconds`."""


@dataclass(frozen=True)
class EstimatedMilliseconds:
    """A range, and what it stands on."""

    low: float
    high: float
    label: Literal["estimated"] = "estimated"
    basis: str = (
        "10 to 13 G instructions/s, as a Raspberry Pi 5 (four Cortex-A76) executes in MobileNetV2"
    )

    def __str__(self) -> str:
        return f"{self.low:.0f} to {self.high:.0f} ms (estimated)"


def estimate_milliseconds(instructions: float) -> EstimatedMilliseconds:
    """The time of a run on a chip like a Raspberry Pi 5's (four Cortex-A76), estimated.

    The anchor is MobileNetV2 on ExecuTorch's XNNPACK. Published times on such a board, all its
    threads: fp32 10.89 ms, int8 4.01 ms. Instructions counted as here: fp32 112.4 M, int8 50.7 M.
    So 112.4 M / 10.89 ms = 10.3 G/s and 50.7 M / 4.01 ms = 12.6 G/s, rounded outwards to 10 and
    13. At 4 x 2.4 GHz this is 1.1 to 1.3 instructions a cycle and core.

    It holds for networks that keep the cores as busy as MobileNetV2 does. At a megapixel our
    activations leave the caches, which MobileNetV2's at 224 x 224 hardly do: take the slow end as
    the nearer one. It says nothing of other CPUs, nor of a phone that is hot.

    Args:
        instructions: of one run, counted for a Cortex-A76.

    Raises:
        UserError: unless it is a number above 0.
    """
    if not 0 < instructions < float("inf"):
        raise UserError(f"{instructions} instructions were given; allowed are numbers above 0")
    slow, fast = INSTRUCTIONS_PER_SECOND
    return EstimatedMilliseconds(low=1e3 * instructions / fast, high=1e3 * instructions / slow)
