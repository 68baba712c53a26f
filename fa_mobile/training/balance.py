"""After training: the means of flat colours put right, in closed form.

A loss over photos leaves the mean of what is flat and dark a hundredth or two off, too little for
any patch to show above its noise. Over many captures it shows, and it is a smooth function of the
level. ``mobile`` has a linear way from its windows of level to the residual: beta of the last
Feature-Align, then the tail, in float at every precision. Per Bayer colour, the weights of that
colour's own windows and a bias take the error out by least squares. What they add is a function of
the level alone, a few hundredths of the noise; an array lost 0.008 dB by it at most.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from fa_mobile.bayer import PACKED_CHANNELS, flat_mosaic, pack
from fa_mobile.domains import StabilizedDomain, domain_of
from fa_mobile.networks.mobile import CellFront, MobileNet
from fa_mobile.noise import NoiseParameters, clipped_mean
from fa_mobile.patches import capture, to_signal
from fa_mobile.sensor import SensorProfile

LEVELS: Final = tuple(float(level) for level in np.geomspace(0.003, 0.95, 15))
"""Of green, tinted."""
WHITES: Final = (0.4, 0.55, 0.7, 0.85, 1.0)
"""Of all colours alike: highlights, whose red and blue no tinted neutral reaches. What photos
taught the network of them stays: next to nothing is to be added there."""
_GAINS: Final = 5
"""Over a member's range, both ends included."""
_SIDE: Final = 512
_BORDER: Final = 12
"""Cells at each border that zero padding reaches, left out."""
_TINTS: Final = (0.6, 1.4)
"""Factors on red and blue of a neutral in daylight."""
_BOUND: Final = 0.001
"""An error of so much of the level is what is aimed below."""
_PRECISION: Final = 2 * _BOUND
"""Standard error of a capture's own mean, relative to the level, that captures are drawn for."""
_CONTROLLED: Final = 0.25
"""The part of it, about, by which the mean of what is made of a capture errs."""
_FRAMES: Final = (2, 60)
_ROUNDS: Final = 2
_DARK: Final = 0.002
"""Nearer to black than this an error counts as there, not relative to the level."""
_HEADROOM: Final = 0.5
"""Standard deviations of noise below white from which on means are left as they are."""
_NOTHING: Final = 0.02
"""Standard deviations of noise that may be added where nothing is to be."""
_SWING: Final = 0.5 * StabilizedDomain.NOISE
"""A window that moves the residual by so much from end to end costs as much as an error of the
bound: so windows that the levels hardly tell apart do not work against each other."""
_CELL: Final = MobileNet.CELL**2
_COLOURS: Final = len(PACKED_CHANNELS)

Array = npt.NDArray[np.float64]


class Flat(NamedTuple):
    """A flat colour to capture: the truth by packed channel, the noise, and how often."""

    truth: tuple[float, ...]
    noise: NoiseParameters
    frames: int
    white: bool

    def uncertainty(self, colour: int) -> float:
        """Standard error of a colour's mean over all captures."""
        return _spread(self.truth[colour], self.noise) / math.sqrt(self.frames)

    def sigma(self, colour: int) -> float:
        """Standard deviation of the colour's noise."""
        return math.sqrt(self.noise.a * self.truth[colour] + self.noise.b)

    def stays(self, colour: int) -> bool:
        """Whether the mean is left as it is: of highlights, and where much of the noise is cut."""
        return self.white or self.truth[colour] + _HEADROOM * self.sigma(colour) > 1

    def weight(self, colour: int) -> float:
        """Of an error of the colour's mean: one over what is aimed at, or over what is known."""
        if self.stays(colour):
            return 1 / (_NOTHING * self.sigma(colour))
        known = _CONTROLLED * self.uncertainty(colour)
        return 1 / math.hypot(_BOUND * (self.truth[colour] + _DARK), known)


