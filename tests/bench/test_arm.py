"""Counting on ARM: what needs no QEMU on any machine, and the real thing where it was set up."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from fa_mobile.bench import arm, arm_count, arm_environment, arm_guest, arm_process
from fa_mobile.bench.arm_environment import ArmEnvironment, find_arm_environment
from fa_mobile.bundle import write_golden, write_sums
from fa_mobile.errors import UserError
from tests.commands import run_here
from tests.fakes import write_fake_bundle

GUEST = Path(arm_guest.__file__)
FAKE_QEMU = """#!{python}
import json, sys
if sys.argv[1:] == ["-cpu", "help"]:
    print("Available CPUs:\\n  cortex-a55\\n  cortex-a76")
    sys.exit(1)
arguments = dict(zip(sys.argv[1::2], sys.argv[2::2]))
counts = open(arguments["-plugin"].partition("out=")[2], "w") if "-plugin" in arguments else None
import pathlib
{body}
"""
COUNTS_1000_THEN_100 = """
print(json.dumps({"ready": True}), flush=True)
total = 7
for index, line in enumerate(sys.stdin):
    for step in (50, 1000 if index == 0 else 100 + index):
        total += step
        if counts:
            print(total, file=counts, flush=True)
    job = json.loads(line)
    if job["outputs"]:
        pathlib.Path(job["outputs"]).write_bytes(pathlib.Path(job["inputs"]).read_bytes())
    print(json.dumps({"shapes": []}), flush=True)
"""

ADDS_ONE = """
import numpy
print(json.dumps({"ready": True}), flush=True)
for line in sys.stdin:
    job = json.loads(line)
    numpy.savez(job["outputs"], numpy.load(job["inputs"])["arr_0"] + 1)
    print(json.dumps({"shapes": []}), flush=True)
