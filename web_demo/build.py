"""Build the page: a folder of static files that any web server can serve.

python web_demo/build.py --bundle dist/imx258-onnx-fp32 --output build/web
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path
from typing import Final

import fa_mobile
from fa_mobile.bundle import read_bundle
from fa_mobile.errors import UserError
from fa_mobile.files import replace_folder
from fa_mobile.patches import shipped_photo
from fa_mobile.raw_io import write_dng
from fa_mobile.sensor import SensorProfile
from fa_mobile.simulation import simulate
from fa_mobile.training.sources import read_photo

HERE: Final = Path(__file__).parent
sys.path.insert(0, str(HERE))
from npm_package import extract  # noqa: E402

RUNTIME: Final = "onnxruntime-web"
RUNTIME_FILES: Final = (
    "ort.wasm.min.mjs",
    "ort-wasm-simd-threaded.mjs",
    "ort-wasm-simd-threaded.wasm",
)
PHOTO: Final = "astronaut.png"
GAIN: Final = 16.0


def build(bundle: Path, output: Path, gain: float = GAIN) -> None:
    """Write the page with a bundle and a capture of its sensor.

    Args:
        bundle: an ONNX bundle; its hashes are checked.
        output: the folder to write, replaced as a whole.
        gain: of the built-in capture.

    Raises:
        UserError: for a damaged bundle or one of another target, or a runtime that cannot be had.
    """
    manifest = read_bundle(bundle)
    if manifest.target != "onnx":
        raise UserError(
            f"bundle {manifest.name} is for {manifest.target}; the page runs ONNX bundles: export "
            "one with 'fa-mobile export export/imx258.toml --only onnx-fp32'"
        )
    with replace_folder(output) as partial:
        shutil.copytree(HERE / "site", partial, dirs_exist_ok=True)
        shutil.copytree(bundle, partial / "bundle")
        runtime = {f"dist/{name}": partial / "runtime" / name for name in RUNTIME_FILES}
        extract(RUNTIME, runtime)
        _write_capture(partial / "capture.dng", manifest.sensor, gain)
        site = {
            "version": fa_mobile.__version__,
            "capture": "capture.dng",
            "bundle_bytes": sum(f.stat().st_size for f in bundle.rglob("*") if f.is_file()),
        }
        (partial / "site.json").write_text(json.dumps(site, indent=2) + "\n", encoding="utf-8")


def _write_capture(path: Path, sensor: SensorProfile, gain: float) -> None:
    """A capture that the sensor would have taken of a photo that scikit-image ships."""
    write_dng(path, simulate(read_photo(shipped_photo(PHOTO)), sensor, gain, seed=0).noisy)


def main() -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(description="Build the browser page.")
    parser.add_argument("--bundle", type=Path, default=Path("dist/imx258-onnx-fp32"))
    parser.add_argument("--output", type=Path, default=Path("build/web"))
    parser.add_argument("--gain", type=float, default=GAIN, help="of the built-in capture")
    given = parser.parse_args()
    try:
        build(given.bundle, given.output, given.gain)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    size = sum(f.stat().st_size for f in given.output.rglob("*") if f.is_file())
    print(f"{given.output}: {size / 1e6:.1f} MB; python web_demo/serve.py {given.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
