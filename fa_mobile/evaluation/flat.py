"""Does a denoiser tint? The mean of each Bayer channel on flat gray patches. Synthetic noise.

A patch is a neutral in daylight as the sensor sees it: green at the patch's level of white, red
and blue at their part of it. The error is that of the mean over the whole patch, relative to the
channel's true mean. Noise alone makes the mean of a finite patch err, and most of that error is
already in the input, whose true mean is known; it is taken out as a control variate, which leaves
the denoiser's own error with a statistical error that is several times smaller. What the file's
range cuts off the noise (DN 0 and white) moves the mean of the capture itself; that is stated
beside, for no denoiser is to blame for it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from fa_mobile.bayer import PACKED_CHANNELS, flat_mosaic, pack
from fa_mobile.errors import UserError
from fa_mobile.evaluation.captures import AS_PROFILED, GAINS, NoiseScale, with_noise
from fa_mobile.evaluation.subjects import Subject
from fa_mobile.noise import NoiseParameters, clipped_mean
from fa_mobile.patches import capture, to_signal
from fa_mobile.sensor import SensorProfile

SCHEMA: Final = 2
"""1 had as many captures of every patch."""
LEVELS: Final = (0.01, 0.02, 0.05, 0.18, 0.5, 0.9)
SIDE: Final = 512
BLOCK: Final = 64
"""Side of the blocks, in mosaic pixels, whose means tell the statistical error."""
FRAMES: Final = 4
BOUND: Final = 0.001
"""A mean that is off by less shows no cast."""

Means = npt.NDArray[np.float64]
Verdict = Literal["within", "beyond", "undecided"]


@dataclass(frozen=True)
class Channel:
    """Errors of one Bayer channel's mean, relative to the true mean (0.001 is 0.1 %)."""

    truth: float
    """Normalised signal, 0..1."""
    error: float
    standard_error: float
    """Of ``error``: one standard deviation."""
    clipping: float
    """Of the capture's own mean, by the cut ends of its noise; exact, not measured."""

    @property
    def verdict(self) -> Verdict:
        """On the bound, with two standard errors to either side."""
        if abs(self.error) + 2 * self.standard_error <= BOUND:
            return "within"
        if abs(self.error) - 2 * self.standard_error > BOUND:
            return "beyond"
        return "undecided"


@dataclass(frozen=True)
class Patch:
    """One gray at one gain; ``channels`` in R, Gr, Gb, B order."""

    gain: float
    level: float
    channels: tuple[Channel, ...]
    frames: int
    """Captures that it was measured on."""


@dataclass(frozen=True)
class Flatness:
    """The result of :func:`evaluate_flat` for one subject."""

    subject: str
    patches: tuple[Patch, ...]

    def to_dict(self) -> dict[str, object]:
        """For JSON: per cent."""
        rows = [
            {
                "gain": patch.gain,
                "level": patch.level,
                "frames": patch.frames,
                "channels": {
                    name: {
                        "truth": channel.truth,
                        "error_percent": 100 * channel.error,
                        "standard_error_percent": 100 * channel.standard_error,
                        "clipping_percent": 100 * channel.clipping,
                        "verdict": channel.verdict,
                    }
                    for name, channel in zip(PACKED_CHANNELS, patch.channels, strict=True)
                },
            }
            for patch in self.patches
        ]
        return {"subject": self.subject, "patches": rows}


