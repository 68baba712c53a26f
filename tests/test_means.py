"""The closed form behind right means: exact where it can be, photos where they disagree."""

from __future__ import annotations

import numpy as np

from fa_mobile.means import Pull, best_change, energy, pull, responses

COLUMNS, PIXELS, POSITIONS = 4, 500, 3
FREE = 1e9
"""What holds nothing."""
NO_FLATS = np.zeros((0, COLUMNS)), np.zeros(0)


def seen(rng: np.random.Generator) -> np.ndarray:  # type: ignore[type-arg]
    return np.vstack([rng.normal(size=(COLUMNS - 1, PIXELS)), np.ones(PIXELS)])


def nothing() -> Pull:
    return Pull(np.zeros((POSITIONS, COLUMNS, COLUMNS)), np.zeros((POSITIONS, COLUMNS)))


def test_photos_alone_get_their_least_squares() -> None:
    rng = np.random.default_rng(0)
    through, slope = seen(rng), rng.uniform(0.5, 2, (POSITIONS, PIXELS))
    error = rng.normal(size=(POSITIONS, PIXELS)) + 3
    energy = float(np.mean(error**2))
    pulled = pull([(error, slope, through, energy)])
    for position in range(POSITIONS):
        expected = np.linalg.lstsq((slope[position] * through).T, -error[position])[0]
        found = best_change(*NO_FLATS, pulled, position, weight=1.0, held=FREE)
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-9)


def test_flats_alone_are_met_exactly() -> None:
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(COLUMNS, COLUMNS))
    wanted = rng.normal(size=COLUMNS)
    found = best_change(rows, wanted, nothing(), 0, weight=1.0, held=FREE)
    np.testing.assert_allclose(rows @ found, wanted, rtol=1e-6, atol=1e-9)


def test_what_no_capture_shows_stays() -> None:
    """A column without a response is not moved, and makes nothing singular."""
    rows = np.array([[1.0, 0.0, 0.0, 1.0], [2.0, 0.0, 0.0, 1.0]])
    found = best_change(rows, np.array([1.0, 2.0]), nothing(), 0, weight=1.0, held=100.0)
    np.testing.assert_allclose(found, [1, 0, 0, 0], atol=1e-3)


def test_the_more_photos_weigh_the_less_they_lose() -> None:
    rng = np.random.default_rng(2)
    through, slope = seen(rng), np.ones((POSITIONS, PIXELS))
    error = rng.normal(size=(POSITIONS, PIXELS))
    pulled = pull([(error, slope, through, float(np.mean(error**2)))])
    rows = responses(slope, through)[:1] + 0.3

    def loss(weight: float) -> float:
        change = best_change(rows, np.ones(1), pulled, 0, weight=weight, held=FREE)
        return float(np.mean((error[0] + change @ through) ** 2))

    assert loss(0.01) > 1.05 * loss(1.0) > 1.05 * loss(100.0)


def test_a_photo_of_nothing_but_white_weighs_no_more_than_others() -> None:
    """Noise is cut off there, and nothing is left to be wrong."""
    rng = np.random.default_rng(5)
    through, slope = seen(rng), np.ones((POSITIONS, PIXELS))
    error = rng.normal(size=(POSITIONS, PIXELS))
    photo = error, slope, through, energy(error, 10.0)
    white = np.zeros_like(error), slope, through, energy(np.zeros_like(error), 10.0)
    found = best_change(*NO_FLATS, pull([photo, white]), 0, weight=1.0, held=FREE)
    assert np.isfinite(found).all()
    assert energy(error, 10.0) == float(np.mean(error**2))


def test_responses_are_what_a_weight_adds_to_the_mean() -> None:
    rng = np.random.default_rng(3)
    through, slope = seen(rng), rng.uniform(0.5, 2, (POSITIONS, PIXELS))
    weights = rng.normal(size=COLUMNS)
    added = (slope * (weights @ through)).mean(axis=1)
    np.testing.assert_allclose(responses(slope, through) @ weights, added)
