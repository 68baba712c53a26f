"""After training: the means of flat colours put right, in closed form.

A loss over photos leaves the mean of what is flat and dark a hundredth or two off, too little for
any patch to show above its noise. Over many captures it shows, and it is a smooth function of the
level. Per Bayer colour, the weights of that colour's own windows on the direct way of ``mobile``
and a bias take the error out by least squares, photos permitting (:mod:`fa_mobile.means`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from fa_mobile.bayer import PACKED_CHANNELS, flat_mosaic, pack
from fa_mobile.domains import StabilizedDomain, domain_of
from fa_mobile.flats import Flat, aim, flats
from fa_mobile.means import Array, Pull, best_change, energy, pull, responses
from fa_mobile.networks.mobile import CellFront, MobileNet
from fa_mobile.noise import NoiseParameters, clipped_mean
from fa_mobile.patches import capture, to_signal
from fa_mobile.progress import counter
from fa_mobile.sensor import SensorProfile
from fa_mobile.training.sources import Mosaic

_GAINS: Final = 5
"""Over a member's range, both ends included."""
_SIDE: Final = 512
_BORDER: Final = 12
"""Cells at each border of a flat that zero padding reaches, left out."""
_PRECISION: Final = 0.002
"""Standard error of a capture's own mean, relative to the level, that captures are drawn for."""
_FRAMES: Final = (2, 60)
_ROUNDS: Final = 2
_HEADROOM: Final = 0.5
"""Standard deviations of noise below white from which on means are left as they are."""
_NOTHING: Final = 0.02
"""Standard deviations of noise that may be added where nothing is to be."""
_PHOTOS_WEIGHT: Final = 5e4
"""Of a photo's mean squared error: 0.2 % more counts as much as a flat colour whose mean is off by
ten times what is aimed at."""
_HELD: Final = 0.25 * StabilizedDomain.NOISE / CellFront.LIMIT
"""A window's weight that moves the residual by half the noise from end to end."""
_CELL: Final = MobileNet.CELL**2
_COLOURS: Final = len(PACKED_CHANNELS)
_POSITIONS: Final = _COLOURS * _CELL


class _Measured(NamedTuple):
    """Means over all captures of a flat colour, by position within the cell: [16, ...]."""

    error: Array
    """Of the result, less what the capture's own mean is off by chance: [16]."""
    responses: Array
    """By how much a unit of each channel's weight, and of the bias, would move it: [16, 25]."""


def frames(flat: Flat) -> int:
    """How often a flat colour is captured: the more often the more noise hides it."""
    weakest = min(flat.truth)
    relative = _spread(weakest, flat.noise) / weakest
    return int(np.clip(math.ceil((relative / _PRECISION) ** 2), *_FRAMES))


def stays(flat: Flat, colour: int) -> bool:
    """Whether a mean is left as it is: of highlights, and where much of the noise is cut.

    What photos taught the network of these stays.
    """
    return flat.white or flat.truth[colour] + _HEADROOM * flat.sigma(colour) > 1


def _aim(flat: Flat, colour: int) -> float:
    """The error of the colour's mean that counts as one."""
    if stays(flat, colour):
        return _NOTHING * flat.sigma(colour)
    return float(aim(np.array(flat.truth), flat.noise)[colour])