"""


@pytest.fixture
def fake(tmp_path: Path) -> Any:
    """An environment whose QEMU is a script that plays the guest."""

    def make(body: str = COUNTS_1000_THEN_100) -> ArmEnvironment:
        folder = tmp_path / "arm"
        for name in ("qemu", "root/usr/bin", "site/numpy"):
            (folder / name).mkdir(parents=True)
        (folder / "qemu/insn_count.so").write_bytes(b"")
        (folder / "root/usr/bin/python3.13").write_bytes(b"")
        qemu = folder / "qemu/qemu-aarch64"
        qemu.write_text(FAKE_QEMU.replace("{python}", sys.executable).replace("{body}", body))
        qemu.chmod(0o755)
        (folder / "versions.json").write_text('{"qemu": "10.0.13"}')
        return find_arm_environment(folder)

    return make


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"a model")
    return path


def test_what_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match=r"qemu/qemu-aarch64, .*benchmarks/arm/setup\.sh"):
        find_arm_environment(tmp_path)
    monkeypatch.setenv("FA_MOBILE_ARM", str(tmp_path / "elsewhere"))
    with pytest.raises(UserError, match="elsewhere is no ARM environment"):
        find_arm_environment()
    monkeypatch.delenv("FA_MOBILE_ARM")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="build/arm is no ARM environment"):
        find_arm_environment()


def test_a_whole_environment_is_found(fake: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = fake()
    assert environment.versions == {"qemu": "10.0.13"}
    monkeypatch.setenv("FA_MOBILE_ARM", str(environment.folder))
    assert find_arm_environment() == environment
    assert arm_environment.known_cpus(environment.folder) == ("cortex-a55", "cortex-a76")
    monkeypatch.setenv("LD_PRELOAD", "of the host")
    assert "LD_PRELOAD" not in environment.variables()


@pytest.mark.parametrize("text", ["no JSON", "[1]"])
def test_damaged_versions_are_refused(fake: Any, text: str) -> None:
    folder = fake().folder
    (folder / "versions.json").write_text(text)
    with pytest.raises(UserError, match="no list of versions"):
        find_arm_environment(folder)


def test_a_comma_is_refused(fake: Any, tmp_path: Path) -> None:
    moved = fake().folder.rename(tmp_path / "a,b")
    with pytest.raises(UserError, match="comma"):
        find_arm_environment(moved)


def test_a_qemu_that_does_not_run_is_told(fake: Any, model: Path) -> None:
    environment = fake()
    (environment.folder / "qemu/qemu-aarch64").write_text("#!/bin/sh\necho broken >&2\n")
    arm_environment.known_cpus.cache_clear()
    with pytest.raises(UserError, match="does not run here"):
        arm.count_file(environment, model, [np.ones(1)], "cortex-a76")


def test_the_first_run_is_not_counted() -> None:
    assert arm.per_run([1000, 100]) == (100, 0)
    assert arm.per_run([1000, 99, 101]) == (100, 0.02)
    with pytest.raises(UserError, match="at least 2"):
        arm.per_run([1000])


def test_counts_come_from_pairs_of_readings(fake: Any, model: Path) -> None:
    environment = fake()
    inputs = {"x": np.ones((1, 2), np.float32)}
    assert arm.count_file(environment, model, inputs, "cortex-a76") == (101, 0)
    assert arm.count_file(environment, model, inputs, "cortex-a76", runs=3) == (101.5, 1 / 101.5)


def test_outputs_come_back(fake: Any, model: Path) -> None:
    given = [np.arange(3, dtype=np.float32), np.ones((1, 1), np.uint8)]
    with arm_process.ArmProcess(fake(), model, "cortex-a55", count=False) as process:
        for expected, got in zip(given, process.run(given), strict=True):
            np.testing.assert_array_equal(got, expected)
        assert process.run(given, keep=False) == [] and process.counts() == []


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('print(json.dumps({"error": "UserError: no model"}))', "under QEMU: UserError: no model"),
        ('sys.exit("out of memory")', r"ended with code 1 .*\(out of memory\)"),
        ('print(json.dumps({"ready": True}), flush=True)', "ended with code 0"),
        ("sys.stdin.read()", "no answer"),
    ],
)
def test_a_guest_that_fails_is_told(
    fake: Any, model: Path, monkeypatch: pytest.MonkeyPatch, body: str, message: str
) -> None:
    if message == "no answer":
        monkeypatch.setattr(arm_process, "_TIMEOUT", 0.2)
    with pytest.raises(UserError, match=message):
        arm.count_file(fake(body), model, [np.ones(1)], "cortex-a76")


def test_what_is_refused(fake: Any, model: Path, tmp_path: Path) -> None:
    environment = fake()
    with pytest.raises(UserError, match="'cortex-a9'.*cortex-a55, cortex-a76"):
        arm.count_file(environment, model, [], "cortex-a9")
    with pytest.raises(UserError, match="was not found"):
        arm.count_file(environment, tmp_path / "nowhere.pte", [], "cortex-a76")
    with pytest.raises(UserError, match="runs=1"):
        arm.count_file(environment, model, [], "cortex-a76", runs=1)


def test_a_bundle_is_counted_per_megapixel(fake: Any, tmp_path: Path) -> None:
    environment, bundle = fake(), write_fake_bundle(tmp_path / "bundle")
    count = arm.count_instructions(environment, bundle, "cortex-a76", gain=4, width=32, height=32)
    assert count.instructions == 101 and count.per_mp == 101 * 1e6 / 32**2
    assert json.loads(json.dumps(count.to_dict()))["instructions_per_mp"] == count.per_mp
    for side in (8, 20, 72):
        with pytest.raises(UserError, match="multiples of 8 from 16 to 64"):
            arm.count_instructions(
                environment, bundle, "cortex-a76", gain=4, width=side, height=side
            )


def test_core_ml_is_refused(fake: Any, tmp_path: Path) -> None:
    environment = fake()
    bundle = write_fake_bundle(tmp_path / "bundle", target="coreml")
    with pytest.raises(UserError, match="Core ML"):
        arm.count_instructions(environment, bundle, "cortex-a76", gain=4, width=32, height=32)
    with pytest.raises(UserError, match="Core ML"):
        arm.run_golden(environment, bundle, "cortex-a76")


def golden_bundle(folder: Path) -> Path:
    """Half a DN below what ``ADDS_ONE`` makes of its one golden vector."""
    bundle = write_fake_bundle(folder)
    write_golden(bundle, "golden/00.0.reference.f32", np.full((16, 16), 500.5, np.float32))
    write_golden(bundle, "golden/00.truth.f32", np.full((16, 16), 400, np.float32))
    write_sums(bundle)
    return bundle


def test_golden_vectors_are_judged_by_the_manifest(fake: Any, tmp_path: Path) -> None:
    bundle = golden_bundle(tmp_path / "bundle")
    report = arm.run_golden(fake(ADDS_ONE), bundle, "cortex-a76")
    assert [v.max_abs_dn for v in report.vectors] == [0.5]
    assert report.status == "failed" and "off by 0.5 DN, allowed 0.05" in report.problems[0]


def test_verify_runs_a_bundle_as_on_arm(
    fake: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = golden_bundle(tmp_path / "bundle")
    monkeypatch.setenv("FA_MOBILE_ARM", str(fake(ADDS_ONE).folder))
    code, out, err = run_here(monkeypatch, capsys, "verify", bundle, "--arm", "cortex-a76")
    assert code == 1 and "on cortex-a76 (QEMU): failed" in out and "off by" in err
    code, out, err = run_here(monkeypatch, capsys, "verify", bundle, "--arm", "z80")
    assert code == 2 and "CPU 'z80' was given" in err and not out
    monkeypatch.setenv("FA_MOBILE_ARM", str(tmp_path))
    code, out, err = run_here(monkeypatch, capsys, "verify", bundle, "--arm", "cortex-a76")
    assert code == 2 and "is no ARM environment" in err


def test_the_estimate_is_the_anchor() -> None:
    """MobileNetV2's own instructions give a range around its own measured times."""
    for instructions, milliseconds in ((112.4e6, 10.89), (50.7e6, 4.01)):
        estimate = arm.estimate_milliseconds(instructions)
        assert estimate.low < milliseconds < estimate.high
    assert str(arm.estimate_milliseconds(1.3e9)) == "100 to 130 ms (estimated)"
    with pytest.raises(UserError, match="above 0"):
        arm.estimate_milliseconds(0)