def _spread(truth: float, noise: NoiseParameters) -> float:
    """Standard error of the mean of one capture's inside."""
    pixels = (_SIDE // 2 - 2 * MobileNet.CELL * _BORDER) ** 2
    return math.sqrt((noise.a * truth + noise.b) / pixels)


class _Measured(NamedTuple):
    """Means over all captures of a flat colour, by position within the cell: [16, ...]."""

    error: Array
    """Of the result, less what the capture's own mean is off by chance: [16]."""
    responses: Array
    """By how much a unit of each channel's weight, and of the bias, would move it: [16, 25]."""


def flats(profile: SensorProfile, a_range: tuple[float, float], seed: int) -> list[Flat]:
    """Tinted neutrals and whites at every gain, captured the more often the more noise hides them.

    Args:
        profile: of the sensor.
        a_range: of the member.
        seed: of the tints.
    """
    rng = np.random.default_rng(seed)
    red, _, blue = profile.as_shot_neutral
    found = []
    for a in np.geomspace(*a_range, _GAINS):
        noise = profile.noise(_gain(profile, float(a)))
        tints = rng.uniform(*_TINTS, (len(LEVELS), 2))
        truths = [
            (level * red * warm, level, level, level * blue * cold)
            for level, (warm, cold) in zip(LEVELS, tints, strict=True)
        ]
        for truth in truths:
            relative = _spread(min(truth), noise) / min(truth)
            frames = int(np.clip(math.ceil((relative / _PRECISION) ** 2), *_FRAMES))
            found.append(Flat(truth, noise, frames, white=False))
        found += [Flat((level,) * _COLOURS, noise, 1, white=True) for level in WHITES]
    return found


def _gain(profile: SensorProfile, a: float) -> float:
    slope, offset = profile.a_linear
    return (a - offset) / slope


@torch.no_grad()
def balance(
    network: nn.Module,
    profile: SensorProfile,
    a_range: tuple[float, float],
    *,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Put the means of flat colours right, in place.

    Args:
        network: trained, in evaluation mode; others than ``mobile`` stay as they are.
        profile: of the sensor; synthetic noise.
        a_range: the noises that the member serves.
        seed: of tints and noise.
        progress: called with (captures denoised, captures in all).
    """
    if not isinstance(network, MobileNet):
        return
    wanted = flats(profile, a_range, seed)
    total, done = _ROUNDS * sum(flat.frames for flat in wanted), 0

    def count() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, total)

    for turn in range(_ROUNDS):
        rng = np.random.default_rng((seed, turn))
        measured = [_measure(network, flat, profile, rng, count) for flat in wanted]
        _correct(network, *_solve(network.front, wanted, measured))


def _measure(
    network: MobileNet,
    flat: Flat,
    profile: SensorProfile,
    rng: np.random.Generator,
    count: Callable[[], None],
) -> _Measured:
    results, captured, responses = (np.zeros(shape) for shape in (16, 16, (16, 25)))
    for cells in _captures(network, flat, profile, rng):
        results += _mean(cells.result)
        captured += _mean(cells.capture)
        ones = torch.cat([cells.noisy, torch.ones_like(cells.noisy[:1])]).flatten(1)
        slope = cells.slope.flatten(1)
        responses += (slope @ ones.T / ones.shape[1]).double().numpy()
        count()
    errors = results / flat.frames
    for colour, truth in enumerate(flat.truth):
        own = slice(_CELL * colour, _CELL * (colour + 1))
        low = -profile.black_level[colour] / profile.span[colour]
        expected = clipped_mean(truth, flat.noise, max(low, profile.pedestal))
        by_chance = captured[own].mean() / flat.frames - expected
        errors[own] -= truth + by_chance
    return _Measured(errors, responses / flat.frames)


class _Cells(NamedTuple):
    """The inside of one capture, [channels, h, w] in cells."""

    result: Tensor
    capture: Tensor
    slope: Tensor
    """Of the result over the residual."""
    noisy: Tensor
    """Behind the front end."""


def _captures(
    network: MobileNet, flat: Flat, profile: SensorProfile, rng: np.random.Generator
) -> Iterator[_Cells]:
    domain = domain_of(network)
    a, b = (torch.full((1, 1, 1, 1), value) for value in flat.noise)
    scalars = domain.scalars(a, b, a, b)  # this domain needs no anchor
    clean = flat_mosaic(flat.truth, _SIDE)
    inside = slice(_BORDER, -_BORDER)
    for _ in range(flat.frames):
        planes = pack(to_signal(capture(clean, flat.noise, profile, rng), profile))
        x = torch.from_numpy(np.asarray(planes, np.float32))[None]
        features = domain.enter(x, *scalars).contiguous(memory_format=torch.channels_last)
        noisy = network.front(network.unshuffle(features))
        residual = network.shuffle(network.trunk(noisy))
        result = domain.leave(x, features, residual, *scalars).clamp(0, 1)
        slope = domain.leave(torch.zeros_like(x), features, torch.ones_like(x), *scalars)
        cells = (*map(network.unshuffle, (result, x, slope)), noisy)
        yield _Cells._make(each[0, :, inside, inside] for each in cells)


def _mean(cells: Tensor) -> Array:
    return cells.double().mean(dim=(1, 2)).numpy()


def _solve(
    front: CellFront, wanted: Sequence[Flat], measured: Sequence[_Measured]
) -> tuple[Array, Array]:
    """What to add to the direct way: weights [16, 24] and biases [16]."""
    weights, biases = np.zeros((16, front.conv.out_channels)), np.zeros(16)
    for colour in range(_COLOURS):
        windows = [w for w in _windows(front) if _colour_of(front, w) == colour]
        columns = [*windows, front.conv.out_channels]
        scale = np.array([flat.weight(colour) for flat in wanted])
        own = slice(_CELL * colour, _CELL * (colour + 1))
        # One error for the colour: which position of the cell makes it, a viewer cannot tell.
        errors = np.array(
            [
                0.0 if flat.stays(colour) else m.error[own].mean()
                for flat, m in zip(wanted, measured, strict=True)
            ]
        )
        for position in range(own.start, own.stop):
            rows = scale[:, None] * np.array([m.responses[position, columns] for m in measured])
            held = 2 * front.LIMIT / _SWING * np.eye(len(columns))[:-1]
            target = np.concatenate([-scale * errors, np.zeros(len(held))])
            found = np.linalg.lstsq(np.vstack([rows, held]), target, rcond=None)[0]
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
