"""SID: lists, names, amplification and the noise after it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fa_mobile.datasets.sample import Sample, Skipped
from fa_mobile.datasets.sid import parse_exposure
from fa_mobile.datasets.table import format_named
from fa_mobile.errors import UserError
from fa_mobile.sensor import SensorProfile
from tests.datasets import makers

SID = format_named("sid")
PAIR = ("10003_00_0.1s.ARW", "10003_00_10s.ARW", 200)


def read(folder: Path, profile: SensorProfile) -> tuple[list[Sample], list[Skipped]]:
    items = list(SID.open(folder, profile))
    return [i for i in items if isinstance(i, Sample)], [i for i in items if isinstance(i, Skipped)]


def test_short_exposures_are_amplified(tmp_path: Path, profile: SensorProfile) -> None:
    makers.sid(tmp_path, [PAIR, ("10003_01_0.1s.ARW", PAIR[1], 200)])
    (sample,), skipped = read(tmp_path, profile)  # the second of the burst is left out
    assert not skipped and sample.name == "10003_00_0.1s"
    assert sample.camera == "SONY ILCE-7SM2" and sample.level == ("x100", 100)
    dark = np.round(makers.clean(40, 48) * 0.01 * 15871)
    assert sample.noisy == pytest.approx(dark / 15871 * 100, abs=1e-5)
    assert sample.truth == pytest.approx(makers.clean(40, 48), abs=1e-4)
    a, b = profile.noise(2.0)
    assert sample.noise == pytest.approx((100 * a, 1e4 * b))
    assert sample.color is not None and sample.color.red_gain == pytest.approx(2.0)


def test_noise_of_the_amplified_signal(profile: SensorProfile) -> None:
    """a r and b r^2 are what amplified samples show."""
    a, b = profile.noise(64.0)
    rng = np.random.default_rng(1)
    x, r = 0.002, 100.0
    samples = r * (x + np.sqrt(a * x + b) * rng.standard_normal(400_000))
    assert samples.var() == pytest.approx(a * r * (r * x) + b * r * r, rel=0.01)


def test_the_ratio_ends_at_300(tmp_path: Path, profile: SensorProfile) -> None:
    makers.sid(tmp_path, [("10074_00_0.04s.ARW", "10074_00_30s.ARW", 1600)])
    (sample,), _ = read(tmp_path, profile)
    assert sample.level == ("x300", 300) and sample.noisy.max() == 1.0


def test_bad_input(tmp_path: Path, profile: SensorProfile) -> None:
    with pytest.raises(UserError, match="has no Sony_test_list.txt"):
        SID.open(tmp_path, profile)
    lines = [(f"1000{n}_00_0.1s.ARW", f"1000{n}_00_10s.ARW", 200) for n in range(5)]
    makers.sid(tmp_path, [*lines, ("10034_00_0.1s.ARW", "10034_00_10s.ARW", 200)])
    with pytest.raises(UserError, match="does not state its noise.*--profile"):
        SID.open(tmp_path)
    (tmp_path / "Sony/long/10001_00_10s.ARW").unlink()
    (tmp_path / "Sony/short/10002_00_0.1s.ARW").write_bytes(b"no RAW file")
    for kind, name in (("short", "10003_00_0.1s.ARW"), ("long", "10003_00_10s.ARW")):
        makers.sid_frame(tmp_path / f"Sony/{kind}/{name}", 1.0, model="ILCE-7RM3")
    makers.sid_frame(tmp_path / "Sony/long/10004_00_10s.ARW", 1.0, model="ILCE-7RM3")
    with (tmp_path / "Sony_test_list.txt").open("a") as file:
        file.write("../10009_00_0.1s.ARW ./Sony/long/10000_00_10s.ARW ISO200 F8\n")
        file.write("./Sony/short/odd.ARW ./Sony/long/10000_00_10s.ARW ISO200 F8\n")
    samples, skipped = read(tmp_path, profile)
    assert [sample.name[:5] for sample in samples] == ["10000"]
    for entry, part in zip(
        skipped,
        ("has no long exposure", "10002_00_0.1s.ARW", "taken by SONY ILCE-7RM3",
         "must be of one sensor", "pair 10034 misaligned", "leads out of", "'odd.ARW' is not"),
        strict=True,
    ):  # fmt: skip
        assert part in entry.reason and "\n" not in entry.reason
    (tmp_path / "Sony_test_list.txt").write_text("one two three\n")
    with pytest.raises(UserError, match="line 1: 'one two three' was given; allowed is"):
        SID.open(tmp_path, profile)


def test_another_black_level_is_another_sensor(tmp_path: Path, profile: SensorProfile) -> None:
    makers.sid(tmp_path, [PAIR], black_level=(128.0,) * 4)
    _, (skipped,) = read(tmp_path, profile)
    assert "sensors are mixed" in skipped.reason


def test_names() -> None:
    assert parse_exposure("10019_00_0.033s.RAF") == ("10019", 0, 0.033)
    for name in ("10019_00_0s.ARW", "1_00_1s.ARW", "10019_00_1.ARW"):
        with pytest.raises(UserError, match="allowed is the form"):
            parse_exposure(name)
