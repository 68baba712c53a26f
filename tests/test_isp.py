from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter
from skimage.data import astronaut
from skimage.transform import downscale_local_mean
from sklearn.datasets import load_sample_image

from fa_mobile import isp
from fa_mobile.metrics import psnr

Image = npt.NDArray[np.float32]
seeds = st.integers(0, 2**32 - 1)


def photo(name: str) -> Image:
    """About 200 x 200 x 3 in 0..1, averaged down so that a mosaic can hold its detail."""
    full = astronaut() if name == "astronaut" else load_sample_image(f"{name}.jpg")[:420, :420]
    small = downscale_local_mean(full / 255, (2, 2, 1))
    return np.asarray(small[: small.shape[0] & ~1, : small.shape[1] & ~1], np.float32)


@pytest.mark.parametrize("name", ["astronaut", "flower", "china"])
@pytest.mark.parametrize("seed", range(3))
def test_render_gives_an_unprocessed_smooth_photo_back(name: str, seed: int) -> None:
    # Blurred, so that demosaicing loses little and 40 dB tells an exposure error of 5 % apart.
    truth = np.asarray(gaussian_filter(photo(name), (2, 2, 0)), np.float32)
    color = isp.random_color(np.random.default_rng(seed))
    mosaic = isp.unprocess(truth, color)
    assert mosaic.shape == truth.shape[:2]
    assert mosaic.dtype == np.float32
    assert 0 <= mosaic.min() <= mosaic.max() <= 1
    assert psnr(isp.render(mosaic, color), truth, data_range=1) > 40
    brighter = color._replace(brightness=1.05 * color.brightness)
    assert psnr(isp.render(mosaic, brighter), truth, data_range=1) < 40


# What bilinear demosaicing leaves of fine detail; the roof of "china" is the worst.
@pytest.mark.parametrize(("name", "decibels"), [("astronaut", 24), ("flower", 27), ("china", 20)])
def test_render_gives_an_unprocessed_photo_back(name: str, decibels: float) -> None:
    truth = photo(name)
    color = isp.random_color(np.random.default_rng(0))
    assert psnr(isp.render(isp.unprocess(truth, color), color), truth, data_range=1) > decibels


@given(seeds, st.tuples(*[st.floats(0.15, 0.75)] * 3))
def test_a_flat_colour_survives_the_round_trip(seed: int, rgb: tuple[float, float, float]) -> None:
    # Half saturated: inside the gamut of every camera matrix, so that nothing is clipped.
    gray = sum(rgb) / 3
    value = np.array([0.5 * (channel + gray) for channel in rgb], np.float32)
    flat = np.broadcast_to(value, (8, 8, 3)).copy()
    color = isp.random_color(np.random.default_rng(seed))
    camera = isp.apply_ccm(isp.linearize_photo(flat), color.rgb_to_camera)
    inside = bool((camera > 0).all() and (camera.mean(axis=-1) < 0.9).all())
    if inside:
        back = isp.render(isp.unprocess(flat, color), color)
        assert np.abs(back - flat).max() < 0.02


def test_most_flat_colours_are_inside_the_gamut() -> None:
    """Guards the test above against testing nothing."""
    rng = np.random.default_rng(0)
    colors = [isp.random_color(rng) for _ in range(50)]
    values = rng.uniform(0.15, 0.75, (50, 1, 3)).astype(np.float32)
    values = 0.5 * (values + values.mean(axis=-1, keepdims=True))
    inside = [
        (isp.apply_ccm(isp.linearize_photo(value), color.rgb_to_camera) > 0).all()
        for value, color in zip(values, colors, strict=True)
    ]
    assert np.mean(inside) > 0.8


INVERSES: list[tuple[Callable[[Image], Image], Callable[[Image], Image]]] = [
    (isp.smoothstep, isp.inverse_smoothstep),
    (isp.gamma_compression, isp.gamma_expansion),
]


@pytest.mark.parametrize(("forward", "inverse"), INVERSES)
def test_tone_and_gamma_invert_each_other(
    forward: Callable[[Image], Image], inverse: Callable[[Image], Image]
) -> None:
    x = np.linspace(0, 1, 257, dtype=np.float32)
    # Both curves have a slope of 0 or infinity at an end, where float32 keeps half its digits.
    assert np.abs(inverse(forward(x)) - x).max() < 5e-4
    assert np.abs(forward(inverse(x)) - x).max() < 5e-4
    assert np.abs(inverse(x) - x).max() > 0.05
    for function in (forward, inverse):
        assert (np.diff(function(x)) >= 0).all()
        assert function(x)[[0, -1]] == pytest.approx([0, 1], abs=3e-4)


