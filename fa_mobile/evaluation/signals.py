"""A denoiser of one sensor on the normalised signal of another."""

from __future__ import annotations

import numpy as np

from fa_mobile.bayer import CfaPattern, pad_to_phase, red_offset
from fa_mobile.datasets.sample import Region, Signal
from fa_mobile.errors import UserError
from fa_mobile.evaluation.subjects import Subject
from fa_mobile.noise import NoiseParameters
from fa_mobile.patches import to_dn, to_signal


def denoise_signal(
    subject: Subject, signal: Signal, cfa: CfaPattern, noise: NoiseParameters
) -> Signal:
    """Denoise a 0..1 signal [H, W] of any pattern; the result has its shape and pattern.

    The signal is mirrored to begin with red and scaled to the black and white level of the
    subject's sensor, not rounded to whole DN; samples below black keep their negative signal.
    A subject that takes the gain alone is given the one at which its profile has the a of
    ``noise``; its b is then the profile's.

    Raises:
        UserError: for a subject that cannot be told a noise.
    """
    if subject.by_noise is None:
        raise UserError(f"{subject.name} cannot be told the noise of a capture; leave it out")
    padded, (top, left) = pad_to_phase(np.minimum(signal, np.float32(1)), cfa)
    raw = to_dn(np.asarray(padded, np.float32), subject.profile)
    out = to_signal(subject.by_noise(raw, noise), subject.profile)
    return out[top : top + signal.shape[0], left : left + signal.shape[1]]


def aligned(region: Region, cfa: CfaPattern) -> Region:
    """The largest part of ``region`` that begins with red and has even sides."""
    red_row, red_col = red_offset(cfa)
    top = region.top + (red_row - region.top) % 2
    left = region.left + (red_col - region.left) % 2
    return Region(
        top,
        left,
        region.bottom - (region.bottom - top) % 2,
        region.right - (region.right - left) % 2,
    )


def central(shape: tuple[int, ...], side: int) -> Region:
    """The central ``side`` x ``side`` of a mosaic, or all of it where it is smaller.

    Its corner is even, which keeps the pattern.
    """
    top, left = (max(length - side, 0) // 4 * 2 for length in shape[:2])
    return Region(top, left, min(top + side, shape[0]), min(left + side, shape[1]))


def cut(signal: Signal, region: Region) -> Signal:
    """A region of a signal."""
    return signal[region.top : region.bottom, region.left : region.right]
