"""From a recipe to a verified bundle, and what stops one."""

from __future__ import annotations

import hashlib
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

import fa_mobile
from fa_mobile import exporting
from fa_mobile.bundle import read_golden, write_sums
from fa_mobile.denoiser import RawDenoiser
from fa_mobile.errors import UserError
from fa_mobile.exporting import export_recipe
from fa_mobile.golden import run_reference
from fa_mobile.manifest import MANIFEST_FILE, Tolerance
from fa_mobile.selection import select
from fa_mobile.sensor import GainWarning
from fa_mobile.targets.base import ExportError
from fa_mobile.verify import verify_bundle
from tests.conftest import visible_array, write_recipe


def quiet(_line: str) -> None:
    pass


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> exporting.BundleResult:
    """One ONNX fp32 bundle of an array with two members."""
    folder = tmp_path_factory.mktemp("export")
    recipe = write_recipe(folder, tile=160)
    (result,) = export_recipe(recipe, quiet, folder / "dist")
    return result


def test_bundle_is_named_after_what_it_is(made: exporting.BundleResult) -> None:
    assert made.folder.name == "imx258-onnx-fp32"
    assert made.verification.status == "verified"
    names = {path.name for path in made.folder.iterdir()}
    assert names == {"model.onnx", "manifest.json", "golden", "SHA256SUMS"}


def test_manifest_tells_cost_and_provenance(made: exporting.BundleResult) -> None:
    m = made.manifest
    assert m.network.gmacs_per_mp == 2.66875 and m.network.parameters == 44858
    assert m.network.executed_gmacs_per_mp > m.network.gmacs_per_mp
    assert m.sensor.provenance == "derived"
    assert m.model_bytes == (made.folder / "model.onnx").stat().st_size
    assert [t.name for t in m.inputs] == ["raw", "gain"]
    assert m.inputs[0].shape == (1, 1, "H", "W") and m.inputs[1].shape == (1,)
    assert {"torch", "onnx", "onnxruntime", "python"} <= m.tool_versions.keys()


def test_golden_vectors_cover_the_range_and_both_sides_of_the_edge(
    made: exporting.BundleResult,
) -> None:
    m = made.manifest
    gains = sorted(v.gain for v in m.golden if v.gain is not None)
    low, high = m.sensor.gain_range
    assert gains[0] < low and gains[-1] > high and {low, high} <= set(gains)
    pairs = [v for v in m.golden if sum(w.raw == v.raw for w in m.golden) == 2]
    assert [v.member for v in pairs] == [1, 0]
    above, below = (np.float32(v.gain) for v in pairs)
    assert np.nextafter(below, np.float32(np.inf)) == above
    for v in m.golden:
        raw, reference, truth = read_golden(made.folder, v)
        assert raw.shape == reference.shape == truth.shape == (96, 96)
        assert v.member == select(v.a, m.edges)


def test_bundle_answers_like_the_reference_at_any_size(made: exporting.BundleResult) -> None:
    bundle = fa_mobile.open_bundle(made.folder, threads=1)
    denoiser = RawDenoiser(visible_array(2)).eval()
    rng = np.random.default_rng(1)
    for shape, gain in (((37, 52), 2.0), ((128, 131), 40.0)):
        raw = rng.integers(60, 1024, shape).astype(np.uint16)
        noise = made.manifest.sensor.noise(gain)
        wanted = run_reference(denoiser, raw.astype(np.float32), *noise, minimum=(16, 16))
        assert np.abs(bundle(raw, gain=gain) - wanted).max() < 0.05


def test_tiled_equals_whole_in_the_runtime(made: exporting.BundleResult) -> None:
    """The same frame in tiles of 160 and in one piece: equal to 1e-4 DN."""
    bundle = fa_mobile.open_bundle(made.folder, threads=1)
    raw = np.random.default_rng(2).integers(300, 700, (312, 264)).astype(np.uint16)
    tiled = bundle(raw, gain=16)
    whole_manifest = made.manifest.model_copy(update={"tile": (512, 512)})
    whole = fa_mobile.Bundle(made.folder, whole_manifest, bundle._model)(raw, gain=16)
    assert np.abs(tiled - whole).max() <= 1e-4
    assert np.abs(tiled - raw).max() > 1


