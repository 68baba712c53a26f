"""The built page in headless Chromium; its samples against those of ``fa_mobile``."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from fa_mobile.bench.files import read_report
from fa_mobile.bundle import SUMS_FILE, file_sha256
from fa_mobile.manifest import parse_manifest
from fa_mobile.raw_io import RawFrame, normalize, read_raw, write_dng
from fa_mobile.runtimes.frames import denoise_frame
from fa_mobile.runtimes.session import Bundle, open_bundle

from build import build
from npm_package import extract_all
from serve import server

HERE = Path(__file__).parent
IMAGES = HERE.parent / "images"
"""The README's pictures; $RENEW_PICTURES has them drawn anew, which changes the times they show."""
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="module")
def chromium() -> str:
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.fail("no Chromium was found: install it (Debian: chromium) or set CHROMIUM")
    return found


@pytest.fixture(scope="module")
def site(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site") / "web"
    build(bundle, folder)
    return folder


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    running = server(site)
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{running.server_address[1]}/"
    running.shutdown()
    running.server_close()


@pytest.fixture(scope="module")
def frames(site: Path, cases: Path) -> dict[str, RawFrame]:
    """The built-in capture, and others made of it that the page is given as files."""
    builtin = read_raw(site / "capture.dng")
    at = builtin.mosaic
    signal = np.clip(normalize(builtin), -0.05, 1)
    found = {
        "GBRG-odd": replace(builtin, mosaic=at[1:300, 0:241].copy(), cfa="GBRG"),
        "BGGR-12-bits": replace(
            builtin,
            mosaic=np.round(signal[1:200, 1:260] * (4095 - 256) + 256).astype(np.uint16),
            cfa="BGGR",
            black_level=(256, 256, 256, 256),
            white_level=4095,
        ),
        "large": replace(builtin, mosaic=np.tile(at, (5, 5))),
    }
    for name, frame in found.items():
        write_dng(cases / f"{name}.dng", frame)
    return {"builtin": builtin, **found}


@pytest.fixture(scope="module")
def ran(
    node: str,
    chromium: str,
    address: str,
    cases: Path,
    frames: dict[str, RawFrame],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """What the browser's run left."""
    out = tmp_path_factory.mktemp("out")
    images = IMAGES if os.environ.get("RENEW_PICTURES") else out
    environment = os.environ | {
        "SITE": address, "CASES": str(cases), "OUT": str(out), "IMAGES": str(images),
        "CHROMIUM": chromium, "PLAYWRIGHT": str(extract_all("playwright-core", out)),
    }  # fmt: skip
    command = [node, "--test", "--test-reporter=spec", str(HERE / "browser.test.mjs")]
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment, check=False, timeout=900
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    return out


@pytest.fixture(scope="module")
def python(bundle: Path) -> Bundle:
    return open_bundle(bundle, threads=1)


def test_the_browsers_run_passes(ran: Path) -> None:
    assert ran.is_dir()


@pytest.mark.parametrize("name", ["whole", "tiled"])
def test_samples_are_pythons_within_the_tolerance(
    ran: Path, frames: dict[str, RawFrame], python: Bundle, name: str
) -> None:
    frame = frames["builtin"]
    found: npt.NDArray[np.float32] = np.fromfile(ran / f"{name}.f32", "<f4")
    wanted = python(frame.mosaic, gain=16, cfa=frame.cfa)
    worst = float(np.abs(found.reshape(wanted.shape) - wanted).max())
    print(f"{name}: off by at most {worst:.6f} DN")
    limit = python.manifest.tolerance.max_abs_dn
    assert limit is not None, "the page is tested with an fp32 bundle"
    assert worst <= limit


@pytest.mark.parametrize("name", ["builtin", "GBRG-odd", "BGGR-12-bits"])
def test_saved_files_are_pythons_but_for_rounding(
    ran: Path, frames: dict[str, RawFrame], python: Bundle, name: str
) -> None:
    """A sample may round to the other side where its float is within the tolerance of a half."""
    found, wanted = read_raw(ran / f"{name}.dng"), denoise_frame(python, frames[name])
    difference = np.abs(found.mosaic.astype(int) - wanted.mosaic)
    assert difference.max() <= 1
    assert (difference > 0).mean() < 0.002
    assert np.abs(wanted.mosaic.astype(int) - frames[name].mosaic).mean() > 1  # it does denoise
    for field in ("cfa", "black_level", "white_level", "iso", "noise", "make", "model"):
        assert getattr(found, field) == getattr(wanted, field)


def test_benchmark_reports_are_ones_that_bench_reads(ran: Path, bundle: Path) -> None:
    paths = sorted(ran.glob("report-*.json"))
    assert paths
    for path in paths:
        report = read_report(path)
        (entry,) = report.entries
        assert report.device.kind == "browser" and report.settings.rounds == 7
        assert entry.bundle == parse_manifest(bundle / "manifest.json").name
        assert entry.sums_sha256 == file_sha256(bundle / SUMS_FILE)
        assert entry.counts.bundle_bytes == sum(
            f.stat().st_size for f in bundle.rglob("*") if f.is_file()
        )
        assert entry.timing is not None and entry.start is not None
        print(
            f"{report.device.title}, {report.settings.threads} thread(s), {entry.megapixels:.2f} "
            f"MP: {entry.timing.ms_per_mp:.0f} ms/MP"
        )


def test_screenshots_are_in_the_readme(ran: Path) -> None:
    text = (HERE.parent / "README.md").read_text(encoding="utf-8")
    for name in ("desktop.jpg", "phone.jpg"):
        assert f"images/{name}" in text
        for picture in (IMAGES / name, *ran.glob(name)):
            assert 10_000 < picture.stat().st_size < 300_000
