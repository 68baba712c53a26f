from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fa_mobile.errors import UserError
from fa_mobile.sensor import (
    SensorProfile,
    built_in_profiles,
    load_profile,
    profile_from_json,
)


def fields() -> dict[str, Any]:
    """The fields of a valid profile, to spoil one at a time."""
    loaded: dict[str, Any] = json.loads(load_profile("imx258").to_json())
    return loaded


def test_both_profiles_are_shipped() -> None:
    assert set(built_in_profiles()) >= {"imx258", "oppo-reno-10x"}


@pytest.mark.parametrize("name", ["imx258", "oppo-reno-10x"])
def test_shipped_profile_survives_json_and_bears_its_name(name: str) -> None:
    profile = load_profile(name)
    assert profile.name == name
    assert profile_from_json(profile.to_json(), source="copy") == profile


def regression(profile: SensorProfile) -> tuple[float, float, float]:
    """Slope, intercept and rms of ln b over ln a for 200 gains evenly spaced in ln gain."""
    pairs = np.array([profile.noise(gain) for gain in np.geomspace(*profile.gain_range, 200)])
    a, b = np.log(pairs).T
    slope, intercept = np.polyfit(a, b, 1)
    rms = np.sqrt(np.mean((slope * a + intercept - b) ** 2))
    return float(slope), float(intercept), float(rms)


@pytest.mark.parametrize(
    ("name", "intercept_tolerance"),
    # The IMX258's constants are those of another grid of gains (slope 1.8312, intercept 0.485
    # here); oppo-reno-10x's are of this very one.
    [("imx258", 0.03), ("oppo-reno-10x", 0.001)],
)
def test_log_line_is_the_regression(name: str, intercept_tolerance: float) -> None:
    profile = load_profile(name)
    slope, intercept, _ = regression(profile)
    assert profile.log_line[0] == pytest.approx(slope, abs=0.01)
    assert profile.log_line[1] == pytest.approx(intercept, abs=intercept_tolerance)


def test_imx258_deviates_from_its_line_by_the_stated_rms() -> None:
    assert regression(load_profile("imx258"))[2] == pytest.approx(0.15, abs=0.01)


@given(st.floats(100, 6400))
def test_oppo_noise_is_the_published_calibration(iso: float) -> None:
    profile = load_profile("oppo-reno-10x")
    a, b = profile.noise(iso / profile.base_iso)
    assert a * 959 == pytest.approx(0.0005995267 * iso + 0.00868861, rel=1e-8)
    in_dn = 7.11772e-7 * iso**2 + 6.514934e-4 * iso + 0.11492713
    assert b * 959**2 == pytest.approx(in_dn, rel=1e-8)
    assert profile.span == (959, 959, 959, 959)


@pytest.mark.parametrize("name", ["imx258", "oppo-reno-10x"])
@given(data=st.data())
def test_more_gain_is_more_noise_and_float32_follows(name: str, data: st.DataObject) -> None:
    profile = load_profile(name)
    gain = data.draw(st.floats(*profile.gain_range))
    low, high = profile.noise(gain), profile.noise(gain * 1.1)
    assert low.a < high.a
    assert low.b < high.b
    in_float32 = profile.a_float32(gain)
    assert in_float32.dtype == np.float32
    assert float(in_float32) == pytest.approx(low.a, rel=4e-7)


def test_derived_values() -> None:
    profile = profile_from_json(
        json.dumps(fields() | {"black_level": [60, 64, 64, 68], "white_level": 1000}), source="t"
    )
    assert profile.span == (940, 936, 936, 932)
    assert profile.a_range == (profile.noise(1).a, profile.noise(64).a)
    slope, intercept = profile.log_line
    assert math.log(profile.line_b(1e-3)) == pytest.approx(slope * math.log(1e-3) + intercept)
    assert profile.line_b(1.0) == pytest.approx(math.exp(intercept))


def test_pedestal_of_equal_levels() -> None:
    assert load_profile("imx258").pedestal == -64 / 959


def test_pedestal_is_the_lowest_of_the_colours() -> None:
    changed = fields() | {"black_level": [60, 64, 64, 68], "white_level": 1000}
    assert profile_from_json(json.dumps(changed), source="t").pedestal == -68 / 932


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"base_iso": 0}, ("base_iso", "greater than 0", "given 0")),
        ({"base_iso": math.inf}, ("base_iso", "finite")),
        ({"cfa": "XTRANS"}, ("cfa", "'RGGB'", "given 'XTRANS'")),
        ({"gain_range": [4, 4]}, ("gain_range must rise", "4.0..4.0")),
        ({"black_level": [64, 64, 64, 1023]}, ("black_level", "below white_level 1023")),
        ({"white_level": 1024}, ("white_level 1024", "10 bits")),
        ({"b_quadratic": [0, 0, -1e-6]}, ("b=-1e-06", "not a noise")),
        ({"a_linear": [0, 0]}, ("a=0", "not a noise")),
        ({"name": "../evil"}, ("name", "given '../evil'")),
        ({"color_matrix": [1, 0, 0]}, ("color_matrix", "9 items")),
        ({"surprise": 1}, ("surprise", "Extra inputs are not permitted")),
        ({"schema_version": 2}, ("schema_version", "given 2")),
    ],
)
def test_wrong_fields_are_named(change: dict[str, Any], told: tuple[str, ...]) -> None:
    with pytest.raises(UserError) as error:
        profile_from_json(json.dumps(fields() | change), source="mine.json")
    for part in ("mine.json", *told):
        assert part in str(error.value)


def test_missing_field_is_named() -> None:
    without = fields()
    del without["base_iso"]
    with pytest.raises(UserError, match="base_iso: Field required"):
        profile_from_json(json.dumps(without), source="mine.json")


def test_not_json_is_told() -> None:
    with pytest.raises(UserError, match=r"mine\.json is not JSON"):
        profile_from_json("{", source="mine.json")


def test_profile_of_a_path(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(fields() | {"name": "mine"}), encoding="utf-8")
    assert load_profile(path).name == "mine"
    with pytest.raises(UserError, match=r"none\.json.*not found.*imx258.*oppo-reno-10x.*path"):
        load_profile(tmp_path / "none.json")
