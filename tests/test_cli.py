"""The command line: what it prints, what it refuses, how fast it starts."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fa_mobile.raw_io import read_raw
from tests.fakes import write_fake_bundle

COMMANDS = (
    "export", "verify", "inspect", "denoise", "simulate", "evaluate", "macs", "train", "demo",
    "bench", "pair",
)  # fmt: skip


def fa_mobile(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from fa_mobile.cli import main; main()", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ, "COLUMNS": "200", "PYTHONPATH": str(Path(__file__).parent.parent)},
        check=False,
    )


def refused(result: subprocess.CompletedProcess[str], *parts: str) -> None:
    """Exit code 2 and one line that holds every part."""
    assert result.returncode == 2, result.stderr
    lines = [line for line in result.stderr.splitlines() if not line.startswith("warning:")]
    assert len(lines) == 1 and lines[0].startswith("error: "), result.stderr
    for part in parts:
        assert part in lines[0]


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("photo") / "photo.png"
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 256, (48, 64, 3)).astype(np.uint8)).save(path)
    return path


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_examples(command: str) -> None:
    result = fa_mobile(command, "--help")
    assert result.returncode == 0
    assert "Example" in result.stdout


def test_starts_in_under_half_a_second() -> None:
    """Processor time, which a busy machine does not stretch as it does the clock."""
    fa_mobile("--version")  # compiles what is not compiled yet
    times = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert fa_mobile("--help").returncode == 0
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(times) < 0.5


def test_base_commands_import_no_torch(photo: Path, tmp_path: Path) -> None:
    """Running a bundle needs neither torch nor the exporters."""
    script = (
        "import sys; sys.modules['torch'] = None\n"
        "import fa_mobile.runtimes.frames, fa_mobile.verify, fa_mobile.preview\n"
        "import fa_mobile.runtimes.onnx, fa_mobile.simulation\n"
        "from fa_mobile import open_bundle\n"
        "print(sorted(m for m in ('scipy', 'cv2', 'onnx', 'safetensors') if m in sys.modules))"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == "[]"


def test_macs_as_json() -> None:
    data = json.loads(fa_mobile("macs", "--json").stdout)
    assert data["paper"] == {"gmacs_per_mp": 2.66875, "parameters": 44858}


def test_simulate_writes_a_dng_that_is_the_same_each_time(photo: Path, tmp_path: Path) -> None:
    for name in ("a.dng", "b.dng"):
        result = fa_mobile("simulate", photo, "--gain", 16, "-o", tmp_path / name)
        assert result.returncode == 0, result.stderr
        assert "synthetic noise" in result.stdout and "derived" in result.stdout
    first, second = (read_raw(tmp_path / name) for name in ("a.dng", "b.dng"))
    assert np.array_equal(first.mosaic, second.mosaic)
    assert first.iso == 1600 and first.mosaic.shape == (48, 64)


@pytest.mark.parametrize("gain", ["0", "-2", "nan", "inf"])
def test_simulate_refuses_gains(photo: Path, tmp_path: Path, gain: str) -> None:
    out = tmp_path / "x.dng"
    refused(fa_mobile("simulate", photo, "--gain", gain, "-o", out), "gain", "allowed are finite")
    assert not list(tmp_path.iterdir())


def test_simulate_refuses_what_is_no_photo(tmp_path: Path) -> None:
    path = tmp_path / "notes.jpg"
    path.write_text("not a photo")
    refused(fa_mobile("simulate", path, "--gain", 1, "-o", tmp_path / "x.dng"), "notes.jpg")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["notes.jpg"]


def test_unwritable_folder(photo: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    out = tmp_path / "file" / "x.dng"
    refused(fa_mobile("simulate", photo, "--gain", 1, "-o", out), "cannot write")


def test_disk_that_takes_no_more(photo: Path, tmp_path: Path) -> None:
    """A limit on file sizes makes the write fail in its middle, as a full disk does."""
    (tmp_path / "x.dng").write_bytes(b"old")
    script = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))\n"
        "from fa_mobile.cli import main; main()"
    )
    result = subprocess.run(
        [sys.executable, "-B", "-c", script, "simulate", photo, "--gain", "1", "-o",
         tmp_path / "x.dng"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    refused(result, "cannot write", "x.dng", "space")
    assert [p.name for p in tmp_path.iterdir()] == ["x.dng"]
    assert (tmp_path / "x.dng").read_bytes() == b"old"


def test_denoise_refuses_files(tmp_path: Path) -> None:
    bundle = write_fake_bundle(tmp_path / "bundle")
    missing = tmp_path / "none.dng"
    refused(fa_mobile("denoise", missing, "--bundle", bundle), "none.dng")
    short = tmp_path / "short.raw"
    short.write_bytes(b"\0" * 10)
    arguments = ("denoise", short, "--bundle", bundle, "--raw-shape", 4, 4, "--gain", 1)
    refused(fa_mobile(*arguments), "short.raw", "10", "32")
    refused(fa_mobile(*arguments, "--cfa", "XTRANS"), "X-Trans", "RGGB")
    short.write_bytes(b"\0" * 32)
    refused(fa_mobile(*arguments, "--black", 1023), "black", "1023")
    text = tmp_path / "text.dng"
    text.write_text("no raw")
    refused(fa_mobile("denoise", text, "--bundle", bundle), "text.dng")


def test_denoise_refuses_bundles(photo: Path, tmp_path: Path) -> None:
    noisy = tmp_path / "n.dng"
    fa_mobile("simulate", photo, "--gain", 4, "-o", noisy)
    refused(fa_mobile("denoise", noisy, "--bundle", tmp_path), "is not a bundle")
    bundle = write_fake_bundle(tmp_path / "bundle")
    refused(fa_mobile("denoise", noisy, "--bundle", bundle), "model.onnx")  # no such model loads
    (bundle / "model.onnx").write_bytes(b"changed")
    refused(fa_mobile("denoise", noisy, "--bundle", bundle), "another hash")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["bundle", "n.dng"]


def test_export_refuses_a_recipe_with_all_its_errors(tmp_path: Path) -> None:
    path = tmp_path / "r.toml"
    path.write_text('schema_version = 1\nsensor = "imx258"\ntile = 3\n')
    refused(fa_mobile("export", path, cwd=tmp_path), "checkpoint", "tile", "target")
    assert not (tmp_path / "dist").exists()


def test_export_refuses_an_unknown_target(tiny_recipe: Path) -> None:
    refused(fa_mobile("export", tiny_recipe, "--only", "coreml"), "coreml", "this recipe has onnx")


def test_train_refuses(tmp_path: Path) -> None:
    refused(fa_mobile("train", tmp_path / "none", "--runs", tmp_path / "r"), "does not exist")
    refused(fa_mobile("train", tmp_path, "--runs", tmp_path / "r"), "no photo")
    refused(
        fa_mobile("train", tmp_path, "--runs", tmp_path / "r", "--start", tmp_path / "none"),
        "holds no array.json",
    )
    refused(
        fa_mobile("train", tmp_path, "--runs", tmp_path / "r", "--network", "unet"),
        "'unet'", "allowed are mobile, paper",
    )  # fmt: skip
    refused(
        fa_mobile("train", tmp_path, "--runs", tmp_path / "r", "--stage", "9"),
        "'9'", "allowed are all, common",
    )  # fmt: skip
    refused(
        fa_mobile("train", tmp_path, "--runs", tmp_path / "r", "--member-steps", 0),
        "--member-steps 0", "give --start",
    )  # fmt: skip


def test_train_says_what_a_loss_needs(tmp_path: Path) -> None:
    train = ("train", tmp_path, "--runs", tmp_path / "r")
    refused(fa_mobile(*train, "--optimizer", "sgd"), "'sgd'", "allowed are muon, adam")
    refused(fa_mobile(*train, "--loss", "feature"), "without a teacher", "--teacher")
    refused(
        fa_mobile(*train, "--loss", "perceptual", "--perceptual-weights", tmp_path / "none.npz"),
        "none.npz", "no such file",
    )  # fmt: skip
    assert not (tmp_path / "r").exists()


def test_wrong_option_is_usage_error() -> None:
    result = fa_mobile("macs", "--nonsense")
    assert result.returncode == 2 and "--nonsense" in result.stderr


def test_inspect_shows_the_manifest(tmp_path: Path) -> None:
    bundle = write_fake_bundle(tmp_path / "bundle")
    shown = fa_mobile("inspect", bundle)
    assert shown.returncode == 0 and "derived" in shown.stdout
    data = json.loads(fa_mobile("inspect", bundle, "--json").stdout)
    assert data["sensor"]["name"] == "imx258"