def test_the_command_prints_each_cpu(fake: Any, model: Path, tmp_path: Path) -> None:
    environment, inputs = fake(), tmp_path / "inputs.npz"
    np.savez(inputs, np.ones(3, np.float32))
    given = [str(model), str(inputs), "--environment", str(environment.folder)]
    app = arm_count.app
    both = [*given, "--cpu", "cortex-a55", "--cpu", "cortex-a76"]
    lines = CliRunner().invoke(app, both).output.splitlines()
    assert [line.split()[0] for line in lines] == ["cortex-a55", "cortex-a76"]
    found = CliRunner().invoke(app, [*given, "--cpu", "cortex-a76", "--json"]).output
    assert json.loads(found) == [{"cpu": "cortex-a76", "instructions": 101, "spread": 0}]
    refused = CliRunner().invoke(app, [str(model), str(model), *given[2:]])
    assert refused.exit_code == 2 and "no .npz of arrays" in refused.output


def test_the_guest_takes_a_reading_on_both_sides_of_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[str] = []
    monkeypatch.setattr(arm_guest, "take_reading", lambda: events.append("reading"))
    inputs, outputs = tmp_path / "in.npz", tmp_path / "out.npz"
    np.savez(inputs, np.ones((2, 3), np.float32), np.ones(1, np.float32))

    def double(arrays: arm_guest.Arrays) -> arm_guest.Arrays:
        events.append("run")
        return [2 * array for array in arrays]

    job = json.dumps({"inputs": str(inputs), "outputs": str(outputs)})
    assert arm_guest.answer(double, job) == {"shapes": [[2, 3], [1]]}
    assert events == ["reading", "run", "reading"]
    with np.load(outputs, allow_pickle=False) as file:
        assert [float(file[name].max()) for name in file.files] == [2, 2]


def test_a_reading_changes_nothing() -> None:
    arm_guest.take_reading()  # closes what is not open


def guest(model: Path, *lines: str) -> list[Any]:
    """The guest's script on the host's Python."""
    done = subprocess.run(
        [sys.executable, str(GUEST), str(model)],
        input="".join(f"{line}\n" for line in lines),
        capture_output=True,
        text=True,
        timeout=120,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_guest_runs_onnx_and_tells_of_failures(tmp_path: Path) -> None:
    model, (inputs, outputs) = matmul(tmp_path, 4), (tmp_path / "in.npz", tmp_path / "out.npz")
    np.savez(inputs, np.ones((3, 4), np.float32))
    job = json.dumps({"inputs": str(inputs), "outputs": str(outputs)})
    assert guest(model, job, job) == [{"ready": True}, {"shapes": [[3, 4]]}, {"shapes": [[3, 4]]}]
    with np.load(outputs, allow_pickle=False) as file:
        np.testing.assert_array_equal(file["arr_0"], np.full((3, 4), 4))
    (answer,) = guest(tmp_path / "model.tflite")
    assert "allowed are .pte and .onnx" in answer["error"]
    np.savez(inputs, np.ones((3, 5), np.float32))
    assert "error" in guest(model, job)[1]


def matmul(folder: Path, side: int) -> Path:
    """A model that multiplies [N, side] by ones [side, side]."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    ones = numpy_helper.from_array(np.ones((side, side), np.float32), "ones")
    shape = ["N", side]
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "ones"], ["y"])], "matmul",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)], [ones],
    )  # fmt: skip
    path = folder / "matmul.onnx"
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=9), path)
    return path


@pytest.mark.slow
def test_under_qemu(tmp_path: Path) -> None:
    """The same result as here, and twice the work takes twice the instructions."""
    try:
        environment = find_arm_environment()
    except UserError as error:
        pytest.skip(str(error))
    model = matmul(tmp_path, 128)
    few, many = (np.ones((rows, 128), np.float32) for rows in (256, 512))
    with arm_process.ArmProcess(environment, model, "cortex-a76") as process:
        for x in (few, few, few, many, many):
            (got,) = process.run([x])
            np.testing.assert_array_equal(got, np.full(x.shape, 128))
        counts = process.counts()
    once, again, twice = counts[1], counts[2], counts[4]
    assert again == pytest.approx(once, rel=0.01)
    assert twice == pytest.approx(2 * once, rel=0.2)
    # A fused multiply-add serves four samples, and a kernel does little else.
    assert 256 * 128 * 128 / 4 < once < 256 * 128 * 128
