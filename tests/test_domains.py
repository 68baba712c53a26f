"""Domains: what networks see of a capture."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from fa_mobile.domains import DOMAINS, StabilizedDomain, domain_of
from fa_mobile.networks import NETWORK_NAMES, build_network
from fa_mobile.noise import KSigma, NoiseParameters, k_sigma
from fa_mobile.sensor import SensorProfile


def column(value: float) -> Tensor:
    return torch.tensor([value], dtype=torch.float64)


def scalars(name: str, noise: NoiseParameters, anchor: NoiseParameters) -> tuple[Tensor, ...]:
    return DOMAINS[name].scalars(*(column(v) for v in (*noise, *anchor)))


@pytest.mark.parametrize("name", NETWORK_NAMES)
def test_every_network_has_a_domain(name: str) -> None:
    assert domain_of(build_network(name)) in DOMAINS.values()


def test_k_sigma_domain_is_k_sigma(profile: SensorProfile) -> None:
    noise, anchor = profile.noise(9), profile.noise(3)
    x = torch.linspace(-0.05, 1, 50, dtype=torch.float64)
    transform = KSigma.between(noise, anchor)
    given_ = scalars("k-sigma", noise, anchor)
    features = DOMAINS["k-sigma"].enter(x, *given_)
    assert torch.allclose(features, k_sigma(x, transform), atol=1e-12)
    moved = DOMAINS["k-sigma"].leave(x, features, torch.ones_like(x), *given_) - x
    assert torch.allclose(moved, torch.full_like(x, 1 / transform.scale))


@pytest.mark.parametrize("gain", [1, 4, 16, 64])
@pytest.mark.parametrize("signal", [0.0, 0.01, 0.1, 0.5, 0.9])
def test_stabilized_noise_is_alike(profile: SensorProfile, gain: float, signal: float) -> None:
    """Near NOISE everywhere, down to three fifths of it at black, where the root is shifted."""
    noise = profile.noise(gain)
    rng = np.random.default_rng(0)
    x = signal + np.sqrt(noise.a * signal + noise.b) * rng.standard_normal(100_000)
    features = DOMAINS["stabilized"].enter(
        torch.from_numpy(x), *scalars("stabilized", noise, noise)
    )
    assert 0.55 < float(features.std()) / StabilizedDomain.NOISE < 1.05


@given(x=st.floats(-0.02, 1), gain=st.floats(1, 64))
def test_a_step_in_the_features_is_that_step_of_the_signal(x: float, gain: float) -> None:
    """To first order: the domain's way back is the derivative of its way in."""
    noise = NoiseParameters(2.35e-4 * gain, 2.2e-7 * gain**2 + 4e-7)
    if x < -3 * noise.b**0.5:
        x = -3 * noise.b**0.5
    domain, step = DOMAINS["stabilized"], 1e-7
    given_ = scalars("stabilized", noise, noise)
    here, there = (domain.enter(column(value), *given_) for value in (x, x + step))
    back = domain.leave(column(x), here, there - here, *given_)
    assert (back - x).item() == pytest.approx(step, rel=1e-2)


@pytest.mark.parametrize("name", sorted(DOMAINS))
@pytest.mark.parametrize("gain", [1, 64])
def test_in_dn_gives_the_same_features(profile: SensorProfile, name: str, gain: float) -> None:
    black, span = 64.0, 959.0
    raw = torch.linspace(0, 1023, 200, dtype=torch.float64)
    normal = scalars(name, profile.noise(gain), profile.noise(1))
    domain, x = DOMAINS[name], (raw - black) / span
    in_dn = domain.in_dn(normal, black, span)
    features, residual = domain.enter(x, *normal), torch.full_like(x, 0.1)
    assert torch.allclose(features, domain.enter(raw, *in_dn), atol=1e-10)
    moved = domain.leave(x, features, residual, *normal) * span + black
    assert torch.allclose(moved, domain.leave(raw, features, residual, *in_dn), rtol=1e-10)


def test_stabilized_takes_noise_without_a_read_part() -> None:
    x = torch.tensor([-0.05, 0.0, 0.5])
    given_ = scalars("stabilized", NoiseParameters(1e-3, 0), NoiseParameters(1, 0))
    features = DOMAINS["stabilized"].enter(x, *given_)
    moved = DOMAINS["stabilized"].leave(x, features, features, *given_)
    assert torch.isfinite(features).all() and torch.isfinite(moved).all()
