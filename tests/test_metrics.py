from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.metrics import mean_squared_error, peak_signal_noise_ratio, structural_similarity

from fa_mobile.metrics import mse, psnr, ssim

PAIRS = {
    "gray, 0..1": ((24, 31), 1.0, np.float32),
    "colour, 0..1": ((19, 22, 3), 1.0, np.float64),
    "DN": ((30, 20), 959.0, np.uint16),
}


def pair(name: str) -> tuple[npt.NDArray[np.generic], npt.NDArray[np.generic], float]:
    shape, peak, dtype = PAIRS[name]
    rng = np.random.default_rng(11)
    truth = rng.uniform(0, peak, shape)
    estimate = np.clip(truth + rng.normal(0, peak / 20, shape), 0, peak)
    return estimate.astype(dtype), truth.astype(dtype), peak


@pytest.mark.parametrize("name", PAIRS)
def test_agrees_with_scikit_image(name: str) -> None:
    estimate, truth, peak = pair(name)
    assert psnr(estimate, truth, data_range=peak) == pytest.approx(
        peak_signal_noise_ratio(truth, estimate, data_range=peak), abs=1e-6
    )
    as_double = (estimate.astype(np.float64), truth.astype(np.float64))
    assert mse(estimate, truth) == pytest.approx(mean_squared_error(*as_double), rel=1e-9)
    assert ssim(estimate, truth, data_range=peak) == pytest.approx(
        structural_similarity(
            *as_double,
            data_range=peak,
            channel_axis=2 if truth.ndim == 3 else None,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        ),
        abs=1e-6,
    )


def test_known_values() -> None:
    truth = np.zeros((12, 12), np.uint16)
    assert mse(truth + np.uint16(3), truth) == 9
    # Unsigned differences must not wrap around.
    assert mse(truth, truth + np.uint16(3)) == 9
    assert psnr(truth + np.uint16(10), truth, data_range=1000) == pytest.approx(40)


def test_equal_images_are_perfect() -> None:
    image = np.random.default_rng(2).random((16, 16))
    assert psnr(image, image, data_range=1) == float("inf")
    assert ssim(image, image, data_range=1) == pytest.approx(1)


@pytest.mark.parametrize("metric", [psnr, ssim])
def test_bad_input_is_named(metric: object) -> None:
    assert callable(metric)
    with pytest.raises(ValueError, match=r"\(12, 12\) and \(12, 13\).*same"):
        metric(np.zeros((12, 12)), np.zeros((12, 13)), data_range=1)
    with pytest.raises(ValueError, match=r"data_range=0.*above 0"):
        metric(np.zeros((12, 12)), np.zeros((12, 12)), data_range=0)
    with pytest.raises(ValueError, match="data_range=nan"):
        metric(np.zeros((12, 12)), np.zeros((12, 12)), data_range=float("nan"))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
@pytest.mark.parametrize("peak", [1.0, 255.0, 959.0, 65535.0])
@pytest.mark.parametrize("channels", [None, 1, 3, 4])
@given(
    sides=st.tuples(st.integers(11, 40), st.integers(11, 40)),
    seed=st.integers(0, 2**32 - 1),
    strength=st.floats(1e-3, 1.0),
)
@settings(max_examples=4, deadline=None)
def test_agrees_with_scikit_image_over_a_grid(
    dtype: type, peak: float, channels: int | None, sides: tuple[int, int], seed: int,
    strength: float,
) -> None:  # fmt: skip
    """Any shape, range, type and number of channels; PSNR in dB and SSIM to 1e-6."""
    shape = sides if channels is None else (*sides, channels)
    top = min(peak, float(np.iinfo(dtype).max)) if np.issubdtype(dtype, np.integer) else peak
    rng = np.random.default_rng(seed)
    truth = rng.uniform(0, top, shape)
    estimate = np.clip(truth + rng.normal(0, strength * top, shape), 0, top).astype(dtype)
    truth = truth.astype(dtype)
    # scikit-image computes in the images' own precision, so both get the same doubles.
    doubles = truth.astype(np.float64), estimate.astype(np.float64)
    if not np.array_equal(*doubles):
        expected = peak_signal_noise_ratio(*doubles, data_range=peak)
        assert psnr(estimate, truth, data_range=peak) == pytest.approx(expected, abs=1e-6, rel=0)
    similar = structural_similarity(
        *doubles, data_range=peak, channel_axis=None if channels is None else 2,
        gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
    )  # fmt: skip
    assert ssim(estimate, truth, data_range=peak) == pytest.approx(similar, abs=1e-6, rel=0)
