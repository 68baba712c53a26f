"""``fa-mobile calibrate`` from its arguments to its files and refusals."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage.data import coffee

from fa_mobile.raw_io import RawFrame, write_dng
from fa_mobile.sensor import load_profile
from fa_mobile.simulation import clean_mosaic
from tests.calibration.charts import SENSOR, captured, chart_frame, lit
from tests.commands import Result, run_here

Calibrate = Callable[..., Result]
GAINS = (1.0, 8.0, 64.0)


@pytest.fixture()
def calibrate(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Calibrate:
    return lambda *arguments: run_here(monkeypatch, capsys, "calibrate", *arguments)


def charts(gains: tuple[float, ...] = GAINS) -> dict[str, RawFrame]:
    return {
        f"chart-{gain:g}.dng": chart_frame(480, 640, SENSOR.noise(gain), gain, round(gain))
        for gain in gains
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Charts at three gains."""
    return written(tmp_path_factory.mktemp("charts"), charts())


def written(folder: Path, frames: dict[str, RawFrame]) -> Path:
    folder.mkdir(exist_ok=True)
    for name, frame in frames.items():
        write_dng(folder / name, frame)
    return folder


def refused(result: Result, *parts: str) -> None:
    code, out, err = result
    assert code == 2 and out == "", result
    (line,) = [line for line in err.splitlines() if line.startswith("error: ")]
    assert err.endswith(line + "\n")
    for part in parts:
        assert part in line, (part, line)


def test_captures_to_a_profile_and_a_report(
    calibrate: Calibrate, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "more").mkdir()
    broken = tmp_path / "more" / "<b>broken.dng"
    broken.write_bytes(b"not RAW")
    places = tmp_path / "out" / "profile.json", tmp_path / "out" / "report.html"
    given = (folder, tmp_path / "more", "-o", places[0], "--report", places[1])
    code, out, err = calibrate(*given)
    assert code == 0, err
    assert "measured" in out and all(str(place) in out for place in places)
    assert "1 file(s) skipped" in err and "<b>broken.dng" in err
    profile = load_profile(places[0])
    assert profile.provenance == "measured" and profile.gain_range == (1, 64)
    assert (profile.make, profile.model) == ("Sony", "IMX258")
    assert "3 frames" in profile.source and "gains 1, 8, 64" in profile.source
    assert profile.color_matrix == pytest.approx(SENSOR.color_matrix, abs=1e-6)
    for gain in (1, 4, 64):
        assert profile.noise(gain).a == pytest.approx(SENSOR.noise(gain).a, rel=0.05)
    page = places[1].read_text(encoding="utf-8")
    assert page.count("data:image/png;base64,") == 3
    assert "&lt;b&gt;broken.dng" in page and "<b>broken" not in page
    assert "http" not in page and "chart-64.dng" in page

    code, out, err = calibrate(*given, "--json")
    data = json.loads(out)
    assert code == 0 and data["profile"] == profile.model_dump(mode="json")
    assert [row["gain"] for row in data["gains"]] == [1, 8, 64]
    assert data["gains"][0]["a"]["low"] < data["gains"][0]["a"]["value"]
    assert len(data["frames"]) == 3 and data["skipped"][0]["file"] == str(broken)
    assert places[1].read_text(encoding="utf-8") == page, "not the same twice"


def test_a_profile_that_lends_its_name(calibrate: Calibrate, folder: Path, tmp_path: Path) -> None:
    place = tmp_path / "p.json"
    options = ("--like", "imx258", "--base-iso", 50, "--gain-range", 1, 200, "-o", place)
    code, _, err = calibrate(folder, *options)
    assert code == 0 and "warning: the profile's gains 1..200 reach beyond" in err
    profile = load_profile(place)
    assert profile.name == "imx258" and profile.base_iso == 50
    assert profile.a_linear[0] == pytest.approx(SENSOR.a_linear[0] / 2, rel=0.05)


def test_corners(calibrate: Calibrate, tmp_path: Path) -> None:
    frames = {
        f"{gain:g}.dng": chart_frame(480, 640, SENSOR.noise(gain), gain, 1, degrees=0)
        for gain in GAINS
    }
    pitch = np.sqrt(0.45 * 480 * 640 / (6.4 * 4.4))
    x, y = (320 - 3 * pitch, 320 + 3 * pitch), (240 - 2 * pitch, 240 + 2 * pitch)
    corners = [f"{x[i]:.1f},{y[j]:.1f}" for i, j in ((0, 0), (1, 0), (1, 1), (0, 1))]
    folder, place = written(tmp_path / "in", frames), tmp_path / "p.json"
    code, out, err = calibrate(folder, "--corners", *corners, "-o", place, "--json")
    assert code == 0, err
    assert [frame["patches"] for frame in json.loads(out)["frames"]] == [24] * 3
    refused(calibrate(folder, "--corners", *corners[:3], "7", "-o", place), "'7'", "allowed is X,Y")
    wrong = ("--corners", *corners, "--scene", "flat")
    refused(calibrate(folder, *wrong, "-o", place), "only a chart has corners")
    refused(calibrate(folder, "--grid", "6", "-o", place), "COLUMNSxROWS")


