"""``fa-mobile bench --device adb`` against a fake adb: see fake_adb.py for what it replays."""

from __future__ import annotations

import re
import struct
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from fa_mobile.bench import adb as transport
from fa_mobile.bench import entry
from fa_mobile.bench.files import parse_report
from fa_mobile.bench.phone import bench_phone
from fa_mobile.bench.phone_state import parse_awake, parse_battery, parse_facts, parse_thermal
from fa_mobile.bench.request import Request
from fa_mobile.bench.runner_file import abi_of
from fa_mobile.bench.runner_output import parse_output
from fa_mobile.bench.schema import Report
from fa_mobile.bundle import write_golden, write_sums
from fa_mobile.cli import app
from fa_mobile.errors import UserError
from tests.bench.fake_adb import (
    ASLEEP,
    AWAKE,
    BATTERY,
    CPUINFO,
    DATA,
    LISTING,
    PROPERTIES,
    SERIAL,
    THERMAL,
    FakeAdb,
)
from tests.fakes import write_fake_bundle
from tests.test_cli import fa_mobile, refused

RUN = "/fa_runner"
"""Part of the command that starts the runner."""


def quiet(_line: str) -> None:
    pass


def write_elf(path: Path, machine: int = 183) -> None:
    path.write_bytes(b"\x7fELF\x02\x01".ljust(18, b"\0") + struct.pack("<H", machine))


@pytest.fixture(autouse=True)
def no_traffic(monkeypatch: pytest.MonkeyPatch) -> None:
    """Deriving it takes a second for each entry; the command's test does without this."""
    monkeypatch.setattr(entry, "_traffic", lambda *_: "not run: for a test")


@pytest.fixture()
def phone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeAdb:
    fake = FakeAdb(tmp_path / "adb")
    monkeypatch.setenv("PATH", str(fake.install()))
    return fake


@pytest.fixture()
def runner(tmp_path: Path) -> Path:
    write_elf(tmp_path / "fa_runner")
    write_elf(tmp_path / "libonnxruntime.so")
    return tmp_path / "fa_runner"


def write_bundle(folder: Path, **changes: object) -> Path:
    """Its golden outputs are its inputs, which is what the fake runner returns."""
    write_fake_bundle(folder, **({"tile": (128, 128)} | changes))
    truth = 500 + np.random.default_rng(0).normal(0, 10, (16, 16))
    write_golden(folder, "golden/00.truth.f32", truth.astype(np.float32))
    write_sums(folder)
    return folder


@pytest.fixture()
def bundle(tmp_path: Path) -> Path:
    return write_bundle(tmp_path / "bundle")


def measured(runner: Path, *bundles: Path, **changes: object) -> list[Report]:
    given: dict[str, object] = {"threads": 1, "sizes": ((128, 128),), "seconds": 1.0} | changes
    request = Request(tuple(map(str, bundles)), **given)  # type: ignore[arg-type]
    return bench_phone(request, quiet, runner=runner)


def refuses(phone: FakeAdb, runner: Path, bundle: Path, *parts: str, **changes: object) -> None:
    """One line with every part, and nothing left on the phone."""
    with pytest.raises(UserError) as error:
        measured(runner, bundle, **changes)
    text = str(error.value)
    assert "\n" not in text and "/data/local/tmp/fa-mobile-" not in text
    for part in parts:
        assert part in text
    assert phone.left == []


