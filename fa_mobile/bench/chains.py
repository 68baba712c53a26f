"""The convolutions whose speed is taken as the machine's ceiling."""

from __future__ import annotations

from typing import Final, NamedTuple

LENGTH: Final = 4
"""Convolutions in a chain: so many that reading and writing the ends is little."""


class Chain(NamedTuple):
    """``LENGTH`` convolutions kernel x kernel, channels -> channels, on side x side."""

    kernel: int
    channels: int
    side: int

    @property
    def gmacs(self) -> float:
        """Of one run; what the zero padding spares at the borders is counted too."""
        return LENGTH * self.kernel**2 * self.channels**2 * self.side**2 / 1e9

    @property
    def name(self) -> str:
        """For file names and messages."""
        return f"conv{self.kernel}x{self.kernel}-{self.channels}-{self.side}"


CHAINS: Final = (
    Chain(3, 64, 64), Chain(3, 128, 32), Chain(3, 256, 32), Chain(1, 256, 64), Chain(1, 512, 32),
)  # fmt: skip
"""Sides that keep a chain's activations within a core's own caches. Which one wins depends on the
runtime and the machine, so all are timed."""