def test_flat_fields(calibrate: Calibrate, tmp_path: Path) -> None:
    flat = np.ones((240, 320, 3), np.float32)
    frames = {}
    for gain in GAINS:
        for number, exposure in enumerate((0.05, 0.4, 0.9)):
            clean = lit(flat, exposure=exposure, vignetting=0.1)
            rng = np.random.default_rng((number, round(gain)))
            frames[f"{gain:g}-{number}.dng"] = captured(clean, SENSOR.noise(gain), gain, rng)
    place = tmp_path / "p.json"
    code, out, err = calibrate(
        written(tmp_path / "in", frames), "--scene", "flat", "-o", place, "--json"
    )
    assert code == 0, err
    for row in json.loads(out)["gains"]:
        truth = SENSOR.noise(row["gain"])
        assert row["frames"] == 3
        assert row["a"]["value"] == pytest.approx(truth.a, rel=0.04)
        assert abs(row["b"]["value"] - truth.b) < 4 * row["b"]["error"]


@pytest.mark.parametrize("flicker", [0.0, 0.01])
def test_bursts(calibrate: Calibrate, tmp_path: Path, flicker: float) -> None:
    photo = cv2.resize(coffee(), (720, 480), interpolation=cv2.INTER_CUBIC)
    clean = clean_mosaic(photo, SENSOR)
    frames = {}
    for gain in GAINS:
        for number in range(3):
            rng = np.random.default_rng((number, round(gain)))
            light = clean * np.float32(1 + flicker * number)
            frames[f"{gain:g}-{number}.dng"] = captured(light, SENSOR.noise(gain), gain, rng)
    place, page = tmp_path / "p.json", tmp_path / "r.html"
    code, out, err = calibrate(
        written(tmp_path / "in", frames), "--scene", "burst", "-o", place, "--report", page,
        "--json",
    )  # fmt: skip
    assert code == 0, err
    data = json.loads(out)
    for row in data["gains"]:
        truth = SENSOR.noise(row["gain"])
        assert abs(row["a"]["value"] - truth.a) < 4 * row["a"]["error"] + 0.01 * truth.a
        assert abs(row["b"]["value"] - truth.b) < 4 * row["b"]["error"]
    assert len(data["skipped"]) == 3, "an odd frame has no partner"
    assert "pairs of frames" in load_profile(place).source and "blocks" in page.read_text()


def test_a_burst_of_two_scenes_is_refused(calibrate: Calibrate, tmp_path: Path) -> None:
    frames = {
        f"{gain:g}-{number}.dng": chart_frame(
            480, 640, SENSOR.noise(gain), gain, 1, degrees=40.0 * number
        )
        for gain in GAINS
        for number in (0, 1)
    }
    given = (written(tmp_path / "in", frames), "--scene", "burst", "-o", tmp_path / "p.json")
    refused(calibrate(*given), "none of 6 captures can be used", "static scene")
    assert not (tmp_path / "p.json").exists()


def test_sensors_must_not_mix(calibrate: Calibrate, tmp_path: Path) -> None:
    frames = charts()
    odd = frames["chart-8.dng"]
    for changes, part in (
        ({"model": "IMX999"}, "model IMX258 and IMX999"),
        ({"cfa": "BGGR"}, "CFA RGGB and BGGR"),
        ({"white_level": 4095.0}, "white level"),
        ({"mosaic": odd.mosaic[:400]}, "size 640 x 480 and 640 x 400"),
        ({"black_level": (80.0,) * 4}, "black level"),
    ):
        mixed = written(tmp_path / "in", frames | {"chart-8.dng": replace(odd, **changes)})
        result = calibrate(mixed, "-o", tmp_path / "p.json", "--json")
        refused(result, "chart-1.dng", "different sensors", part)
    assert not (tmp_path / "p.json").exists()