def test_burst_and_sustained(phone: FakeAdb, runner: Path, bundle: Path) -> None:
    phone.says(
        "dumpsys thermalservice",
        *[(0, THERMAL.format(status), "") for status in (0, 0, 0, 0, 2)],
    )
    burst, sustained = measured(runner, bundle)
    device = burst.device
    assert device.kind == "phone" and device.thermal_end == "none"
    assert (device.maker, device.model, device.soc) == ("Maker", "Model 1", "Vendor SoC 8")
    assert (device.os, device.cores, device.governor) == ("Android 15", 8, None)
    assert device.flags == ("asimd", "asimddp", "asimdhp", "i8mm", "bf16")
    assert (device.temperature_start_c, device.battery_percent) == (28.5, 93)
    assert device.charging is True and device.low_power_mode is False
    assert device.app_version == "fa_runner 1" and re.match(r"1\.", device.runtimes["onnx"])
    assert sustained.device.kind == "phone" and sustained.device.thermal_end == "moderate"
    assert (burst.settings.kind, burst.settings.seconds) == ("burst", 0)
    assert (sustained.settings.kind, sustained.settings.seconds) == ("sustained", 1)
    for report in (burst, sustained):
        (one,) = report.entries
        assert one.timing is not None and one.start is not None and one.memory is not None
        assert len(one.timing.started_s) == len(one.timing.samples_ms) >= 15
        assert SERIAL not in report.model_dump_json()
        assert parse_report(report.model_dump_json().encode(), "phone") == report
    assert phone.left == []


def test_nothing_of_the_phone_is_changed(phone: FakeAdb, runner: Path, bundle: Path) -> None:
    measured(runner, bundle)
    told = [line.split(" shell ", 1)[1] for line in phone.log if " shell " in line]
    (folder,) = {name for line in told for name in re.findall(r"/data/[\w/]+/fa-mobile-\w+", line)}
    allowed = (
        "getprop",
        "cat /proc/",
        "dumpsys ",
        "settings get ",
        f"mkdir -p {folder}",
        f"chmod 700 {folder}/fa_runner",
        f"rm -rf {folder}",
        f"{folder}/fa_runner ",
    )
    assert all(line.startswith(allowed) for line in told)
    assert told[-1] == f"rm -rf {folder}"
    places = [line.split()[-1] for line in phone.log if " push " in line]
    assert all(place.startswith(folder) for place in places)


def test_bundles_are_timed_together(phone: FakeAdb, runner: Path, tmp_path: Path) -> None:
    bundles = [write_bundle(tmp_path / n, name=n) for n in ("one", "two")]
    (report,) = measured(runner, bundles[0], versus=str(bundles[1]), seconds=0.0)
    one, two = report.entries
    assert one.ratio is not None and one.ratio.peer == "two" and two.ratio is None
    races = [line for line in phone.log if "--runs 15" in line]
    assert len(races) == 1 and races[0].endswith("/1") and "/0 " in races[0]


def test_phones_that_will_not_do(phone: FakeAdb, runner: Path, bundle: Path) -> None:
    def listed(*lines: str) -> None:
        phone.says("devices", (0, LISTING.format("\n".join(lines)), ""))

    listed()
    refuses(phone, runner, bundle, "adb sees no phone", "plug one in")
    listed(f"{SERIAL}\tunauthorized")
    refuses(phone, runner, bundle, SERIAL, "'unauthorized'", "allow this computer's debugging")
    listed(f"{SERIAL}\toffline")
    refuses(phone, runner, bundle, "'offline'", "plug it in again")
    listed("????\tno permissions (user is not in the plugdev group); see [udev]")
    refuses(phone, runner, bundle, "'no permissions", "adb devices")
    listed(f"{SERIAL}\tdevice", "emulator-5554\tdevice")
    refuses(phone, runner, bundle, f"2 phones: {SERIAL}, emulator-5554", "--serial")
    phone.says("devices", (1, "", "* cannot start server\n"))
    refuses(phone, runner, bundle, "'adb devices' failed: * cannot start server")
    assert not any(" shell " in line for line in phone.log)


def test_a_serial_chooses(phone: FakeAdb) -> None:
    phone.says("devices", (0, LISTING.format(f"{SERIAL}\tdevice\nother\tunauthorized"), ""))
    assert transport.connect(SERIAL).serial == SERIAL
    with pytest.raises(UserError, match=f"--serial third was given; adb sees {SERIAL}, other"):
        transport.connect("third")


