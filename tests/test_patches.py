"""The clean patches that int8 ranges are measured on: always the same, and of every kind."""

from __future__ import annotations

import numpy as np

from fa_mobile.patches import clean_patches, overexposed


def test_patches_are_the_same_and_some_are_overexposed() -> None:
    patches = clean_patches(None, count=16)
    assert np.array_equal(patches, clean_patches(None, count=16))
    assert patches.min() >= 0 and patches.max() <= 1
    white = (patches == 1).mean(axis=(1, 2))
    assert (white[[6, 14]] > 0.08).all()
    assert np.median(white) < 0.01


def test_overexposed_keeps_what_is_below_white() -> None:
    ramp = np.linspace(0, 0.5, 16 * 16, dtype=np.float32).reshape(16, 16)
    bright = overexposed(ramp)
    assert (bright == 1).mean() == np.float32(22 / 256)
    below = bright < 1
    ratio = bright[below][1:] / ramp[below][1:]
    assert np.allclose(ratio, ratio[0], rtol=1e-5) and ratio[0] > 2


def test_a_black_patch_stays_black() -> None:
    assert not overexposed(np.zeros((16, 16), np.float32)).any()