def _spread(truth: float, noise: NoiseParameters) -> float:
    """Standard error of the mean of one capture's inside."""
    pixels = (_SIDE // 2 - 2 * MobileNet.CELL * _BORDER) ** 2
    return math.sqrt((noise.a * truth + noise.b) / pixels)


@torch.no_grad()
def balance(
    network: nn.Module,
    profile: SensorProfile,
    a_range: tuple[float, float],
    photos: Sequence[Mosaic],
    *,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Put the means of flat colours right, in place.

    Args:
        network: trained, in evaluation mode; others than ``mobile`` stay as they are.
        profile: of the sensor; synthetic noise.
        a_range: the noises that the member serves.
        photos: clean mosaics, sides multiples of 16, that are not to become worse.
        seed: of tints and noise.
        progress: called with (captures denoised, captures in all).
    """
    if not isinstance(network, MobileNet):
        return
    wanted = flats(profile, a_range, _GAINS, seed)
    count = counter(progress, _ROUNDS * (sum(map(frames, wanted)) + len(photos)))
    for turn in range(_ROUNDS):
        rng = np.random.default_rng((seed, turn))
        measured = [_measure(network, flat, profile, rng, count) for flat in wanted]
        noises = [flat.noise for flat in wanted]
        pulled = pull(_on_photos(network, photos, noises, profile, rng, count))
        _correct(network, *_solve(network.front, wanted, measured, pulled))


def _measure(
    network: MobileNet,
    flat: Flat,
    profile: SensorProfile,
    rng: np.random.Generator,
    count: Callable[[], None],
) -> _Measured:
    clean = flat_mosaic(flat.truth, _SIDE)
    seen, errors = [], np.zeros(_POSITIONS)
    for _ in range(frames(flat)):
        cells = _denoise(network, clean, flat.noise, profile, rng, _BORDER)
        seen.append(responses(cells.slope, cells.seen))
        errors += cells.result.mean(axis=1)
        for colour, truth in enumerate(flat.truth):
            own = slice(_CELL * colour, _CELL * (colour + 1))
            low = -profile.black_level[colour] / profile.span[colour]
            expected = clipped_mean(truth, flat.noise, max(low, profile.pedestal))
            by_chance = cells.capture[own].mean() - expected
            errors[own] -= truth + by_chance
        count()
    return _Measured(errors / len(seen), np.mean(seen, axis=0))


def _on_photos(
    network: MobileNet,
    photos: Sequence[Mosaic],
    noises: Sequence[NoiseParameters],
    profile: SensorProfile,
    rng: np.random.Generator,
    count: Callable[[], None],
) -> Iterator[tuple[Array, Array, Array, float]]:
    """Each photo once, at the noises in turn, as :func:`fa_mobile.means.pull` takes it."""
    for index, clean in enumerate(photos):
        noise = noises[index * len(noises) // len(photos)]
        cells = _denoise(network, clean, noise, profile, rng, 0)
        error = cells.result - _by_position(network, clean)
        variance = noise.a * float(clean.mean()) + noise.b
        yield error, cells.slope, cells.seen, energy(error, variance)
        count()


class _Cells(NamedTuple):
    """The inside of one capture, [channels, cells]."""

    result: Array
    capture: Array
    slope: Array
    """Of the result over the residual."""
    seen: Array
    """By the direct way: the noisy input behind the front end, and ones."""


def _denoise(
    network: MobileNet,
    clean: Mosaic,
    noise: NoiseParameters,
    profile: SensorProfile,
    rng: np.random.Generator,
    border: int,
) -> _Cells:
    domain = domain_of(network)
    a, b = (torch.full((1, 1, 1, 1), value) for value in noise)
    scalars = domain.scalars(a, b, a, b)  # this domain needs no anchor
    planes = pack(to_signal(capture(clean, noise, profile, rng), profile))
    x = torch.from_numpy(np.asarray(planes, np.float32))[None]
    features = domain.enter(x, *scalars).contiguous(memory_format=torch.channels_last)
    noisy = network.front(network.unshuffle(features))
    residual = network.shuffle(network.trunk(noisy))
    result = domain.leave(x, features, residual, *scalars).clamp(0, 1)
    slope = domain.leave(torch.zeros_like(x), features, torch.ones_like(x), *scalars)
    seen = torch.cat([noisy, torch.ones_like(noisy[:, :1])], dim=1)
    inside = slice(border, noisy.shape[-1] - border)
    cells = (*map(network.unshuffle, (result, x, slope)), seen)
    return _Cells(*(_flat(each[..., inside, inside]) for each in cells))


def _by_position(network: MobileNet, clean: Mosaic) -> Array:
    planes = torch.from_numpy(np.asarray(pack(clean), np.float32))[None]
    return _flat(network.unshuffle(planes))


def _flat(cells: Tensor) -> Array:
    return np.asarray(cells[0].flatten(1).double().numpy())


def _solve(
    front: CellFront, wanted: Sequence[Flat], measured: Sequence[_Measured], photos: Pull
) -> tuple[Array, Array]:
    """What to add to the direct way: weights [16, 24] and biases [16]."""
    weights, biases = np.zeros((_POSITIONS, front.conv.out_channels)), np.zeros(_POSITIONS)
    for colour in range(_COLOURS):
        windows = [w for w in _windows(front) if _colour_of(front, w) == colour]
        columns = [*windows, front.conv.out_channels]
        aims = np.array([_aim(flat, colour) for flat in wanted])
        own = slice(_CELL * colour, _CELL * (colour + 1))
        # One error for the colour: which position of the cell makes it, a viewer cannot tell.
        errors = np.array(
            [
                0.0 if stays(flat, colour) else m.error[own].mean()
                for flat, m in zip(wanted, measured, strict=True)
            ]
        )
        pulled = Pull(
            photos.curvature[:, columns][:, :, columns],
            photos.gradient[:, columns],
        )
        for position in range(own.start, own.stop):
            moves = np.array([m.responses[position, columns] for m in measured])
            found = best_change(
                moves / aims[:, None], -errors / aims, pulled, position,
                weight=_PHOTOS_WEIGHT, held=_HELD,
            )  # fmt: skip
            weights[position, windows], biases[position] = found[:-1], found[-1]
    return weights, biases


def _windows(front: CellFront) -> range:
    return range(front.DIFFERENCE_CHANNELS, front.conv.out_channels)


def _colour_of(front: CellFront, window: int) -> int:
    """The Bayer colour of whose level a window tells most."""
    weight = front.conv.weight[window].flatten().abs().reshape(_COLOURS, _CELL)
    return int(weight.sum(dim=1).argmax())


def _correct(network: MobileNet, weights: Array, biases: Array) -> None:
    tail, beta = network.trunk.tail, network.trunk.align0.beta
    through = np.linalg.pinv(tail.weight.flatten(1).double().numpy()) @ weights
    beta.weight += torch.from_numpy(through)[:, :, None, None].to(beta.weight)
    tail.bias += torch.from_numpy(biases).to(tail.weight)  # type: ignore[operator]