def test_a_phone_that_sleeps_or_is_hot(phone: FakeAdb, runner: Path, bundle: Path) -> None:
    phone.says("dumpsys power", (0, ASLEEP, ""))
    refuses(phone, runner, bundle, "asleep", "wake it", "Stay awake")
    phone.says("dumpsys power", (0, AWAKE, ""), (0, AWAKE, ""), (0, ASLEEP, ""))
    refuses(phone, runner, bundle, "asleep")  # found at the end of the burst
    phone.says("dumpsys power", (0, AWAKE, ""))
    phone.says("dumpsys thermalservice", (0, THERMAL.format(3), ""))
    refuses(phone, runner, bundle, "throttled already", "'severe'", "let it cool")


def test_no_space(phone: FakeAdb, runner: Path, bundle: Path) -> None:
    said = "adb: error: failed to copy 'x' to 'y': remote write failed: No space left on device\n"
    phone.says(f"-s {SERIAL} push", (0, "", ""), (1, "", said))
    refuses(phone, runner, bundle, "no space left in /data/local/tmp", "free some")
    assert " rm -rf " in phone.log[-1]


def test_a_runner_that_ends_badly(phone: FakeAdb, runner: Path, bundle: Path) -> None:
    ends = {
        139: ("Segmentation fault\n", "SIGSEGV"),
        137: ("Killed\n", "want of memory"),
        142: ("Alarm clock\n", "took too long"),
        1: ('CANNOT LINK EXECUTABLE "x": library "libc++_shared.so" not found\n', "c++_static"),
        2: (
            "fa_runner: ONNX Runtime cannot be opened: no such file\n",
            "failed on the phone: ONNX",
        ),
    }
    for code, (said, part) in ends.items():
        phone.says(RUN + " --", (code, "", said))
        refuses(phone, runner, bundle, part)
        assert " rm -rf " in phone.log[-1]


def test_a_phone_that_is_unplugged(phone: FakeAdb, runner: Path, bundle: Path) -> None:
    gone = (255, "", f"error: device '{SERIAL}' not found\n")
    phone.says(RUN + " --", gone)
    phone.says("rm -rf", gone)
    with pytest.raises(
        UserError, match=rf"went away.*run 'adb -s {SERIAL} shell rm -rf /data/\S+'"
    ):
        measured(runner, bundle)


def test_a_phone_that_does_not_answer(
    phone: FakeAdb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "adb/adb").write_text(f"#!{sys.executable} -IS\nimport time; time.sleep(60)\n")
    monkeypatch.setattr(transport, "QUERY_S", 0.2)
    with pytest.raises(UserError, match=r"'adb devices' took longer than 0 s"):
        transport.connect()


