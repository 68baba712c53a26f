"""Static pairs pass at every gain; what moved, turned or was lit otherwise is rejected."""

from __future__ import annotations

import numpy as np
import pytest

from fa_mobile.errors import UserError
from fa_mobile.pairing.brightness import brightness_factor
from fa_mobile.pairing.local import LIMIT
from tests.pairing.scenes import (
    aligned,
    frame,
    moved,
    planes_of,
    scene,
    signal,
    turned,
    with_object,
)

GAINS = (1, 2, 4, 8, 16, 32, 64)


@pytest.mark.parametrize("gain", GAINS)
@pytest.mark.parametrize("name", ["coffee.png", "motorcycle_left.png"])
def test_static_pairs_pass(name: str, gain: float) -> None:
    light = scene(name)
    for seed, shift in enumerate([(0.0, 0.0), (3.3, -5.7), (1.0, 1.0)]):
        pair = aligned(signal(moved(light, shift)), signal(light, 0.9), gain, seed)
        assert pair.reason is None, (shift, pair.reason)


@pytest.mark.parametrize("gain", [1, 4, 16, 64])
@pytest.mark.parametrize("name", ["coffee.png", "motorcycle_left.png"])
def test_a_moving_object_is_rejected(name: str, gain: float) -> None:
    light = scene(name)
    pair = aligned(signal(with_object(moved(light, (2.3, 1.1)))), signal(light), gain)
    assert pair.reason is not None and "something moved" in pair.reason
    # Seen where it is: mosaic pixels 118..182 by 168..232, less what the overlap cuts off.
    rows, cols = np.nonzero(np.abs(pair.local.deviations) > LIMIT)
    assert abs(16 * rows.mean() - 142) < 24 and abs(16 * cols.mean() - 192) < 24


@pytest.mark.parametrize("gain", [1, 16, 64])
def test_texture_that_moves_without_a_change_of_its_mean_is_rejected(gain: float) -> None:
    light = scene("coffee.png")
    slipped = light.copy()
    slipped[120:250, 300:430] = light[120:250, 296:426]
    pair = aligned(signal(slipped), signal(light), gain)
    assert pair.reason is not None
    assert pair.field.blocks >= 2


@pytest.mark.parametrize("gain", [1, 16, 64])
@pytest.mark.parametrize("degrees", [0.3, 2.0])
def test_rotation_is_rejected(gain: float, degrees: float) -> None:
    light = scene("motorcycle_left.png")
    pair = aligned(signal(turned(light, degrees)), signal(light), gain)
    assert pair.reason is not None and "rotated or scaled" in pair.reason
    half_diagonal = np.hypot(400 - 64, 600 - 64) / 2
    assert abs(2 * pair.field.corner - np.deg2rad(degrees) * half_diagonal) < 0.5 * degrees + 0.3


def test_light_that_changed_in_a_part_is_rejected() -> None:
    light = scene("coffee.png")
    shade = np.ones((400, 600, 1), np.float32)
    shade[:, 400:] = 0.75
    pair = aligned(signal(light * shade), signal(light), 4)
    assert pair.reason is not None and "lit otherwise" in pair.reason


@pytest.mark.parametrize("gain", [1, 16, 64])
@pytest.mark.parametrize("factor", [0.5, 0.9, 1.3])
def test_brightness_is_found(gain: float, factor: float) -> None:
    clean = signal(scene("coffee.png"), 0.6)
    noisy = planes_of(frame(np.clip(clean * factor, 0, 1), gain))
    found = brightness_factor(noisy, planes_of(frame(clean, 1, seed=1)))
    assert abs(found / factor - 1) < 0.01


def test_brightness_is_that_of_most_of_the_frame() -> None:
    """A fifth of the frame in another light does not change it."""
    clean = signal(scene("coffee.png"), 0.6)
    other = clean.copy()
    other[:, -110:] *= 0.5
    found = brightness_factor(planes_of(frame(other, 16)), planes_of(frame(clean, 1, seed=1)))
    assert abs(found - 1) < 0.01


def test_saturated_cells_do_not_count() -> None:
    """The long exposure lost its highlights to the white level; the rest says what it is."""
    clean = signal(scene("coffee.png"), 1.6)
    noisy = planes_of(frame(clean / 4, 16))
    found = brightness_factor(noisy, planes_of(frame(np.clip(clean, 0, 1), 1, seed=1)))
    assert abs(found * 4 - 1) < 0.01


def test_frames_of_another_exposure_are_refused() -> None:
    clean = signal(scene("coffee.png"))
    dark = planes_of(frame(clean / 8, 16))
    with pytest.raises(UserError, match=r"0\.12\d* times as bright.* --plan"):
        brightness_factor(dark, planes_of(frame(clean, 1, seed=1)))
    black = planes_of(frame(np.zeros_like(clean), 1))
    with pytest.raises(UserError, match="neither saturated nor black"):
        brightness_factor(dark, black)


def test_truth_is_at_the_noisy_frames_brightness() -> None:
    """In every channel: the means of both frames agree to a quarter of a DN."""
    light = scene("coffee.png")
    pair = aligned(signal(moved(light, (2.0, 4.0)), 0.8), signal(light), 16)
    for row, col in ((0, 0), (0, 1), (1, 0), (1, 1)):
        noisy, truth = (x[row::2, col::2].astype(float).mean() for x in (pair.noisy, pair.truth))
        assert abs(noisy - truth) < 0.25
