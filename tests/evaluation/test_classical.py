"""The classical denoiser: stabilised noise, an inverse without bias, and that it denoises."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.data import chelsea

from fa_mobile.evaluation import classical
from fa_mobile.metrics import psnr
from fa_mobile.noise import NoiseParameters, add_noise
from fa_mobile.sensor import SensorProfile
from fa_mobile.simulation import simulate

LOW = -64 / 959


@pytest.mark.parametrize("gain", [1.0, 16.0, 64.0])
def test_noise_is_one(profile: SensorProfile, gain: float) -> None:
    noise = profile.noise(gain)
    rng = np.random.default_rng(2)
    for x in (0.02, 0.2, 0.7):
        noisy = add_noise(np.full(40000, x), noise, rng, low=LOW).astype(np.float64)
        assert np.std(classical.stabilize(noisy, noise)) == pytest.approx(1, rel=0.15)


@pytest.mark.parametrize("gain", [1.0, 64.0])
def test_the_inverse_has_no_bias(profile: SensorProfile, gain: float) -> None:
    """Nothing but the mean of stabilised samples is known, and the signal comes back."""
    noise = profile.noise(gain)
    rng = np.random.default_rng(5)
    for x in (0.01, 0.05, 0.3, 0.9):
        noisy = add_noise(np.full(400000, x), noise, rng, low=LOW).astype(np.float64)
        root = classical.stabilize(noisy, noise)
        found = classical.unbiased_inverse(np.array(root.mean()), noise, LOW)
        sigma = np.sqrt(noise.a * x + noise.b)
        assert float(found) == pytest.approx(x, abs=5 * sigma / np.sqrt(noisy.size))
        naive = (root.mean() ** 2 * noise.a**2 / 4 - 3 / 8 * noise.a**2 - noise.b) / noise.a
        if gain == 64:  # what the plain square would give is visibly darker
            assert naive < x - 0.002


def test_the_inverse_stays_in_range() -> None:
    noise = NoiseParameters(1e-3, 1e-5)
    out = classical.unbiased_inverse(np.array([-5.0, 0.0, 1e4]), noise, LOW)
    assert out.min() == 0 and out.max() == 1


def test_it_denoises(profile: SensorProfile) -> None:
    made = simulate(chelsea()[60:156, 100:196], profile, 16, seed=2)
    result = classical.denoiser(profile)(made.noisy.mosaic, 16)
    assert result.shape == made.truth.shape and result.dtype == np.float32
    assert result.min() >= 64 and result.max() <= 1023
    noisy = np.clip(made.noisy.mosaic, 64, 1023)
    before, after = (psnr(m, made.truth, data_range=959) for m in (noisy, result))
    assert after > before + 2.5
    assert "scikit-image" in classical.name()
