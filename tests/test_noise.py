from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fa_mobile.noise import (
    KSigma,
    NoiseParameters,
    add_noise,
    inverse_k_sigma,
    k_sigma,
    variance,
)

noises = st.builds(NoiseParameters, a=st.floats(1e-5, 0.1), b=st.just(0.0) | st.floats(1e-8, 1e-2))


@given(st.floats(-0.2, 1), noises, noises)
def test_k_sigma_round_trip(x: float, noise: NoiseParameters, anchor: NoiseParameters) -> None:
    transform = KSigma.between(noise, anchor)
    there = k_sigma(x, transform)
    # Cancellation costs as many digits as the offset is large.
    bound = 1e-14 * (1 + abs(transform.offset)) / transform.scale
    assert inverse_k_sigma(there, transform) == pytest.approx(x, abs=bound + 1e-14)


@given(st.floats(0, 1), noises, noises)
def test_k_sigma_turns_the_noise_into_the_anchors(
    x: float, noise: NoiseParameters, anchor: NoiseParameters
) -> None:
    transform = KSigma.between(noise, anchor)
    got = transform.scale**2 * (noise.a * x + noise.b)
    z = k_sigma(x, transform)
    # Terms that cancel in the wanted value bound what double precision can keep of it.
    terms = anchor.a * (abs(transform.scale * x) + abs(transform.offset)) + anchor.b
    terms += anchor.a * transform.scale * noise.b / noise.a
    assert anchor.a * z + anchor.b == pytest.approx(got, rel=1e-9, abs=1e-13 * terms + 1e-300)


def test_k_sigma_to_itself_changes_nothing() -> None:
    noise = NoiseParameters(2e-3, 3e-6)
    assert KSigma.between(noise, noise) == (1.0, 0.0)


def test_variance_counts_negative_signal_as_black() -> None:
    got = variance(np.array([-0.5, 0, 0.5, 1]), NoiseParameters(0.01, 1e-4))
    assert got.tolist() == pytest.approx([1e-4, 1e-4, 0.0051, 0.0101], rel=1e-12)


@pytest.mark.parametrize("x", [0.2, 0.5, 0.8])
@pytest.mark.parametrize("noise", [NoiseParameters(1e-3, 0.0), NoiseParameters(2e-4, 4e-4)])
def test_sample_mean_and_variance_are_those_of_the_model(x: float, noise: NoiseParameters) -> None:
    count = 40_000
    sample = add_noise(np.full(count, x, np.float32), noise, np.random.default_rng(7), low=-1.0)
    wanted = noise.a * x + noise.b
    # Five standard errors of a Gaussian's mean and variance.
    assert abs(sample.mean(dtype=np.float64) - x) < 5 * np.sqrt(wanted / count)
    assert abs(sample.var(dtype=np.float64) / wanted - 1) < 5 * np.sqrt(2 / count)
    assert sample.dtype == np.float32


def test_noise_is_clipped_at_the_ends() -> None:
    clean = np.repeat(np.array([0, 1], np.float32), 500)
    noise = NoiseParameters(0.01, 0.01)
    at_black = add_noise(clean, noise, np.random.default_rng(1))
    assert at_black.min() == 0
    assert at_black.max() == 1
    pedestal = add_noise(clean, noise, np.random.default_rng(1), low=-0.05)
    assert pedestal.min() == np.float32(-0.05)
    assert (pedestal[:500] < 0).mean() > 0.3


def test_rounding_gives_whole_dn() -> None:
    clean = np.linspace(0, 1, 999, dtype=np.float32)
    noise = NoiseParameters(1e-3, 1e-6)
    exact = add_noise(clean, noise, np.random.default_rng(3))
    whole = add_noise(clean, noise, np.random.default_rng(3), levels=959)
    dn = whole.astype(np.float64) * 959
    assert np.abs(dn - np.round(dn)).max() < 1e-4
    assert np.abs(whole - exact).max() < 0.5001 / 959
    assert not (whole == exact).all()


def test_the_same_seed_draws_the_same_noise() -> None:
    clean = np.full((4, 4), 0.5, np.float32)
    noise = NoiseParameters(1e-2, 1e-4)
    first, second, other = (
        add_noise(clean, noise, np.random.default_rng(seed)) for seed in (5, 5, 6)
    )
    assert (first == second).all()
    assert not (first == other).all()