def evaluate_flat(
    subjects: Sequence[Subject],
    profile: SensorProfile,
    *,
    gains: Sequence[float] = GAINS,
    levels: Sequence[float] = LEVELS,
    side: int = SIDE,
    frames: int = FRAMES,
    most_frames: int = FRAMES,
    noise_scale: NoiseScale = AS_PROFILED,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Flatness, ...]:
    """Denoise flat captures and compare each channel's mean with the truth.

    Args:
        subjects: all get the same captures.
        profile: of the sensor that captures.
        gains: 1 is the base gain.
        levels: of green, each above 0 and at most 1.
        side: of a capture, a multiple of 64.
        frames: captures of each patch, at first.
        most_frames: while a verdict is undecided, captures of a patch are doubled up to so many.
        noise_scale: by how much the captures' noise differs from the profile's.
        seed: of the noise.
        progress: called with (denoised captures, denoised captures in all).

    Raises:
        UserError: for gains or noise factors that are not allowed.
    """
    for gain in gains:
        if not (math.isfinite(gain) and gain > 0):
            raise UserError(f"gain {gain} was given; allowed are finite numbers above 0")
    sensor = with_noise(profile, noise_scale)
    done, total = 0, len(gains) * len(levels) * min(frames, most_frames) * len(subjects)
    patches: list[list[Patch]] = [[] for _ in subjects]
    for gain_index, gain in enumerate(gains):
        for level_index, level in enumerate(levels):
            clean, noise = gray(level, side, profile), sensor.noise(gain)
            rng = np.random.default_rng((seed, gain_index, level_index))
            before: list[Means] = []
            after: list[list[Means]] = [[] for _ in subjects]
            truth = [float(v) for v in pack(clean)[:, 0, 0]]
            wanted = min(frames, most_frames)
            while True:
                for _ in range(len(before), wanted):
                    raw = capture(clean, noise, profile, rng)
                    before.append(block_means(raw, profile))
                    for means, subject in zip(after, subjects, strict=True):
                        result = subject.denoise(raw.astype(np.uint16), gain)
                        means.append(block_means(result, profile))
                        done += 1
                        if progress is not None:
                            progress(done, total)
                captured = np.concatenate(before, axis=1)
                found = [
                    _channels(captured, np.concatenate(means, axis=1), truth, noise, profile)
                    for means in after
                ]
                if wanted >= most_frames or _decided(found):
                    break
                more = min(2 * wanted, most_frames) - wanted
                wanted, total = wanted + more, total + more * len(subjects)
            for rows, channels in zip(patches, found, strict=True):
                rows.append(Patch(gain, level, channels, wanted))
    return tuple(
        Flatness(subject.name, tuple(rows)) for subject, rows in zip(subjects, patches, strict=True)
    )


def _decided(found: Sequence[Sequence[Channel]]) -> bool:
    return all(channel.verdict != "undecided" for channels in found for channel in channels)


def gray(level: float, side: int, profile: SensorProfile) -> npt.NDArray[np.float32]:
    """A neutral in daylight, normalised RGGB [side, side]: green at ``level``."""
    red, _, blue = profile.as_shot_neutral
    return flat_mosaic((red * level, level, level, blue * level), side)


def block_means(mosaic: npt.NDArray[np.float32], profile: SensorProfile) -> Means:
    """Means of the normalised signal over 64 x 64 blocks of a mosaic [H, W] in DN: [4, blocks]."""
    planes = pack(to_signal(mosaic, profile)).astype(np.float64)
    half = BLOCK // 2
    rows, cols = planes.shape[1] // half, planes.shape[2] // half
    blocks = planes.reshape(4, rows, half, cols, half)
    return np.asarray(blocks.mean(axis=(2, 4)).reshape(4, -1), np.float64)


def _channels(
    before: Means,
    after: Means,
    truth: Sequence[float],
    noise: NoiseParameters,
    profile: SensorProfile,
) -> tuple[Channel, ...]:
    """From block means [4, N] of the captures and of what was made of them."""
    found = []
    for index, x in enumerate(truth):
        low = -profile.black_level[index] / profile.span[index]
        # capture() cuts off at the pedestal, the lowest of the four, and then at DN 0.
        expected = clipped_mean(x, noise, max(low, profile.pedestal))
        mean, error = controlled_mean(after[index], before[index], expected)
        found.append(Channel(x, (mean - x) / x, error / x, (expected - x) / x))
    return tuple(found)


def controlled_mean(values: Means, control: Means, expected: float) -> tuple[float, float]:
    """(mean, its standard error) of ``values`` [N], N > 2, given the mean of ``control`` [N].

    The control variate's factor is the least-squares slope of ``values`` over ``control``. Blocks
    that share a border also share noise, one gaining what the other loses, so that the standard
    error, which takes them as independent, is rather too large than too small.
    """
    away = control - control.mean()
    spread = float(away @ away)
    slope = float(away @ (values - values.mean())) / spread if spread > 0 else 0.0
    rest = values - slope * away
    mean = float(values.mean() - slope * (control.mean() - expected))
    count = len(values)
    return mean, float(np.sqrt(((rest - rest.mean()) ** 2).sum() / (count - 2) / count))
