"""int8 with the means of float: what rounding shifts on flat colours, taken out beside the network.

A flat colour meets the same steps of int8 at every pixel, so what is rounded off does not average
out: dark gray came out up to a twelfth off. ``mobile`` has a way beside its int8 network that stays
in float (:mod:`fa_mobile.folding.cells`); its weights take that out in closed form
(:mod:`fa_mobile.means`), at no cost when it runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple, TypeGuard

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from fa_mobile.bayer import flat_mosaic
from fa_mobile.flats import aim, flats
from fa_mobile.folding.mosaic import MosaicMember
from fa_mobile.means import Array, best_change, energy, pull, responses
from fa_mobile.networks.mobile import MobileNet
from fa_mobile.noise import NoiseParameters
from fa_mobile.nsma import ArraySpec, subrange
from fa_mobile.patches import capture, to_dn
from fa_mobile.targets.base import CalibrationSample

WEIGHT: Final = "direct.weight"
BIAS: Final = "direct.bias"
"""Parameters of the way in float, by the names that exports give them."""
_CELL: Final = 2 * MobileNet.CELL
"""Side in mosaic pixels."""
_GAINS: Final = 3
_SIDE: Final = 192
_BORDER: Final = 8
"""Cells at each border that zero padding reaches, left out."""
_SEED: Final = 258
_PHOTOS_WEIGHT: Final = 1e6
"""Of what int8 adds to a photo's mean squared error, relative to that: float's means are there to
be had, so flat colours come out as well as with a tenth of it."""
_HELD: Final = 2e-4
"""A weight's change that costs as much as one flat colour off by what is aimed at: a handful of
photos does not show what else there is, and without it a picture of saturated edges lost 1.5 dB."""

Outputs = Sequence[npt.NDArray[np.float32]]


class Change(NamedTuple):
    """What to add to the way's weights [16, c, 1, 1] and biases [16]."""

    weight: npt.NDArray[np.float32]
    bias: npt.NDArray[np.float32]


def flat_samples(spec: ArraySpec, member: int) -> list[CalibrationSample]:
    """Captures of flat colours at every level, from a member's own subrange of noise."""
    rng = np.random.default_rng((_SEED, member))
    a_range = subrange(spec.profile.a_range, spec.edges, member)
    found = []
    for flat in flats(spec.profile, a_range, _GAINS, _SEED):
        clean = flat_mosaic(flat.truth, _SIDE)
        raw = capture(clean, flat.noise, spec.profile, rng)
        truth = to_dn(clean, spec.profile)
        found.append(CalibrationSample(raw[None, None], *flat.noise, truth=truth[None, None]))
    return found


def can_settle(member: nn.Module) -> TypeGuard[MosaicMember]:
    """Whether a folded member has a way in float beside its network."""
    return isinstance(member, MosaicMember) and member.direct is not None


@torch.no_grad()
def settle(
    member: MosaicMember,
    flat: Sequence[CalibrationSample],
    photos: Sequence[CalibrationSample],
    floats: Outputs,
    int8: Outputs,
) -> Change:
    """The change of the way in float with which int8 has float's means.

    Args:
        member: folded, in float; one that :func:`can_settle`.
        flat: of :func:`flat_samples`.
        photos: captures that are not to become worse.
        floats, int8: what the member makes of ``flat`` and then of ``photos``, before and after
            its quantization.
    """
    off = [after - before for before, after in zip(floats, int8, strict=True)]
    rows, errors = [], []
    for sample, error in zip(flat, off[: len(flat)], strict=True):
        level = (_by_channel(member, sample.truth).mean(1) - member.black) / member.span
        aims = member.span * aim(level, NoiseParameters(sample.a, sample.b))
        slope, seen = _way(member, sample, _BORDER)
        rows.append(responses(slope, seen) / aims[:, None])
        errors.append(_by_channel(member, error, _BORDER).mean(1) / aims)
    pulled = pull(_photos(member, photos, floats[len(flat) :], off[len(flat) :]))
    moves, wanted = np.array(rows), -np.array(errors)
    found = np.array(
        [
            best_change(moves[:, i], wanted[:, i], pulled, i, weight=_PHOTOS_WEIGHT, held=_HELD)
            for i in range(moves.shape[1])
        ]
    ).astype(np.float32)
    return Change(found[:, :-1, None, None], found[:, -1])


def _photos(
    member: MosaicMember, samples: Sequence[CalibrationSample], floats: Outputs, off: Outputs
) -> Iterator[tuple[Array, Array, Array, float]]:
    for sample, output, error in zip(samples, floats, off, strict=True):
        signal = (float(sample.truth.mean()) - member.black) / member.span
        variance = member.span**2 * (sample.a * signal + sample.b)
        own = energy(output - sample.truth, variance)
        yield _by_channel(member, error), *_way(member, sample, 0), own


def _way(member: MosaicMember, sample: CalibrationSample, border: int) -> tuple[Array, Array]:
    """Slope of the result over the residual [16, p], and what the way in float sees [c, p]."""
    scalars = member.scalars(torch.tensor([sample.a]), torch.tensor([sample.b]))
    raw = torch.from_numpy(sample.raw)
    features = member.domain.enter(raw, *scalars)
    slope = member.domain.leave(torch.zeros_like(raw), features, torch.ones_like(raw), *scalars)
    noisy = member.pack(features)
    seen = torch.cat([noisy, torch.ones_like(noisy[:, :1])], dim=1)
    return _by_channel(member, slope.numpy(), border), _inside(seen, border)


def _by_channel(member: MosaicMember, mosaic: npt.NDArray[np.float32], border: int = 0) -> Array:
    """A mosaic [1, 1, H, W] by channel of the residual, [16, cells]."""
    # Where in a cell the unpacking puts each channel.
    channels = member.unpack(torch.arange(float(_CELL**2)).view(1, -1, 1, 1)).flatten()
    cells = functional.pixel_unshuffle(torch.from_numpy(mosaic), _CELL)
    return _inside(cells[:, channels.argsort()], border)


def _inside(cells: Tensor, border: int) -> Array:
    inside = slice(border, cells.shape[-1] - border)
    return np.asarray(cells[0, :, inside, inside].flatten(1).double().numpy())
