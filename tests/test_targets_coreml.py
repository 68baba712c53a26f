"""The Core ML target's structure; nothing here runs Core ML, which needs macOS."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skimage.data
import torch

from fa_mobile import isp
from fa_mobile.denoiser import RawDenoiser
from fa_mobile.folding import fold
from fa_mobile.metrics import psnr
from fa_mobile.noise import NoiseParameters, add_noise
from fa_mobile.nsma import NoiseSubrangeModelArray, new_spec, subrange
from fa_mobile.selection import select
from fa_mobile.sensor import load_profile
from fa_mobile.targets import coreml as target
from fa_mobile.targets.base import CalibrationSample, Exported, ExportError, ExportJob
from fa_mobile.targets.coreml_program import select_program, selected_program
from fa_mobile.targets.coreml_program import traced_members as trace
from fa_mobile.targets.coreml_quantize import quantize_member
from fa_mobile.targets.coreml_structure import check_structure

pytest.importorskip("coremltools")

MEMBERS = 2
TILE = 64
PROFILE = load_profile("imx258")
NETWORK_CONVS = 46
"""Of the folded network of the paper: two of them pool the noisy input."""


def make_array() -> NoiseSubrangeModelArray:
    torch.manual_seed(3)
    array = NoiseSubrangeModelArray.untrained(new_spec("test", "paper", PROFILE, MEMBERS))
    for network in array.networks:
        torch.nn.init.normal_(network.tail.weight, std=0.02)  # type: ignore[union-attr, arg-type]
    return array.eval()


def capture(a: float, seed: int) -> CalibrationSample:
    rng = np.random.default_rng(seed)
    photo = np.asarray(skimage.data.coffee()[100:228, 100:228] / np.float32(255), np.float32)
    mosaic = isp.unprocess(photo, isp.random_color(rng))[:TILE, :TILE]
    noise = NoiseParameters(a, PROFILE.noise(a / PROFILE.a_linear[0]).b)
    noisy = add_noise(mosaic, noise, rng, low=PROFILE.pedestal, levels=PROFILE.span[0])
    raw, truth = (
        (signal * PROFILE.span[0] + PROFILE.black_level[0]).astype(np.float32)[None, None]
        for signal in (noisy, mosaic)
    )
    return CalibrationSample(raw, noise.a, noise.b, truth)


@pytest.fixture(scope="module")
def array() -> NoiseSubrangeModelArray:
    return make_array()


@pytest.fixture(scope="module")
def calibration(array: NoiseSubrangeModelArray) -> list[list[CalibrationSample]]:
    ends = [subrange(PROFILE.a_range, array.spec.edges, member) for member in range(MEMBERS)]
    return [[capture(a, seed) for seed, a in enumerate(pair)] for pair in ends]


Made = tuple[Exported, Path]


@pytest.fixture(scope="module")
def made_fp16(array: NoiseSubrangeModelArray, tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("fp16")
    return target.export(ExportJob(array, "fp16", "gain", TILE, (), folder, lambda _: None)), folder


@pytest.fixture(scope="module")
def made_int8(
    array: NoiseSubrangeModelArray,
    calibration: list[list[CalibrationSample]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Made:
    folder = tmp_path_factory.mktemp("int8")
    job = ExportJob(array, "int8", "noise-profile", TILE, calibration, folder, lambda _: None)
    return target.export(job, ladder=target.LADDER[:1]), folder


def test_one_callable_holds_the_selection(made_fp16: Made) -> None:
    made, folder = made_fp16
    found = check_structure(folder / made.files[0], conds=MEMBERS - 1)
    assert found["functions"] == ("main",)
    assert found["inputs"]["main"] == {
        "raw": ((1, 1, TILE, TILE), "float32"),
        "gain": ((1,), "float32"),
    }
    assert found["outputs"]["main"] == {"denoised": ((1, 1, TILE, TILE), "float32")}
    assert made.inputs == ("raw", "gain")
    assert made.fixed_shape
    assert made.undelegated == {}
    assert made.notes["delegation"] == "not run"
    assert made.delegated["cond"] == MEMBERS - 1


def test_networks_are_float16_and_dn_are_float32(made_fp16: Made) -> None:
    made, folder = made_fp16
    found = check_structure(folder / made.files[0])
    assert found["conv_precisions"] == {"float16": NETWORK_CONVS * MEMBERS}
    for operator in ("pixel_unshuffle", "pixel_shuffle", "clip", "real_div", "sub"):
        assert set(found["precisions"][operator]) == {"float32"}, operator
    assert "batch_norm" not in found["operators"]
    # In float32 per member: k-sigma's offset, the residual sum, the black level; and b's constant
    # (this profile's other constants are 0, and coremltools drops adding them).
    assert found["precisions"]["add"]["float32"] == 3 * MEMBERS + 1
    assert found["precisions"]["relu"] == {"float16": 19 * MEMBERS}


def test_functions_share_a_file(made_fp16: Made, made_int8: Made) -> None:
    names = ("denoise_0", "denoise_1", "select")
    for made, folder in (made_fp16, made_int8):
        found = check_structure(folder / made.files[1], functions=names, conds=0)
        assert found["functions"] == names
        assert set(found["inputs"]["denoise_0"]) == {"raw", "a", "b"}
    gain = check_structure(made_fp16[1] / made_fp16[0].files[1], functions=names)
    assert gain["outputs"]["select"]["index"] == ((1,), "int32")
    assert set(gain["outputs"]["select"]) == {"a", "b", "index"}
    noise = check_structure(made_int8[1] / made_int8[0].files[1], functions=names)
    assert set(noise["inputs"]["select"]) == {"a"}


def test_int8_has_int8_weights_and_activations(made_fp16: Made, made_int8: Made) -> None:
    made, folder = made_int8
    found = check_structure(folder / made.files[0], conds=MEMBERS - 1)
    assert made.inputs == ("raw", "a", "b")
    # One pair before each convolution; gamma's and beta's share one, as do the trunks of a level.
    pairs = found["operators"]["quantize"]
    # The pool is one module, called twice.
    inside = (NETWORK_CONVS - 1) * MEMBERS - len(made.float_islands)
    assert 0.7 * inside < pairs <= inside
    assert found["operators"]["dequantize"] == pairs
    assert found["operators"]["constexpr_affine_dequantize"] >= 40 * MEMBERS
    assert "0.head" in made.float_islands
    assert made.notes["activations"].startswith("int8")
    half = check_structure(made_fp16[1] / made_fp16[0].files[0])
    # Two bytes a weight, of which group widening makes about 1.8 of each; then one byte.
    assert half["weight_bytes"] < MEMBERS * 200_000
    assert found["weight_bytes"] < 0.65 * half["weight_bytes"]


def test_missing_structure_is_an_error(made_fp16: Made, tmp_path: Path) -> None:
    path = made_fp16[1] / made_fp16[0].files[0]
    with pytest.raises(ExportError, match="1 cond operators instead of 2"):
        check_structure(path, conds=2)
    with pytest.raises(ExportError, match="denoise_7 is missing"):
        check_structure(path, functions=("main", "denoise_7"))
    broken = tmp_path / "broken.mlpackage"
    shutil.copytree(path, broken)
    for file in broken.rglob("*.mlmodel"):
        file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(ExportError, match=r"broken\.mlpackage"):
        check_structure(broken)


def test_export_refuses_what_it_cannot_do(array: NoiseSubrangeModelArray, tmp_path: Path) -> None:
    def job(precision: Any, tile: int) -> ExportJob:
        return ExportJob(array, precision, "gain", tile, (), tmp_path, lambda _: None)

    with pytest.raises(ExportError, match="fp16, int8"):
        target.export(job("fp32", TILE))
    with pytest.raises(ExportError, match="multiples"):
        target.export(job("fp16", 60))
    with pytest.raises(ExportError, match="calibration"):
        target.export(job("int8", TILE))


def test_the_script_that_is_converted_equals_eager(array: NoiseSubrangeModelArray) -> None:
    """What can be run of it: the TorchScript that the converter receives."""
    reference = RawDenoiser(array).eval()
    members = [fold(m, target.PLAN) for m in reference.members]
    traced = trace(members, (TILE, TILE))
    program = selected_program(traced, array.spec.edges, PROFILE)
    chooser = select_program(PROFILE, array.spec.edges)
    edge = np.float32(array.spec.edges[0])
    gains = [
        1.0,
        64.0,
        *(float(edge / np.float32(PROFILE.a_linear[0])) * f for f in (0.999, 1.001)),
    ]
    raw = torch.from_numpy(capture(1e-3, 4).raw)
    for gain in gains:
        given = torch.tensor([gain])
        with torch.no_grad():
            assert (program(raw, given) - reference(raw, given)).abs().max() < 1e-2
            a, b, member = chooser(given)
        expected = reference.selector(given)
        assert torch.equal(a, expected[0]) and torch.equal(b, expected[1])
        assert int(member) == int(expected[2]) == select(a.numpy()[0], array.spec.edges)


def test_int8_activations_stay_near_float(
    array: NoiseSubrangeModelArray, calibration: list[list[CalibrationSample]]
) -> None:
    reference = RawDenoiser(array).eval()
    member = fold(reference.members[1], target.PLAN)
    made = quantize_member(member, calibration[1], target.LADDER[:1])
    sample = capture(calibration[1][0].a * 2, 77)
    inputs = [torch.as_tensor(x) for x in (sample.raw, [sample.a], [sample.b])]
    with torch.no_grad():
        outputs = [module(*inputs).numpy() for module in (reference.members[1], made.member)]
    assert psnr(outputs[1], outputs[0], data_range=PROFILE.span[0]) > 40