def test_selection_table_is_the_bundles(made: exporting.BundleResult) -> None:
    """The graph itself, at every edge and one float beside it: the member's own output comes."""
    bundle = fa_mobile.open_bundle(made.folder, threads=1)
    denoiser = RawDenoiser(visible_array(2)).eval()
    raw = np.random.default_rng(3).integers(100, 900, (32, 32)).astype(np.uint16)
    for gain, member in made.manifest.selection:
        if not 1e-3 < gain < 1e3:
            continue  # k-sigma of such noise leaves float32; selection there is tested on numbers
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", GainWarning)
            got = bundle(raw, gain=gain)
        noise = made.manifest.sensor.noise(gain)
        tensors = [torch.tensor([v], dtype=torch.float32) for v in noise]
        x = torch.from_numpy(raw.astype(np.float32))[None, None]
        with torch.no_grad():
            outputs = [m(x, *tensors)[0, 0].numpy() for m in denoiser.members]
        distances = [float(np.abs(got - out).max()) for out in outputs]
        assert int(np.argmin(distances)) == member and distances[member] < 0.05


def test_verify_passes_and_sees_a_wrong_output(made: exporting.BundleResult) -> None:
    assert verify_bundle(made.folder).status == "verified"
    vector = made.manifest.golden[0]
    path = made.folder / vector.reference
    before = path.read_bytes()
    manifest_path = made.folder / MANIFEST_FILE
    try:
        path.write_bytes((np.frombuffer(before, "<f4") + np.float32(1)).tobytes())
        with pytest.raises(UserError, match="another hash"):
            verify_bundle(made.folder)
        write_sums(made.folder)
        report = verify_bundle(made.folder)
        assert report.status == "failed"
        assert f"vector {vector.name}" in report.problems[0] and "off by" in report.problems[0]
    finally:
        path.write_bytes(before)
        write_sums(made.folder)
    digest = hashlib.sha256(manifest_path.read_bytes()).hexdigest()
    assert digest in (made.folder / "SHA256SUMS").read_text()


def test_verify_sees_another_member(made: exporting.BundleResult) -> None:
    """A manifest whose edge pair is swapped: the outputs are nearer to the other's reference."""
    pair = [
        v for v in made.manifest.golden if sum(w.raw == v.raw for w in made.manifest.golden) > 1
    ]
    swapped = {
        pair[0].name: pair[0].model_copy(update={"gain": pair[1].gain}),
        pair[1].name: pair[1].model_copy(update={"gain": pair[0].gain}),
    }
    golden = tuple(swapped.get(v.name, v) for v in made.manifest.golden)
    from fa_mobile.verify import verify_artifact

    report = verify_artifact(made.folder, made.manifest.model_copy(update={"golden": golden}))
    assert report.status == "failed"
    assert any("another member answered" in problem for problem in report.problems)


def test_artifact_that_does_not_match_leaves_nothing(
    tiny_recipe: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    impossible = Tolerance(max_abs_dn=0, max_noise_ratio=0, max_psnr_loss_db=-1)
    monkeypatch.setitem(exporting.TOLERANCES, "fp32", impossible)
    with pytest.raises(ExportError, match="did not match"):
        export_recipe(tiny_recipe, quiet, tmp_path / "dist")
    assert list((tmp_path / "dist").iterdir()) == []


def test_noise_profile_bundle(tiny_recipe: Path, tmp_path: Path) -> None:
    text = tiny_recipe.read_text().replace("tile = 128", 'tile = 128\nselector = "noise-profile"')
    tiny_recipe.write_text(text)
    (result,) = export_recipe(tiny_recipe, quiet, tmp_path / "dist")
    assert [t.name for t in result.manifest.inputs] == ["raw", "a", "b"]
    assert result.verification.status == "verified"
    assert all(v.gain is None for v in result.manifest.golden)
