"""Translations are found under noise, and applied without breaking the colour filter."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fa_mobile.bayer import pack
from fa_mobile.errors import UserError
from fa_mobile.metrics import psnr
from fa_mobile.pairing.shifting import move_planes, overlap
from fa_mobile.pairing.translation import find_translation
from tests.pairing.scenes import IMX258, aligned, frame, moved, planes_of, scene, signal

FAR = [(12.0, -12.0), (-11.3, 7.7), (0.5, 0.25), (-1.0, 3.0), (4.9, 11.1), (0.0, 0.0)]


@pytest.mark.parametrize("name", ["coffee.png", "motorcycle_left.png", "astronaut.png"])
@pytest.mark.parametrize("shift", FAR)
def test_shifts_are_found_at_gain_16(name: str, shift: tuple[float, float]) -> None:
    """Within 0.05 mosaic pixels, up to 12 of them."""
    light = scene(name)
    pair = aligned(signal(moved(light, shift)), signal(light), gain=16)
    found = 2 * np.array(pair.translation.shift)
    assert np.abs(found - shift).max() < 0.05
    assert 2 * pair.translation.standard_error < 0.05


@pytest.mark.parametrize("gain", [1, 16, 64])
def test_standard_errors_are_those_of_repeated_captures(gain: float) -> None:
    """On a tenth of a megapixel with little texture, where noise is most of the error."""
    light, shift = scene("chelsea.png"), (12.0, -12.0)
    short = signal(moved(light, shift))
    pairs = [aligned(short, signal(light), gain, seed).translation for seed in range(10)]
    errors = np.abs([2 * np.array(found.shift) - shift for found in pairs])
    told = 2 * np.mean([found.standard_error for found in pairs])
    assert np.sqrt((errors**2).mean()) < 2 * told
    assert errors.max() < 4 * told + 0.01


def test_noise_does_not_pull_a_shift_towards_zero() -> None:
    """The mean error over seeds, along a shift, is within its own standard error of 0."""
    light, shift = scene("coffee.png"), (9.4, -6.6)
    short, long = signal(moved(light, shift)), planes_of(frame(signal(light), 1, seed=999))
    noise = IMX258.noise(64)
    errors = []
    for seed in range(12):
        found = find_translation(planes_of(frame(short, 64, seed)), long, noise).shift
        errors.append(2 * np.array(found) - shift)
    towards = -np.array(errors) @ np.array(shift) / np.linalg.norm(shift)
    assert abs(towards.mean()) < max(3 * towards.std() / np.sqrt(len(towards)), 0.01)


def test_a_picture_without_texture_is_refused() -> None:
    flat = planes_of(frame(np.full((256, 256), 0.3, np.float32), 16))
    clean = planes_of(frame(np.full((256, 256), 0.3, np.float32), 1, seed=1))
    with pytest.raises(UserError, match="features could be followed.* 20 are needed"):
        find_translation(flat, clean, IMX258.noise(16))


def test_whole_steps_move_samples_unchanged_and_keep_their_colours() -> None:
    planes = np.random.default_rng(0).random((4, 20, 24), np.float32)
    out = move_planes(planes, (3.0, -2.0))
    np.testing.assert_allclose(out[:, 3:, :-2], planes[:, :-3, 2:], atol=1e-6)


def test_colours_do_not_mix() -> None:
    """Four flat planes of different colour stay what they are at any shift."""
    planes = np.broadcast_to(np.array([0.1, 0.5, 0.6, 0.9], np.float32)[:, None, None], (4, 16, 16))
    np.testing.assert_allclose(move_planes(planes, (0.37, -1.61)), planes, atol=1e-5)


@settings(max_examples=60, deadline=None)
@given(
    rows=st.floats(-30, 30, allow_nan=False),
    cols=st.floats(-30, 30, allow_nan=False),
)
def test_overlap_holds_only_what_both_frames_saw(rows: float, cols: float) -> None:
    """Moved by the found shift, a ramp is a ramp everywhere in the overlap: nothing wraps."""
    ramp = np.mgrid[:40, :50].sum(axis=0).astype(np.float32)
    planes = np.broadcast_to(ramp, (4, 40, 50))
    window = overlap(40, 50, (rows, cols))
    found = window.of(move_planes(planes, (rows, cols)))
    assert found.shape == (4, window.height, window.width)
    np.testing.assert_allclose(found, window.of(planes) - (rows + cols), atol=2e-2)


def test_no_overlap_is_empty() -> None:
    window = overlap(20, 20, (25.0, 0.0))
    assert window.height == 0


def test_a_moved_truth_is_worth_more_than_the_noisy_frame() -> None:
    """What interpolating undersampled planes costs: much in a scene as sharp as its pixels, little
    behind a lens that blurs by 0.7 pixels, nothing where the camera stood still."""
    gained = {}
    for soft in (0.0, 0.7):
        light = scene("coffee.png", soft)
        for shift in ((1.0, 1.0), (0.02, 0.02)):
            clean = signal(moved(light, shift))
            pair = aligned(clean, signal(light), gain=16)
            ideal = pair.window.of(pack(clean))
            noisy, truth = (
                (pack(dn) - 64) / 959 for dn in (pair.noisy.astype(np.float32), pair.truth)
            )
            before, after = (psnr(x, ideal, data_range=1) for x in (noisy, truth))
            gained[soft, shift] = after - before
    assert gained[0.7, (1.0, 1.0)] > 7 > 3 > gained[0.0, (1.0, 1.0)]
    assert min(gained[0.7, (0.02, 0.02)], gained[0.0, (0.02, 0.02)]) > 12