def test_an_interrupt_leaves_nothing(
    phone: FakeAdb, runner: Path, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fa_mobile.bench import phone_runner

    def interrupted(_data: bytes) -> None:
        assert phone.left != []
        raise KeyboardInterrupt

    monkeypatch.setattr(phone_runner, "parse_output", interrupted)
    with pytest.raises(KeyboardInterrupt):
        measured(runner, bundle)
    assert phone.left == []


def test_a_bundle_that_comes_out_wrong_is_not_timed(
    phone: FakeAdb, runner: Path, bundle: Path
) -> None:
    (bundle / "golden/00.0.reference.f32").write_bytes(bytes(4 * 16 * 16))
    write_sums(bundle)
    refuses(phone, runner, bundle, "was not timed, on the phone", "failed", "off by 500 DN")
    assert not any("--runs 15" in line for line in phone.log)


def test_runners_of_another_kind(
    phone: FakeAdb, runner: Path, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_elf(runner, 62)
    refuses(phone, runner, bundle, "is for x86_64", "allowed on this phone are arm64-v8a, arme")
    runner.write_text("#!/bin/sh\n")
    refuses(phone, runner, bundle, "it is no ELF file")
    write_elf(runner)
    (tmp_path / "libonnxruntime.so").unlink()
    refuses(phone, runner, bundle, "libonnxruntime.so does not exist", "runner/README.md")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="build/runner/arm64-v8a/fa_runner does not exist"):
        bench_phone(Request((str(bundle),), sizes=((128, 128),)), quiet)
    assert not any(" push " in line for line in phone.log)
    assert abi_of(Path(sys.executable)) is not None


def test_what_the_runner_cannot_time(phone: FakeAdb, runner: Path, tmp_path: Path) -> None:
    apple = write_bundle(tmp_path / "apple", target="coreml", name="imx258-coreml-int8")
    refuses(phone, runner, apple, "imx258-coreml-int8", "iOS app's benchmark mode")
    pte = write_bundle(tmp_path / "pte", target="executorch", name="imx258-executorch-int8")
    refuses(phone, runner, pte, "imx258-executorch-int8", "the app's benchmark mode")
    good = write_bundle(tmp_path / "good", tile=(128, 64))
    refuses(phone, runner, good, "4208 x 3120", "multiples of 8 from 16 up to 64 x 128",
            sizes=((4208, 3120),))  # fmt: skip
    assert phone.log == []
    refuses(phone, runner, good, "threads=9", "8 cores", threads=9, sizes=())


def test_the_command(phone: FakeAdb, runner: Path, bundle: Path, tmp_path: Path) -> None:
    output = tmp_path / "phone.json"
    given = ["bench", bundle, "--device", "adb", "--runner", runner, "--side", 128, "--threads", 1,
             "--sustained", 1, "--output", output]  # fmt: skip
    for more in ((), ("--json",)):
        done = CliRunner().invoke(app, [str(word) for word in (*given, *more)])
        assert done.exit_code == 0, done.output
        assert "sustained" in done.output
    files = (output, tmp_path / "phone-sustained.json")
    kinds = [parse_report(file.read_bytes(), file.name).settings.kind for file in files]
    assert kinds == ["burst", "sustained"]
    (phone.place / "adb").unlink()
    refused(fa_mobile("bench", bundle, "--device", "adb"), "adb was not found", "platform tools")


def test_options_that_do_not_go_together(bundle: Path, tmp_path: Path) -> None:
    given = {("--serial", "x"): "--device adb", ("--runner", "x"): "--device adb",
             ("--device", "adb", "--picture", str(tmp_path)): "--picture"}  # fmt: skip
    for options, part in given.items():
        raised = CliRunner().invoke(app, ["bench", str(bundle), *options]).exception
        assert isinstance(raised, UserError) and part in str(raised)
    assert CliRunner().invoke(app, ["bench", str(bundle), "--device", "ios"]).exit_code == 2


def test_recorded_output_of_the_runner() -> None:
    for kind in ("start", "burst", "sustained"):
        found = parse_output((DATA / f"runner-{kind}.json").read_bytes())
        assert (found.width, found.height, found.abi) == (128, 128, "x86_64")
        assert 0 < found.base_bytes < found.peak_bytes
        assert len(found.started_s) >= found.runs
    assert found.started_s[-1] > 0.9
    data = (DATA / "runner-burst.json").read_text()
    for changed in (data.replace('"runs"', '"rounds"'), data.replace("[", "[1,", 1), "{", ""):
        with pytest.raises(UserError, match="the runner's output"):
            parse_output(changed.encode())


def test_what_android_says() -> None:
    bare = parse_facts("[ro.product.cpu.abi]: [x86]\n[ro.hardware]: [ranchu]\n", "")
    assert (bare.maker, bare.soc, bare.os) == ("unknown", "ranchu", "Android unknown")
    assert (bare.cores, bare.abis) == (1, ("x86",))
    assert parse_facts(PROPERTIES, CPUINFO).abis[0] == "arm64-v8a"
    with pytest.raises(UserError, match="no ABI"):
        parse_facts("", "")
    assert parse_awake("mWakefulness=Dozing") is False and parse_awake("?") is None
    assert parse_awake("Display Power: state=ON") is True
    assert parse_thermal("Can't find service: thermalservice") is None
    assert parse_thermal(THERMAL.format(1)) == "light" and parse_thermal(THERMAL.format(9)) is None
    assert parse_battery("").celsius is None and parse_battery(BATTERY).percent == 93