def test_gains_by_hand(calibrate: Calibrate, folder: Path, tmp_path: Path) -> None:
    bare = {name: replace(frame, iso=None) for name, frame in charts().items()}
    inside = written(tmp_path / "in", bare)
    place = tmp_path / "p.json"
    refused(calibrate(inside, "-o", place, "--json"), "none of 3 captures", "no ISO", "--gain")
    each = [inside / f"chart-{gain:g}.dng" for gain in GAINS]
    stated = [option for gain in GAINS for option in ("--gain", gain)]
    refused(calibrate(*each, *stated, "-o", place, "--json"), "--base-iso")
    code, _, err = calibrate(*each, *stated, "--base-iso", 100, "-o", place)
    assert code == 0, err
    assert load_profile(place).gain_range == (1, 64)
    refused(
        calibrate(folder, "--gain", 4, "-o", place, "--json"), "mixed gains", "ISO 100", "--gain"
    )
    refused(calibrate(*each, *stated[:4], "-o", place), "--gain was given 2 times for 3 captures")
    refused(calibrate(folder, "--gain", -1, "-o", place), "gain -1")


def test_too_few_gains_and_files(calibrate: Calibrate, folder: Path, tmp_path: Path) -> None:
    place = tmp_path / "p.json"
    two = [folder / "chart-1.dng", folder / "chart-8.dng"]
    refused(calibrate(*two, "-o", place, "--json"), "2 gain(s) are usable (1, 8)", "at least 3")
    refused(calibrate(tmp_path / "none", "-o", place), "do not exist")
    empty = tmp_path / "empty"
    empty.mkdir()
    refused(calibrate(empty, "-o", place), "no file lies in")
    refused(calibrate(folder, two[0], "-o", place), "given twice")
    refused(calibrate(folder, "--scene", "odd", "-o", place), "'odd'", "chart, flat, burst")
    refused(calibrate(folder, "--base-iso", 0, "-o", place), "--base-iso 0")
    refused(calibrate(folder, "--name", "No Name", "-o", place, "--json"), "check --name")
    assert not place.exists()


def test_frames_that_tell_nothing_are_counted(calibrate: Calibrate, tmp_path: Path) -> None:
    frames = charts()
    white = np.full((480, 640), 1023, np.uint16)
    frames["over.dng"] = replace(frames["chart-8.dng"], mosaic=white)
    given = (written(tmp_path / "in", frames), "-o", tmp_path / "p.json", "--json")
    code, out, _ = calibrate(*given)
    data = json.loads(out)
    assert code == 0 and len(data["frames"]) == 3
    (skipped,) = data["skipped"]
    assert skipped["file"].endswith("over.dng") and "0 patches of a chart" in skipped["reason"]
    code, out, err = calibrate(*given, "--scene", "flat")
    assert "over.dng" in out + err


def test_platform_noise(calibrate: Calibrate, folder: Path, tmp_path: Path) -> None:
    stated = {
        name: replace(frame, noise=SENSOR.noise(gain), mosaic=frame.mosaic[:64, :64])
        for (name, frame), gain in zip(charts().items(), GAINS, strict=True)
    }
    place, page = tmp_path / "p.json", tmp_path / "r.html"
    given = (written(tmp_path / "in", stated), "--from-noise-profile", "-o", place)
    code, _, err = calibrate(*given, "--report", page)
    assert code == 0, err
    profile = load_profile(place)
    assert profile.provenance == "platform" and "not measured" in profile.source
    for gain in (1, 4, 64):
        assert profile.noise(gain) == pytest.approx(SENSOR.noise(gain), rel=1e-3)
    assert page.read_text().count("data:image/png") == 1
    none = calibrate(folder, "--from-noise-profile", "-o", place, "--json")
    refused(none, "none of 3 files states a noise", "NoiseProfile")
    refused(calibrate(*given, "--scene", "flat"), "leave them out")


def test_platform_noise_of_a_dump(calibrate: Calibrate, tmp_path: Path) -> None:
    captures = [
        {"iso": 100 * gain, "noise_profile": [list(SENSOR.noise(gain))] * 4} for gain in GAINS
    ]
    dump, place = tmp_path / "dump.json", tmp_path / "p.json"
    dump.write_text(json.dumps(captures), encoding="utf-8")
    given = (dump, "--from-noise-profile", "-o", place)
    refused(calibrate(*given, "--json"), "give --like")
    code, out, _ = calibrate(*given, "--like", "imx258", "--json")
    assert code == 0
    profile = load_profile(place)
    assert profile.provenance == "platform" and profile.name == "imx258"
    assert json.loads(out)["gains"][1]["a"]["value"] == SENSOR.noise(8).a
