"""The whole program that is exported: DN mosaic and gain in, denoised DN mosaic out.

    x = (pack(raw) - black) / (white - black)       normalised signal, packed
    features = domain.enter(x)                      k-sigma, or a stabilised signal
    y = domain.leave(x, features, network(features)), clipped to 0..1
    denoised = unpack(y (white - black) + black)

The networks return residuals: the noisy signal goes to the output without passing through the
network's domain (:mod:`fa_mobile.domains`), in float, whatever the precision of the network.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from fa_mobile.domains import Scalars, domain_of
from fa_mobile.noise import NoiseParameters
from fa_mobile.nsma import NoiseSubrangeModelArray
from fa_mobile.sensor import SensorProfile


class Selected(NamedTuple):
    """What the selector hands on: noise [1] each, and the member's index, int64 [1]."""

    a: Tensor
    b: Tensor
    member: Tensor


class _Levels(nn.Module):
    """Black level and span (white - black) of each packed channel, [1, 4, 1, 1] in DN."""

    black: Tensor
    span: Tensor

    def __init__(self, profile: SensorProfile) -> None:
        super().__init__()
        self.register_buffer("black", _per_channel(profile.black_level), persistent=False)
        self.register_buffer("span", _per_channel(profile.span), persistent=False)


class PackNormalize(_Levels):
    """DN mosaic [N, 1, H, W] to normalised planes [N, 4, H/2, W/2]."""

    def forward(self, raw: Tensor) -> Tensor:
        return (functional.pixel_unshuffle(raw, 2) - self.black) / self.span


class UnpackDenormalize(_Levels):
    """Normalised planes [N, 4, h, w] to the DN mosaic [N, 1, 2h, 2w]."""

    def forward(self, planes: Tensor) -> Tensor:
        return functional.pixel_shuffle(planes * self.span + self.black, 2)


def _per_channel(values: tuple[float, float, float, float]) -> Tensor:
    return torch.tensor(values, dtype=torch.float32).view(1, 4, 1, 1)


class MemberDenoiser(nn.Module):
    """One member of the array with everything around it: (raw, a, b) to denoised.

    ``raw`` and the result are float [N, 1, H, W] in DN; H and W multiples of ``stride``;
    ``a`` and ``b`` are float [1]. ``denoise(raw, *scalars(a, b))`` is the same in two steps: the
    second is all that depends on the pixels.
    """

    anchor_a: Tensor
    anchor_b: Tensor

    def __init__(self, network: nn.Module, anchor: NoiseParameters, profile: SensorProfile) -> None:
        super().__init__()
        self.pack = PackNormalize(profile)
        self.network = network
        self.unpack = UnpackDenormalize(profile)
        self.domain = domain_of(network)
        for name, value in zip(("anchor_a", "anchor_b"), anchor, strict=True):
            self.register_buffer(name, torch.tensor([value]), persistent=False)

    def scalars(self, a: Tensor, b: Tensor) -> Scalars:
        """What :meth:`denoise` needs of the noise: [1] each."""
        return self.scalars_at(a, b, self.anchor_a, self.anchor_b)

    def scalars_at(self, a: Tensor, b: Tensor, anchor_a: Tensor, anchor_b: Tensor) -> Scalars:
        """The same for an anchor that a selector picked."""
        return self.domain.scalars(a, b, anchor_a, anchor_b)

    def denoise(self, raw: Tensor, *scalars: Tensor) -> Tensor:
        """``raw`` to denoised, both [N, 1, H, W] in DN."""
        x = self.pack(raw)
        features = self.domain.enter(x, *scalars)
        denoised = self.domain.leave(x, features, self.network(features), *scalars)
        out: Tensor = self.unpack(torch.clamp(denoised, 0.0, 1.0))
        return out

    def forward(self, raw: Tensor, a: Tensor, b: Tensor) -> Tensor:
        return self.denoise(raw, *self.scalars(a, b))


class GainSelector(nn.Module):
    """gain [1] to (a, b, index): the profile's noise model and the partition's edges.

    index = the number of edges that a is not below; float32 throughout, like every runtime.
    """

    edges: Tensor

    def __init__(self, profile: SensorProfile, edges: tuple[float, ...]) -> None:
        super().__init__()
        self.a_linear = profile.a_linear
        self.b_quadratic = profile.b_quadratic
        self.register_buffer("edges", torch.tensor(edges, dtype=torch.float32), persistent=False)

    def forward(self, gain: Tensor) -> Selected:
        a1, a0 = self.a_linear
        b2, b1, b0 = self.b_quadratic
        a = gain * a1 + a0
        b = (gain * b2 + b1) * gain + b0
        return Selected(a, b, subrange_index(a, self.edges))


def subrange_index(a: Tensor, edges: Tensor) -> Tensor:
    """int64 [1]: how many of ``edges`` [n - 1] the noise ``a`` [1] is not below."""
    return (a >= edges).to(torch.int64).sum(dim=0, keepdim=True)


class RawDenoiser(nn.Module):
    """The contract of a bundle in eager PyTorch: the reference that every artifact must equal.

    ``forward(raw, gain)`` takes ``raw`` float32 [1, 1, H, W] in DN (RGGB at the origin, H and W
    multiples of ``stride``) and ``gain`` float32 [1], and returns ``denoised`` [1, 1, H, W] in DN
    between black and white.
    """

    def __init__(self, array: NoiseSubrangeModelArray) -> None:
        super().__init__()
        spec = array.spec
        self.spec = spec
        self.selector = GainSelector(spec.profile, spec.edges)
        self.members = nn.ModuleList(
            MemberDenoiser(network, anchor, spec.profile)
            for network, anchor in zip(array.networks, spec.anchors, strict=True)
        )

    @property
    def stride(self) -> int:
        """H and W of the mosaic are multiples of this."""
        return 2 * int(self.members[0].network.PACKED_STRIDE)  # type: ignore[union-attr, arg-type]

    def forward(self, raw: Tensor, gain: Tensor) -> Tensor:
        return self.denoise(raw, *self.selector(gain))

    def denoise_with_profile(self, raw: Tensor, a: Tensor, b: Tensor) -> Tensor:
        """The same with the noise given (the ``noise-profile`` selector): a and b float32 [1]."""
        return self.denoise(raw, a, b, subrange_index(a, self.selector.edges))

    def denoise(self, raw: Tensor, a: Tensor, b: Tensor, index: Tensor) -> Tensor:
        """Run member ``index``."""
        out: Tensor = self.members[int(index)](raw, a, b)
        return out
