"""The picture of quality beside speed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fa_mobile.bench.pareto import Point, draw, front


def test_front_is_what_nothing_beats() -> None:
    fast, good = Point("fast", 1, 30, 30, 30), Point("good", 3, 40, 40, 40)
    beaten, equal_but_slow = Point("beaten", 4, 39, 39, 39), Point("slow", 5, 40, 40, 40)
    assert front([beaten, good, equal_but_slow, fast]) == [fast, good]


def test_picture_is_drawn(tmp_path: Path) -> None:
    path = tmp_path / "pareto.png"
    draw(path, [Point("a", 10, 41, 40.9, 41.2), Point("b", 20, 42, 42, 42)], "made for a test")
    with Image.open(path) as picture:
        assert picture.format == "PNG" and len(np.unique(picture.convert("L"))) > 10
    with pytest.raises(ValueError, match="no network was both"):
        draw(path, [], "")
