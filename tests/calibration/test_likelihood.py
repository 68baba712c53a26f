"""The likelihood against sampling and against the sums that it must have."""

from __future__ import annotations

import numpy as np
import pytest

from fa_mobile.calibration.likelihood import (
    DifferenceCounts,
    IntervalCounts,
    between,
    unclipped_mean,
)
from fa_mobile.noise import NoiseParameters

NOISES = [NoiseParameters(2e-4, 1e-7), NoiseParameters(1.5e-2, 9e-4)]


@pytest.mark.parametrize("noise", NOISES)
def test_clipping_is_undone(noise: NoiseParameters) -> None:
    rng = np.random.default_rng(2)
    truth = np.array([0.01, 0.05, 0.5, 0.95, 0.99])
    sigma = np.sqrt(noise.a * truth + noise.b)
    drawn = truth + sigma * rng.standard_normal((200_000, 5))
    low, high = np.zeros(5), np.ones(5)
    observed = np.clip(drawn, 0, 1).mean(axis=0)
    found = unclipped_mean(observed, noise, low, high)
    # Five standard errors of a mean, more where clipping leaves half of the samples.
    assert np.all(np.abs(found - truth) < 10 * sigma / np.sqrt(200_000))
    assert np.abs(observed - truth).max() > 5 * np.abs(found - truth).max() or noise.a < 1e-3


def test_intervals_far_out_keep_their_digits() -> None:
    right = between(np.array([8.0]), np.array([9.0]))
    left = between(np.array([-9.0]), np.array([-8.0]))
    assert right == pytest.approx(left, rel=1e-12)
    assert 0 < right < 1e-14


@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("mean", [0.002, 0.4, 0.998])
def test_probabilities_of_all_dn_add_up(noise: NoiseParameters, mean: float) -> None:
    edges = (np.arange(959) + 0.5) / 959
    lower, upper = np.concatenate([[-np.inf], edges]), np.concatenate([edges, [np.inf]])
    one = np.array([mean])
    counted = IntervalCounts(
        counts=np.ones(960), groups=np.zeros(960, np.intp), strays=np.zeros((960, 3)),
        intensity=one, spent=np.zeros(1), lower=lower, upper=upper,
        levels=np.zeros(960, np.intp), observed=one, low=np.zeros(1), high=np.ones(1),
    )  # fmt: skip
    chance = counted.probabilities(noise)
    assert chance.sum() == pytest.approx(1, abs=1e-12)
    if mean == 0.4:
        assert np.arange(960) @ chance == pytest.approx(0.4 * 959, abs=0.01)


def differences(width: int, shift: float = 0.0) -> DifferenceCounts:
    first = np.arange(-240, 240, width, dtype=np.float64)
    return DifferenceCounts(
        counts=np.ones(len(first)), groups=np.zeros(len(first), np.intp),
        strays=np.zeros((len(first), 3)), intensity=np.array([0.3]), spent=np.zeros(1),
        first=first, last=first + width - 1, shift=np.array([shift]), span=np.array([959.0]),
    )  # fmt: skip


@pytest.mark.parametrize("noise", [NoiseParameters(1e-7, 1e-7), *NOISES[:1]])
def test_differences_of_rounded_samples(noise: NoiseParameters) -> None:
    """Against drawing, also where the noise is a third of one DN."""
    rng = np.random.default_rng(3)
    place = rng.uniform(0, 1, 400_000)  # the signal, anywhere between two DN
    sigma = 959 * np.sqrt(0.3 * noise.a + noise.b)
    one, two = (np.round(place + sigma * rng.standard_normal(place.shape)) for _ in range(2))
    counts = np.bincount((one - two).astype(int) + 240, minlength=480) / len(place)
    chance = differences(1).probabilities(noise)
    assert chance.sum() == pytest.approx(1, abs=1e-9)
    assert np.all(np.abs(counts - chance) < 5 * np.sqrt(chance / len(place)) + 1e-5)


def test_wide_cells_hold_the_narrow_ones() -> None:
    narrow, wide = (differences(width, 1.3).probabilities(NOISES[0]) for width in (1, 4))
    assert wide == pytest.approx(narrow.reshape(-1, 4).sum(axis=1), abs=1e-12)


def test_some_groups_only() -> None:
    parts = differences(8)
    two = DifferenceCounts(
        counts=np.concatenate([parts.counts, 2 * parts.counts]),
        groups=np.repeat([0, 1], len(parts.counts)), strays=np.tile(parts.strays, (2, 1)),
        intensity=np.array([0.3, 0.6]), spent=np.array([1.0, 2.0]),
        first=np.tile(parts.first, 2), last=np.tile(parts.last, 2),
        shift=np.array([0.0, 1.0]), span=np.array([959.0, 900.0]),
    )  # fmt: skip
    second = two.of([False, True])
    assert second.intensity.tolist() == [0.6]
    assert set(second.groups.tolist()) == {0}
    assert np.all(second.counts == 2) and len(second.first) == len(parts.first)
