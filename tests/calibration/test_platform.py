"""Noise that the platform states: dumps, tags, and dumps that are wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fa_mobile.calibration.platform import by_gain, disagreement, read_dump
from fa_mobile.errors import UserError
from fa_mobile.noise import NoiseParameters


def dumped(folder: Path, data: Any) -> Path:
    path = folder / "dump.json"
    path.write_text(data if isinstance(data, str) else json.dumps(data), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "profile",
    [
        [[2e-4, 1e-6]] * 4,
        [[2e-4, 1e-6]] * 3,
        [2e-4, 1e-6] * 4,
        [2e-4, 1e-6],
        [[1e-4, 0.5e-6], [3e-4, 1.5e-6]],
    ],
)
def test_shapes_of_a_profile(tmp_path: Path, profile: list[Any]) -> None:
    capture = {"iso": 200, "noise_profile": profile, "exposure_ns": 1}
    for data in ([capture], {"captures": [capture], "device": "x"}):
        (stated,) = read_dump(dumped(tmp_path, data))
        assert stated.iso == 200
        assert stated.noise == pytest.approx(NoiseParameters(2e-4, 1e-6))


def test_channels_that_differ_are_reported(tmp_path: Path) -> None:
    pairs = [[1e-4, 1e-6], [2e-4, 1e-6], [2e-4, 1e-6], [3e-4, 1e-6]]
    stated = read_dump(dumped(tmp_path, [{"iso": 100, "noise_profile": pairs}]))
    assert stated[0].noise == pytest.approx(NoiseParameters(2e-4, 1e-6))
    (line,) = disagreement(stated)
    assert "1 of 1 captures" in line and "50%" in line
    same = read_dump(dumped(tmp_path, [{"iso": 100, "noise_profile": pairs[1]}]))
    assert disagreement(same) == []
    assert by_gain([*stated, *same], 50) == {2: [stated[0].noise, same[0].noise]}


CAPTURE = {"iso": 100, "noise_profile": [[1e-4, 1e-6]] * 4}


@pytest.mark.parametrize(
    ("data", "part"),
    [
        ("{", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("3", "captures"),
        ([], "at least 1"),
        ([CAPTURE | {"iso": 0}], "iso"),
        ([CAPTURE | {"iso": "NaN"}], "iso"),
        ([{"iso": 100}], "noise_profile"),
        ([CAPTURE | {"noise_profile": None}], "noise_profile"),
        ([CAPTURE | {"noise_profile": [[1e-4, -1.0]]}], "noise_profile"),
        ([CAPTURE | {"noise_profile": [[0.0, 1e-6]]}], "noise_profile"),
        ('[{"iso": 100, "noise_profile": [[NaN, 1e-6]]}]', "noise_profile"),
        ([CAPTURE | {"noise_profile": [1e-4] * 5}], "noise_profile"),
        ([CAPTURE | {"noise_profile": [[1e-4, 1e-6]] * 5}], "noise_profile"),
        ([{"iso": -1}] * 5000, "and more"),
    ],
)
def test_wrong_dumps_are_refused_in_one_line(tmp_path: Path, data: Any, part: str) -> None:
    path = dumped(tmp_path, data)
    with pytest.raises(UserError) as error:
        read_dump(path)
    message = str(error.value)
    assert str(path) in message and part in message and "allowed" in message
    assert "\n" not in message and len(message) < 1000


def test_a_huge_dump_is_not_read(tmp_path: Path) -> None:
    path = dumped(tmp_path, "[" + " " * (16 * 2**20) + "]")
    with pytest.raises(UserError, match="allowed are dumps of up to"):
        read_dump(path)