def test_curves_are_the_stated_ones() -> None:
    half = np.array([0.25], np.float32)
    assert isp.smoothstep(half)[0] == pytest.approx(3 / 16 - 2 / 64)
    assert isp.gamma_expansion(half)[0] == pytest.approx(0.25**2.2, rel=1e-6)


@given(seeds)
def test_colour_matrix_inverts_and_keeps_gray(seed: int) -> None:
    rng = np.random.default_rng(seed)
    matrix = isp.random_color(rng).rgb_to_camera
    image = rng.random((4, 5, 3), np.float32)
    back = isp.apply_ccm(isp.apply_ccm(image, matrix), np.linalg.inv(matrix))
    assert np.abs(back - image).max() < 1e-5
    gray = np.full((1, 1, 3), 0.4, np.float32)
    assert isp.apply_ccm(gray, matrix).ravel() == pytest.approx([0.4] * 3, abs=1e-6)


def test_colour_matrix_has_rows_for_output_channels() -> None:
    swap = np.array([[0, 1, 0], [0, 0, 1], [1, 0, 0]], np.float32)
    image = np.array([[[0.1, 0.2, 0.3]]], np.float32)
    assert isp.apply_ccm(image, swap).ravel().tolist() == pytest.approx([0.2, 0.3, 0.1])


@given(seeds)
def test_white_stays_white_and_midtones_lose_their_gains(seed: int) -> None:
    color = isp.random_color(np.random.default_rng(seed))
    white = np.ones((2, 2, 3), np.float32)
    # A brightness below 1 would lift green above white; the sensor clips it there.
    sensor = isp.unprocess_linear(white, color)
    assert (sensor >= 1 - 1e-5).all()
    assert (isp.invert_white_balance(white, color) >= 1 - 1e-5).all()
    gray = np.full((2, 2, 3), 0.5, np.float32)
    out = isp.invert_white_balance(gray, color)
    gains = np.array([color.red_gain, 1, color.blue_gain]) * color.brightness
    assert out == pytest.approx(np.broadcast_to(0.5 / gains, out.shape), rel=1e-5)


@given(seeds)
def test_brighter_in_is_never_darker_out_of_the_white_balance(seed: int) -> None:
    color = isp.random_color(np.random.default_rng(seed))
    ramp = np.linspace(0, 1, 101, dtype=np.float32)[:, None, None] * np.ones((1, 1, 3), np.float32)
    assert (np.diff(isp.invert_white_balance(ramp, color), axis=0) >= 0).all()


@given(seeds)
def test_random_colour_is_in_its_ranges(seed: int) -> None:
    color = isp.random_color(np.random.default_rng(seed))
    assert 1.9 <= color.red_gain <= 2.4
    assert 1.5 <= color.blue_gain <= 1.9
    assert 0 < color.brightness <= 2.5
    assert color.rgb_to_camera.sum(axis=1) == pytest.approx([1, 1, 1], abs=1e-5)


def test_demosaicing_keeps_the_samples_and_the_colours_apart() -> None:
    mosaic = np.tile(np.array([[0.2, 0.4], [0.4, 0.8]], np.float32), (6, 6))
    rgb = isp.demosaic_bilinear(mosaic)
    assert rgb.shape == (12, 12, 3)
    assert rgb[2:-2, 2:-2] == pytest.approx(np.broadcast_to([0.2, 0.4, 0.8], (8, 8, 3)), abs=1e-4)
    noise = np.random.default_rng(4).random((12, 12), np.float32)
    rgb = isp.demosaic_bilinear(noise)
    assert rgb[2:-2:2, 2:-2:2, 0] == pytest.approx(noise[2:-2:2, 2:-2:2], abs=1e-4)
    assert rgb[3:-2:2, 3:-2:2, 2] == pytest.approx(noise[3:-2:2, 3:-2:2], abs=1e-4)


def test_render_leaves_its_input_alone_and_tone_is_a_choice() -> None:
    color = isp.random_color(np.random.default_rng(9))
    mosaic = np.full((8, 8), 0.1, np.float32)
    with_tone = isp.render(mosaic, color)
    without = isp.render(mosaic, color, tone=False)
    assert (mosaic == np.float32(0.1)).all()
    assert with_tone == pytest.approx(isp.smoothstep(without), abs=1e-6)
    assert np.abs(with_tone - without).max() > 0.01
