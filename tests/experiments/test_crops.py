"""The picture of crops."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from skimage.data import chelsea

from fa_mobile.experiments.crops import SIDE, ZOOM, most_detail, picture_of
from fa_mobile.patches import to_dn
from fa_mobile.sensor import SensorProfile


def test_the_place_is_where_the_truth_varies_most() -> None:
    mosaic = np.full((96, 128), 100, np.float32)
    mosaic[40:72, 64:96] += 50 * np.random.default_rng(0).random((32, 32), np.float32)
    place = most_detail(mosaic, 32)
    assert abs(place.top - 40) <= 2 and abs(place.left - 64) <= 2 and place.side == 32
    assert place.top % 2 == place.left % 2 == 0
    whole = most_detail(mosaic, 500)
    assert (whole.top, whole.side) == (0, 96) and whole.of(mosaic).shape == (96, 96)


def test_every_subject_stands_between_the_capture_and_the_truth(
    profile: SensorProfile, tmp_path: Path
) -> None:
    path = tmp_path / "photo.png"
    Image.fromarray(chelsea()[:200, :240]).save(path)
    gray = to_dn(np.full((200, 240), 0.2, np.float32), profile)
    seen: list[float] = []

    def flat(raw: np.ndarray, gain: float) -> np.ndarray:  # type: ignore[type-arg]
        seen.append(gain)
        assert raw.shape == (200, 240)
        return gray

    picture, place = picture_of(path, {"gray": flat}, profile, seed=0)
    assert seen == [8, 64] and place.side == SIDE
    shown = np.asarray(picture)
    side = SIDE * ZOOM
    tiles = [shown[-side:, i * (side + 6) : i * (side + 6) + side] for i in range(3)]
    assert shown.shape[1] == 3 * side + 12
    noisy, estimate, truth = (tile[20:-20, 20:-20].astype(float) for tile in tiles)
    assert np.ptp(estimate, axis=(0, 1)).max() <= 1
    assert (
        np.abs(np.diff(noisy[::2, ::2], axis=0)).mean()
        > 2 * np.abs(np.diff(truth[::2, ::2], axis=0)).mean()
    )
