"""The PMRID benchmark's index, dumps, regions and colour."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fa_mobile import isp
from fa_mobile.datasets.sample import Region, Sample, Skipped
from fa_mobile.datasets.table import format_named
from fa_mobile.errors import UserError
from fa_mobile.sensor import load_profile
from tests.datasets import makers

PMRID = format_named("pmrid")


def test_a_case(tmp_path: Path) -> None:
    makers.pmrid(tmp_path, [makers.pmrid_case(tmp_path, "case1")])
    (sample,) = PMRID.open(tmp_path)
    assert isinstance(sample, Sample)
    assert sample.name == "case1" and sample.level == ("ISO 1600", 1600) and sample.cfa == "BGGR"
    assert sample.truth == pytest.approx(makers.clean(48, 64), abs=1e-5)
    assert sample.noisy == pytest.approx(makers.noisy(makers.clean(48, 64)), abs=1e-5)
    assert sample.rois == (Region(5, 3, 44, 41), Region(0, 10, 48, 64))
    # K(1600) and sigma^2(1600) of the released calibration, over 959 DN.
    k, variance = 0.0005995267 * 1600 + 0.00868861, 7.11772e-7 * 1600**2 + 6.514934e-4 * 1600
    assert sample.noise == pytest.approx((k / 959, (variance + 0.11492713) / 959**2), rel=1e-6)


def test_colour_is_that_of_their_program(tmp_path: Path) -> None:
    """A flat colour becomes (CCM (gains x colour)) ^ (1 / 2.2)."""
    case = makers.pmrid_case(tmp_path, "case1")
    makers.pmrid(tmp_path, [case])
    (sample,) = PMRID.open(tmp_path)
    assert isinstance(sample, Sample) and sample.color is not None
    camera = np.array([0.2, 0.3, 0.25])
    mosaic = np.tile(np.array([[camera[0], camera[1]], [camera[1], camera[2]]], np.float32), (8, 8))
    seen = isp.render(mosaic, sample.color, tone=False)[8, 8]
    wanted = np.clip(np.array(case["meta"]["CCM"]) @ (camera * case["meta"]["wb_gain"]), 0, 1)
    assert seen == pytest.approx(wanted ** (1 / 2.2), abs=1e-3)


def test_another_profile_instead_of_the_released(tmp_path: Path) -> None:
    makers.pmrid(tmp_path, [makers.pmrid_case(tmp_path, "case1", iso=800)])
    imx258 = load_profile("imx258")
    dataset = PMRID.open(tmp_path, imx258)
    (sample,) = dataset
    assert isinstance(sample, Sample) and sample.noise == imx258.noise(8.0)
    assert "imx258 (derived)" in dataset.notes[0]


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"shape": [48, 62]}, "allowed are exactly 5952"),
        ({"shape": [10**9, 10**9]}, "shape"),
        ({"bayer_pattern": "XTRANS"}, "bayer_pattern"),
        ({"ISO": 0}, "ISO"),
        ({"ISO": None}, "ISO"),
        ({"ROIs": [[0, 0, 65, 48]]}, "region (0, 0, 48, 65)"),
        ({"ROIs": [[9, 9, 9, 20]]}, "region"),
        ({"CCM": [[1, 1, 1]] * 3}, "no inverse"),
        ({"wb_gain": [2.0, float("nan"), 1.0]}, "wb_gain"),
        ({"cut": "input"}, "leads out of"),
        ({"cut": "gt"}, "was not found"),
    ],
)
def test_a_bad_case_is_one_line(tmp_path: Path, changes: dict[str, Any], part: str) -> None:
    good = makers.pmrid_case(tmp_path, "good")
    bad = makers.pmrid_case(tmp_path, "bad", **changes)
    if changes.get("cut") == "input":
        bad["input"] = "/etc/hostname"
    elif changes.get("cut") == "gt":
        (tmp_path / bad["gt"]).unlink()
    makers.pmrid(tmp_path, [bad, good])
    skipped, sample = PMRID.open(tmp_path)
    assert isinstance(skipped, Skipped) and part in skipped.reason and "\n" not in skipped.reason
    assert isinstance(sample, Sample) and sample.name == "good"


@pytest.mark.parametrize("text", ["", "{}", "[1", '"text"', "[" * 100_000])
def test_a_bad_index(tmp_path: Path, text: str) -> None:
    (tmp_path / "benchmark.json").write_text(text)
    with pytest.raises(UserError, match="not a JSON list of cases"):
        PMRID.open(tmp_path)


def test_no_index(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"has no benchmark.json; give the folder"):
        PMRID.open(tmp_path)
