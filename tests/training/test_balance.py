"""The means of flat colours: a planted error is taken out, and pictures stay what they were."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from fa_mobile.domains import StabilizedDomain
from fa_mobile.flats import flats
from fa_mobile.networks import MobileNet, build_network
from fa_mobile.nsma import load_checkpoint, subrange
from fa_mobile.patches import clean_patches
from fa_mobile.training import balance as balancing
from fa_mobile.training.balance import balance, frames, stays

SHIPPED = Path(balancing.__file__).parents[1] / "checkpoints" / "imx258-mobile"
ARRAY = load_checkpoint(SHIPPED)
PROFILE = ARRAY.spec.profile
RANGE = subrange(PROFILE.a_range, ARRAY.spec.edges, 0)
PHOTOS = [patch for patch in clean_patches(None, count=48) if (patch == 1).mean() < 0.05]
"""As photos to train on are: overexposed ones are for int8's ranges."""
_RED_ERROR = 0.02


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(balancing, "_GAINS", 2)
    monkeypatch.setattr(balancing, "_FRAMES", (2, 2))
    monkeypatch.setattr(balancing, "_SIDE", 256)


@torch.no_grad()
def tinted(member: int) -> MobileNet:
    """A shipped member whose residual is off in red, by two fifths of the noise."""
    network = copy.deepcopy(ARRAY.networks[member])
    assert isinstance(network, MobileNet)
    network.trunk.tail.bias[:4] += _RED_ERROR  # type: ignore[index]
    return network


def errors(network: MobileNet, seed: int) -> np.ndarray:  # type: ignore[type-arg]
    """Root mean square over other flat colours of each channel's error, of its level."""
    rng = np.random.default_rng(seed)
    wanted = flats(PROFILE, RANGE, balancing._GAINS, seed)
    with torch.no_grad():
        found = [balancing._measure(network, flat, PROFILE, rng, lambda: None) for flat in wanted]
    relative = [
        m.error.reshape(4, 4).mean(axis=1) / flat.truth
        for m, flat in zip(found, wanted, strict=True)
        if not any(stays(flat, colour) for colour in range(4))
    ]
    return np.sqrt(np.mean(np.square(relative), axis=0))


@pytest.mark.usefixtures("few")
def test_a_planted_tint_is_taken_out() -> None:
    network = tinted(0)
    before = errors(network, 1)
    balance(network, PROFILE, RANGE, PHOTOS)
    after = errors(network, 1)
    assert before[0] > 0.01
    assert after[0] < before[0] / 5
    # What was planted in highlights stays, and pulls at red; the others have no part in it.
    assert np.abs(after[1:] - before[1:]).max() < 0.001


@pytest.mark.usefixtures("few")
def test_what_it_adds_is_far_below_the_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing was planted, nothing near the noise is added, at any level of a picture."""
    # Two noises leave free what becomes of white.
    monkeypatch.setattr(balancing, "_GAINS", 4)
    network = copy.deepcopy(ARRAY.networks[0])
    levels = torch.linspace(0.4, 6.5, 64).reshape(1, 1, 64, 1).expand(1, 4, 64, 64)
    noise = torch.randn(1, 4, 64, 64, generator=torch.Generator().manual_seed(0))
    features = levels + StabilizedDomain.NOISE * noise
    with torch.no_grad():
        before = network(features)
        balance(network, PROFILE, RANGE, PHOTOS)
        added = (network(features) - before).abs()
    assert 0 < added.max() < 0.1 * StabilizedDomain.NOISE


@pytest.mark.usefixtures("few")
def test_photos_do_not_pay_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the member for the most noise flat colours alone would cost much."""
    bounds = subrange(PROFILE.a_range, ARRAY.spec.edges, 3)
    others = clean_patches(None, count=120)[48:]

    def lost() -> float:
        network = copy.deepcopy(ARRAY.networks[3])
        before = photo_error(network, others)
        balance(network, PROFILE, bounds, PHOTOS)
        return float(10 * np.log10(photo_error(network, others) / before).mean())

    with_photos = lost()
    monkeypatch.setattr(balancing, "_PHOTOS_WEIGHT", 0.0)
    monkeypatch.setattr(balancing, "_HELD", 1e6)
    assert with_photos < 0.01
    assert lost() > with_photos + 0.02


def photo_error(network: nn.Module, photos: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
    """Mean squared error of each photo."""
    rng = np.random.default_rng(4)
    noise = PROFILE.noise(40.0)
    assert isinstance(network, MobileNet)
    with torch.no_grad():
        pulled = balancing._on_photos(network, photos, [noise], PROFILE, rng, lambda: None)
        return np.array([energy for *_, energy in pulled])


@pytest.mark.usefixtures("few")
def test_progress_counts_to_its_end() -> None:
    seen: list[tuple[int, int]] = []
    balance(
        tinted(0), PROFILE, RANGE, PHOTOS, progress=lambda done, total: seen.append((done, total))
    )
    assert [done for done, _ in seen] == list(range(1, len(seen) + 1))
    assert seen[-1][0] == seen[-1][1]


def test_noisier_flats_are_captured_more_often() -> None:
    high = subrange(PROFILE.a_range, ARRAY.spec.edges, 3)
    low_frames, high_frames = (
        sum(map(frames, flats(PROFILE, bounds, 5, 0))) for bounds in (RANGE, high)
    )
    assert high_frames > 3 * low_frames


def test_other_networks_stay_as_they_are() -> None:
    network: nn.Module = build_network("paper")
    before = copy.deepcopy(network.state_dict())
    balance(network, PROFILE, RANGE, PHOTOS)
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
