"""The domains in which networks see a capture: there its noise is alike at every gain.

A domain turns a normalised signal ``x`` of noise (a, b) into the features that a network takes,
and the network's residual back into a step of the signal. Only ``x`` and that step make the
result, so it stays in float whatever the network's precision.
All scalars are tensors that broadcast with ``x``, computed once for each capture.
"""

from __future__ import annotations

from typing import Final, Protocol

import torch
from torch import Tensor, nn

Scalars = tuple[Tensor, ...]


class Domain(Protocol):
    """How a capture enters a network, and how its residual comes back."""

    def scalars(self, a: Tensor, b: Tensor, anchor_a: Tensor, anchor_b: Tensor) -> Scalars:
        """What :meth:`enter` needs of the capture's noise (a, b) and the member's anchor."""

    def enter(self, x: Tensor, *scalars: Tensor) -> Tensor:
        """The features of ``x``."""

    def leave(self, x: Tensor, features: Tensor, residual: Tensor, *scalars: Tensor) -> Tensor:
        """``x`` moved by a network's residual: the denoised signal, not clipped."""

    def in_dn(self, scalars: Scalars, black: float, span: float) -> Scalars:
        """The scalars with which the domain takes DN: the same features, and DN back.

        Args:
            scalars: for the normalised signal.
            black, span: black level and white - black, DN.
        """


class KSigmaDomain:
    """The k-sigma transform to the member's anchor (see :mod:`fa_mobile.noise`): linear.

    There the noise is that of the anchor, so it still depends on the signal.
    """

    def scalars(self, a: Tensor, b: Tensor, anchor_a: Tensor, anchor_b: Tensor) -> Scalars:
        scale = anchor_a / a
        return scale, scale * (b / a) - anchor_b / anchor_a, a / anchor_a

    def enter(self, x: Tensor, *scalars: Tensor) -> Tensor:
        scale, offset, _ = scalars
        return x * scale + offset

    def leave(self, x: Tensor, features: Tensor, residual: Tensor, *scalars: Tensor) -> Tensor:  # noqa: ARG002
        return x + residual * scalars[2]

    def in_dn(self, scalars: Scalars, black: float, span: float) -> Scalars:
        scale, offset, inverse = scalars
        per_dn = scale / span
        return per_dn, offset - per_dn * black, inverse * span


class StabilizedDomain:
    """A square root that makes the noise alike at every signal level, after F. J. Anscombe.

    With S(x) = sqrt(a x + b + 4 a sqrt(b)), features = (2 / a) S(x) / 20: noise has a standard
    deviation near 1/20 in bright and dark parts and at every gain, and the full range is 7 at
    base gain, 1.5 at the highest of an IMX258. The shift by 4 a sqrt(b) keeps noise below the
    black level, down to four of its standard deviations, under the root; what is lower still is
    cut off at one standard deviation. Each term here is a pass over the whole mosaic on a phone,
    so there are no more of them than these. The anchor is not needed.
    """

    NOISE: Final = 0.05
    """Standard deviation of the noise in the features, about."""

    def scalars(self, a: Tensor, b: Tensor, anchor_a: Tensor, anchor_b: Tensor) -> Scalars:  # noqa: ARG002
        # Tensors divided by tensors only: coremltools adds 1e-4 to the divisor of a number.
        unit = torch.full_like(a, 2 * self.NOISE) / a
        gain = unit * unit * a
        level = unit * unit * (b + 4 * a * torch.sqrt(b))
        return gain, level, a / (2 * self.NOISE * self.NOISE)

    def enter(self, x: Tensor, *scalars: Tensor) -> Tensor:
        gain, level, _ = scalars
        return torch.sqrt(torch.clamp(x * gain + level, min=self.NOISE * self.NOISE))

    def leave(self, x: Tensor, features: Tensor, residual: Tensor, *scalars: Tensor) -> Tensor:
        # The features times ``back`` are the slope of the root's inverse. In this order a runtime
        # need not keep the slope beside them while the network runs.
        return x + features * (residual * scalars[2])

    def in_dn(self, scalars: Scalars, black: float, span: float) -> Scalars:
        gain, level, back = scalars
        per_dn = gain / span
        return per_dn, level - per_dn * black, back * span


DOMAINS: Final[dict[str, Domain]] = {
    "k-sigma": KSigmaDomain(),
    "stabilized": StabilizedDomain(),
}


def domain_of(network: nn.Module) -> Domain:
    """The domain that a network was made for."""
    return DOMAINS[str(network.DOMAIN)]
