"""Every shipped bundle, exported and judged on captures: 'make test-slow'."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import fa_mobile
from fa_mobile.evaluation.captures import GAINS
from fa_mobile.exporting import BundleResult, export_recipe
from fa_mobile.metrics import psnr
from fa_mobile.patches import shipped_photo
from fa_mobile.recipe import CHECKPOINTS
from fa_mobile.simulation import simulate
from fa_mobile.training.sources import read_photo
from fa_mobile.verify import verify_bundle

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parent.parent
MAX_LOSS_DB = 0.25


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, BundleResult]:
    output = tmp_path_factory.mktemp("dist")
    results = export_recipe(ROOT / "export" / "imx258.toml", lambda _line: None, output)
    return {f"{r.manifest.target}-{r.manifest.precision}": r for r in results}


def test_all_six_are_there(bundles: dict[str, BundleResult]) -> None:
    statuses = {name: result.verification.status for name, result in bundles.items()}
    assert statuses == {
        "executorch-fp32": "verified", "executorch-int8": "verified",
        "onnx-fp32": "verified", "onnx-int8": "verified",
        "coreml-fp16": "exported, not run", "coreml-int8": "exported, not run",
    }  # fmt: skip
    for result in bundles.values():
        assert verify_bundle(result.folder).status == result.verification.status


def scores(bundle: fa_mobile.Bundle, photo: str) -> dict[float, float]:
    sensor = bundle.manifest.sensor
    pixels = read_photo(shipped_photo(photo))
    found = {}
    for gain in GAINS:
        capture = simulate(pixels, sensor, gain, seed=11)
        out = bundle(capture.noisy.mosaic, gain=gain)
        found[gain] = psnr(out, capture.truth, data_range=max(sensor.span))
    return found


@pytest.mark.parametrize("target", ["executorch", "onnx"])
@pytest.mark.parametrize("photo", ["astronaut.png", "coffee.png"])
def test_int8_loses_little_against_float_in_the_same_runtime(
    bundles: dict[str, BundleResult], target: str, photo: str
) -> None:
    opened = {p: fa_mobile.open_bundle(bundles[f"{target}-{p}"].folder) for p in ("fp32", "int8")}
    float_scores, int8_scores = (scores(opened[p], photo) for p in ("fp32", "int8"))
    losses = {gain: float_scores[gain] - int8_scores[gain] for gain in GAINS}
    assert max(losses.values()) <= MAX_LOSS_DB, losses


def test_runtimes_agree(bundles: dict[str, BundleResult]) -> None:
    """On a frame that is no smaller than the tile of a fixed shape.

    Smaller ones are mirrored up to it, where other runtimes pad with zeros as on any border: they
    differ within the halo of those two borders.
    """
    sensor = bundles["onnx-fp32"].manifest.sensor
    sides = bundles["executorch-fp32"].manifest.tile
    photo = read_photo(shipped_photo("astronaut.png"))
    larger = [(0, side + 32 - have) for side, have in zip(sides, photo.shape, strict=False)]
    capture = simulate(np.pad(photo, (*larger, (0, 0)), mode="reflect"), sensor, 8, seed=3)
    outputs = [
        fa_mobile.open_bundle(bundles[f"{target}-fp32"].folder)(capture.noisy.mosaic, gain=8)
        for target in ("executorch", "onnx")
    ]
    tolerance = bundles["onnx-fp32"].manifest.tolerance.max_abs_dn
    assert tolerance is not None
    assert np.abs(outputs[0] - outputs[1]).max() <= tolerance


def test_tiled_equals_whole(bundles: dict[str, BundleResult]) -> None:
    """A frame of several tiles through the float bundle of any size, in pieces and in one.

    Fixed shapes have no "in one"; that they tile alike is :func:`test_runtimes_agree`.
    """
    raw = np.random.default_rng(0).integers(64, 1024, (600, 520)).astype(np.uint16)
    result = bundles["onnx-fp32"]
    whole = fa_mobile.open_bundle(result.folder)
    assert min(whole.manifest.tile) >= 600 and not whole.manifest.fixed_shape
    small = result.manifest.model_copy(update={"tile": (256, 320)})
    tiled = fa_mobile.Bundle(result.folder, small, whole._model)
    assert np.abs(tiled(raw, gain=4) - whole(raw, gain=4)).max() <= 1e-4


def test_checkpoints_are_small_enough_to_ship() -> None:
    """All together below the 5 MB from which weights stay out of the package."""
    assert sum(p.stat().st_size for p in CHECKPOINTS.rglob("*")) < 5_000_000
