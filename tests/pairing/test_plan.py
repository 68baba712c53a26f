"""Plans: one product of gain and time, and what stands in its way."""

from __future__ import annotations

import json
from fractions import Fraction

import pytest

from fa_mobile.errors import UserError
from fa_mobile.pairing.plan import Limits, parse_seconds, plan_captures, shown_seconds
from fa_mobile.sensor import load_profile
from tests.commands import run_here

IMX258 = load_profile("imx258")
QUARTER = Fraction(1, 4)


def test_gain_times_time_is_one_product() -> None:
    plan = plan_captures(IMX258, 1, QUARTER, [64, 4, 16], Limits())
    assert [one.role for one in plan] == ["long", "short", "short", "short"]
    assert [one.gain for one in plan] == [1, 4, 16, 64]
    assert [one.seconds for one in plan] == [QUARTER / gain for gain in (1, 4, 16, 64)]
    assert [one.iso for one in plan] == [100, 400, 1600, 6400]
    assert not any(one.warnings for one in plan)


@pytest.mark.parametrize("mains", [50, 60])
def test_times_are_multiples_of_the_flicker(mains: int) -> None:
    period = Fraction(1, 2 * mains)
    plan = plan_captures(IMX258, 1, QUARTER, [3, 5, 20, 30, 64], Limits(mains))
    products = {round(one.gain * float(one.seconds), 9) for one in plan}
    assert len(products) == 1
    for one in plan[:-1]:
        assert (one.seconds / period).denominator == 1
    assert (plan[-1].seconds / period).denominator != 1  # a 256th: no multiple is that short
    assert "flicker" in plan[-1].warnings[0]


def test_what_cannot_be_reached_is_said() -> None:
    long, short = plan_captures(IMX258, 1, QUARTER, [100], Limits(longest=Fraction(1, 8)))
    assert "not reachable" in long.warnings[0] and "gain 2" in long.warnings[0]
    assert "beyond the profile's 1 to 64" in short.warnings[0]


@pytest.mark.parametrize(
    ("gains", "limits", "said"),
    [
        ([], Limits(), "no short gain"),
        ([0.5], Limits(), "below the long one"),
        ([float("nan")], Limits(), "allowed are finite"),
        ([4], Limits(mains=400), "allowed are 50 and 60"),
    ],
)
def test_refusals(gains: list[float], limits: Limits, said: str) -> None:
    with pytest.raises(UserError, match=said):
        plan_captures(IMX258, 1, QUARTER, gains, limits)


@pytest.mark.parametrize("text", ["", "x", "1/0", "-1", "0", "1e9", "nan", "inf"])
def test_seconds_that_are_none(text: str) -> None:
    with pytest.raises(UserError, match="allowed are seconds"):
        parse_seconds(text)


def test_seconds_are_shown_as_on_cameras() -> None:
    assert shown_seconds(Fraction(1, 125)) == "1/125 s"
    assert shown_seconds(Fraction(1, 2)) == "0.5 s"


def test_plan_on_the_command_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ("pair", "--plan", "--exposure", "1/4", "--short-gain", 4, "--short-gain", 64)
    code, out, err = run_here(monkeypatch, capsys, *given, "--mains", 50)
    assert code == 0 and "1/16.7 s" in out and err.count("warning:") == 1
    code, out, _ = run_here(monkeypatch, capsys, *given, "--json")
    data = json.loads(out)
    assert code == 0 and [c["exposure_seconds"] for c in data["captures"]] == [
        0.25,
        0.0625,
        1 / 256,
    ]
    code, _, err = run_here(monkeypatch, capsys, "pair", "--plan", "--short-gain", 4)
    assert code == 2 and "--exposure" in err
    code, _, err = run_here(monkeypatch, capsys, "pair", "--mains", 50)
    assert code == 2 and "--plan" in err
