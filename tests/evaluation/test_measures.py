"""Measures between mosaics, against scikit-image on arrays made step by step."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.data import chelsea
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from fa_mobile import isp
from fa_mobile.errors import UserError
from fa_mobile.evaluation.measures import MEASURES, View, chosen_measures
from fa_mobile.patches import to_dn, to_signal
from fa_mobile.sensor import SensorProfile
from fa_mobile.simulation import sensor_color, simulate


@pytest.fixture(scope="module")
def pair(profile: SensorProfile) -> tuple[View, View]:
    """A noisy mosaic and the truth, 64 x 96."""
    made = simulate(chelsea()[100:164, 120:216], profile, 8.0, seed=3)
    noisy = np.clip(made.noisy.mosaic.astype(np.float32), 64, 1023)
    return View(noisy, profile), View(made.truth, profile)


def developed(mosaic: np.ndarray, profile: SensorProfile) -> np.ndarray:
    """The steps of the minimal ISP, one by one."""
    color = sensor_color(profile)
    signal = (mosaic.astype(np.float64) - 64) / 959
    signal[0::2, 0::2] *= color.red_gain
    signal[1::2, 1::2] *= color.blue_gain
    rgb = isp.demosaic_bilinear((signal * color.brightness).astype(np.float32)).astype(np.float64)
    linear = np.clip(rgb @ np.linalg.inv(color.rgb_to_camera.astype(np.float64)).T, 0, 1)
    display = np.maximum(linear, 1e-8) ** (1 / 2.2)
    return display * display * (3 - 2 * display)


def similarity(estimate: np.ndarray, truth: np.ndarray, peak: float) -> float:
    return float(
        structural_similarity(
            estimate.astype(np.float64), truth.astype(np.float64), data_range=peak,
            channel_axis=-1, gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
        )
    )  # fmt: skip


def test_raw_is_as_scikit_image_says(pair: tuple[View, View]) -> None:
    estimate, truth = pair
    by_colour = [
        np.stack([v.mosaic[r::2, c::2] for r in (0, 1) for c in (0, 1)], axis=-1) for v in pair
    ]
    assert MEASURES["raw-psnr"].score(estimate, truth) == pytest.approx(
        peak_signal_noise_ratio(truth.mosaic, estimate.mosaic, data_range=959), abs=1e-6
    )
    assert MEASURES["raw-ssim"].score(estimate, truth) == pytest.approx(
        similarity(*by_colour, peak=959), abs=1e-6
    )


def test_rgb_is_as_scikit_image_says(pair: tuple[View, View], profile: SensorProfile) -> None:
    estimate, truth = pair
    rgb = [view.rgb for view in pair]
    assert MEASURES["rgb-psnr"].score(estimate, truth) == pytest.approx(
        peak_signal_noise_ratio(rgb[1].astype(float), rgb[0].astype(float), data_range=1), abs=1e-6
    )
    assert MEASURES["rgb-ssim"].score(estimate, truth) == pytest.approx(
        similarity(*rgb, peak=1), abs=1e-6
    )
    for view in pair:  # 16-bit demosaicing rounds; gamma spreads that in the dark
        assert np.abs(view.rgb - developed(view.mosaic, profile)).max() < 2e-3


def test_a_photo_is_rendered_in_its_own_colours(profile: SensorProfile) -> None:
    """What unprocessing took away comes back: no cast by a wrong gain, matrix or black level."""
    photo = chelsea()[100:164, 120:216]
    view = View(simulate(photo, profile, 1.0, seed=0).truth, profile)
    # Demosaicing blurs: a small picture's means are compared.
    difference = view.rgb.mean(axis=(0, 1)) - photo.mean(axis=(0, 1)) / 255
    assert np.abs(difference).max() < 0.01


def test_equal_mosaics_are_perfect(pair: tuple[View, View]) -> None:
    view = pair[0]
    for name, measure in MEASURES.items():
        expected = float("inf") if "psnr" in name else 1.0
        assert measure.score(view, View(view.mosaic, view.profile)) == pytest.approx(expected)


def test_a_cast_costs_rgb(pair: tuple[View, View]) -> None:
    _, truth = pair
    tinted = truth.mosaic.copy()
    tinted[0::2, 0::2] = 64 + 1.05 * (tinted[0::2, 0::2] - 64)
    assert MEASURES["rgb-psnr"].score(View(tinted, truth.profile), truth) < 40


def test_least_sides_are_enough(profile: SensorProfile) -> None:
    for measure in MEASURES.values():
        side = measure.least_side + measure.least_side % 2
        view = View(np.full((side, side), 200, np.float32), profile)
        other = View(view.mosaic + np.float32(9), profile)
        assert np.isfinite(measure.score(view, other))


def test_signal_and_dn(profile: SensorProfile) -> None:
    signal = np.random.default_rng(1).random((6, 8)).astype(np.float32)
    assert np.abs(to_signal(to_dn(signal, profile), profile) - signal).max() < 1e-6


def test_names() -> None:
    assert list(chosen_measures([])) == ["raw-psnr"]
    assert list(chosen_measures(["rgb-ssim"])) == ["raw-psnr", "rgb-ssim"]
    assert list(chosen_measures(["all"])) == list(MEASURES)
    with pytest.raises(UserError, match=r"'lpips'.*allowed are raw-psnr, .*--perceptual"):
        chosen_measures(["lpips"])
