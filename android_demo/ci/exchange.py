"""What the JVM tests and Python show each other: ci/exchange.py give|check FOLDER BUNDLE.

``give`` writes a DNG with Python's writer and what it holds; ``check`` reads the DNGs that Kotlin
made of it and the benchmark reports with Python's readers, and denoises the DNG itself to compare.
"""

import json
import sys
from pathlib import Path

import numpy as np

import fa_mobile
from fa_mobile.bench.schema import Report
from fa_mobile.noise import NoiseParameters
from fa_mobile.raw_io import RawFrame, read_raw, write_dng
from fa_mobile.runtimes.frames import denoise_frame


def give(folder: Path, _bundle: Path) -> None:
    """Write capture.dng and capture.json."""
    rng = np.random.default_rng(3)
    slope = np.linspace(64, 900, 46)[None, :] * np.linspace(1, 0.4, 38)[:, None]
    mosaic = np.clip(slope + rng.normal(0, 30, (38, 46)), 0, 1000).astype(np.uint16)
    frame = RawFrame(
        mosaic=mosaic, cfa="GBRG", black_level=(64.0, 65.0, 66.0, 67.0), white_level=1000.0,
        iso=1600.0, noise=NoiseParameters(3.5e-4, 2e-6),
    )  # fmt: skip
    write_dng(folder / "capture.dng", frame)
    back = read_raw(folder / "capture.dng")
    assert back.noise is not None
    told = {
        "mosaic": back.mosaic.tolist(),
        "cfa": back.cfa,
        "black_level": back.black_level,
        "white_level": back.white_level,
        "iso": back.iso,
        "noise": list(back.noise),
    }
    (folder / "capture.json").write_text(json.dumps(told), encoding="utf-8")


def check(folder: Path, bundle: Path) -> None:
    """Raise for what Python does not read, or reads differently."""
    before, after = (read_raw(folder / f"{name}.dng") for name in ("capture", "brighter"))
    assert np.array_equal(after.mosaic, before.mosaic + 1), "the samples are not those of Kotlin"
    assert after.noise is None, "a denoised file keeps a noise profile"
    assert (after.cfa, after.black_level, after.iso) == (before.cfa, before.black_level, before.iso)
    for name in ("burst", "sustained"):
        report = Report.model_validate_json((folder / f"{name}.json").read_text(encoding="utf-8"))
        assert report.settings.kind == name
    denoised = denoise_frame(fa_mobile.open_bundle(bundle, threads=1), before)
    off = np.abs(read_raw(folder / "denoised.dng").mosaic.astype(int) - denoised.mosaic)
    assert off.max() <= 1, f"Kotlin's denoised DNG is off Python's by {off.max()} DN"
    sys.stdout.write(
        "Python reads what Kotlin wrote: DNGs and benchmark reports; the denoised DNG is Python's "
        f"but for {np.mean(off > 0):.2%} of the samples, which differ by 1 DN\n"
    )


if __name__ == "__main__":
    {"give": give, "check": check}[sys.argv[1]](Path(sys.argv[2]), Path(sys.argv[3]))
