"""The ONNX target against the eager reference, in onnxruntime."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import pytest
import skimage.data
import torch

from fa_mobile import isp
from fa_mobile.denoiser import RawDenoiser
from fa_mobile.errors import UserError
from fa_mobile.folding import fold
from fa_mobile.metrics import psnr
from fa_mobile.noise import NoiseParameters, add_noise
from fa_mobile.nsma import NoiseSubrangeModelArray, new_spec, subrange
from fa_mobile.runtimes.onnx import OnnxModel
from fa_mobile.selection import select
from fa_mobile.sensor import load_profile
from fa_mobile.targets import onnx as target
from fa_mobile.targets import onnx_quantize
from fa_mobile.targets.base import (
    CalibrationSample,
    Exported,
    ExportError,
    ExportJob,
    Precision,
    SelectorKind,
)
from fa_mobile.targets.islands import added_loss, psnr_loss
from fa_mobile.targets.onnx_compose import branches
from fa_mobile.targets.onnx_equalize import equalize
from fa_mobile.targets.onnx_member import feeds, load, member_model, module_path, network_nodes
from fa_mobile.targets.onnx_quantize import quantize
from tests.conftest import visible_array

MEMBERS = 2
PROFILE = load_profile("imx258")
FP32_DN = 1e-2
"""Largest difference from eager PyTorch, in DN."""
INT8_DB = 38.0
"""Least PSNR of int8 against float, of random networks (trained ones: see the report)."""

Mosaic = npt.NDArray[np.float32]


def make_array(members: int = MEMBERS) -> NoiseSubrangeModelArray:
    """An untrained array whose members give visible residuals, each its own."""
    torch.manual_seed(3)
    array = NoiseSubrangeModelArray.untrained(new_spec("test", "paper", PROFILE, members))
    for network in array.networks:
        torch.nn.init.normal_(network.tail.weight, std=0.02)  # type: ignore[union-attr, arg-type]
        torch.nn.init.normal_(network.tail.bias, std=0.02)  # type: ignore[union-attr, arg-type]
    return array.eval()


def capture(photo: Mosaic, a: float, size: tuple[int, int], seed: int) -> CalibrationSample:
    """A simulated noisy capture [1, 1, *size] in DN."""
    rng = np.random.default_rng(seed)
    mosaic = isp.unprocess(photo, isp.random_color(rng))[: size[0], : size[1]]
    noise = NoiseParameters(a, PROFILE.noise(a / PROFILE.a_linear[0]).b)
    span = PROFILE.span[0]
    noisy = add_noise(mosaic, noise, rng, low=PROFILE.pedestal, levels=span)
    raw, truth = (
        (signal * span + PROFILE.black_level[0]).astype(np.float32)[None, None]
        for signal in (noisy, mosaic)
    )
    return CalibrationSample(raw, noise.a, noise.b, truth)


@pytest.fixture(scope="module")
def photo() -> Mosaic:
    return np.asarray(skimage.data.coffee()[100:300, 100:300] / np.float32(255), np.float32)


@pytest.fixture(scope="module")
def array() -> NoiseSubrangeModelArray:
    return make_array()


@pytest.fixture(scope="module")
def reference(array: NoiseSubrangeModelArray) -> RawDenoiser:
    return RawDenoiser(array).eval()


@pytest.fixture(scope="module")
def calibration(photo: Mosaic) -> list[list[CalibrationSample]]:
    spec = make_array().spec
    found = []
    for member in range(MEMBERS):
        low, high = subrange(PROFILE.a_range, spec.edges, member)
        found.append(
            [
                capture(photo, a, (128, 128), seed)
                for seed, a in enumerate(np.geomspace(low, high, 4))
            ]
        )
    return found


Made = tuple[Exported, OnnxModel]
Exporter = Callable[[Precision, SelectorKind], Made]


@pytest.fixture(scope="module")
def exporter(
    array: NoiseSubrangeModelArray,
    calibration: list[list[CalibrationSample]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Exporter:
    def make(precision: Precision, selector: SelectorKind) -> Made:
        folder = tmp_path_factory.mktemp(precision)
        job = ExportJob(array, precision, selector, 128, calibration, folder, lambda _: None)
        made = target.export(job, ladder=target.LADDER[1:2])
        return made, OnnxModel(folder / made.files[0], threads=1)

    return make


@pytest.fixture(scope="module")
def fp32(exporter: Exporter) -> Made:
    return exporter("fp32", "gain")


@pytest.fixture(scope="module")
def int8(exporter: Exporter) -> Made:
    return exporter("int8", "gain")


@pytest.fixture(scope="module")
def by_noise(exporter: Exporter) -> Made:
    return exporter("fp32", "noise-profile")


def edge_gains() -> list[np.float32]:
    """The gain at which a reaches the first edge in float32, and its neighbours."""
    edge = new_spec("x", "paper", PROFILE, MEMBERS).edges[0]
    gain = np.float32(edge / PROFILE.a_linear[0])
    while PROFILE.a_float32(float(gain)) < np.float32(edge):
        gain = np.nextafter(gain, np.float32(np.inf))
    while PROFILE.a_float32(float(np.nextafter(gain, np.float32(0)))) >= np.float32(edge):
        gain = np.nextafter(gain, np.float32(0))
    return [np.nextafter(gain, np.float32(0)), gain, np.nextafter(gain, np.float32(np.inf))]


def eager(reference: RawDenoiser, raw: Mosaic, gain: np.float32 | float) -> Mosaic:
    with torch.no_grad():
        out: Mosaic = reference(torch.from_numpy(raw), torch.tensor([float(gain)])).numpy()
    return out


@pytest.mark.parametrize("gain", [1.0, 2.5, 16.0, 64.0])
@pytest.mark.parametrize("size", [(64, 96), (136, 72)])
def test_fp32_equals_eager(
    fp32: Made, reference: RawDenoiser, photo: Mosaic, gain: float, size: tuple[int, int]
) -> None:
    raw = capture(photo, PROFILE.noise(gain).a, size, 9).raw
    expected = eager(reference, raw, gain)
    out = fp32[1].run(raw, np.array([gain], np.float32))
    assert out.dtype == np.float32
    assert np.abs(expected - np.clip(raw, PROFILE.black_level[0], None)).max() > 1
    assert np.abs(out - expected).max() < FP32_DN


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_decisions_at_the_edge_are_the_references(
    precision: str, request: pytest.FixtureRequest, reference: RawDenoiser, photo: Mosaic
) -> None:
    """The output tells which member ran: it is closer to that member's than to the other's."""
    model: OnnxModel = request.getfixturevalue(precision)[1]
    raw = capture(photo, PROFILE.noise(8.0).a, (64, 64), 11).raw
    chosen = []
    for gain in edge_gains():
        out = model.run(raw, np.array([gain], np.float32))
        a, b, index = reference.selector(torch.tensor([float(gain)]))
        with torch.no_grad():
            each = [m(torch.from_numpy(raw), a, b).numpy() for m in reference.members]
        errors = [float(np.abs(out - expected).mean()) for expected in each]
        chosen.append(int(np.argmin(errors)))
        assert chosen[-1] == int(index) == select(a.numpy()[0], reference.spec.edges)
    assert chosen == [0, 1, 1]


@pytest.mark.parametrize("gain", [1.0, 4.0, 16.0, 64.0])
def test_int8_is_close_to_float(
    int8: Made, reference: RawDenoiser, photo: Mosaic, gain: float
) -> None:
    raw = capture(photo, PROFILE.noise(gain).a, (128, 160), 21).raw
    out = int8[1].run(raw, np.array([gain], np.float32))
    expected = eager(reference, raw, gain)
    assert psnr(out, expected, data_range=PROFILE.span[0]) > INT8_DB


def test_int8_runs_in_integers_inside_the_branches(int8: Made) -> None:
    made = int8[0]
    assert made.delegated["QLinearConv"] >= 30 * MEMBERS
    assert "QLinearConv" not in made.undelegated
    assert made.undelegated["If"] == MEMBERS - 1
    assert "0.head" in made.float_islands and "0.middle.blocks.0.reduce" not in made.float_islands
    assert made.notes["weights"].startswith("int8")


def test_int8_quantizes_nothing_outside_the_network(int8: Made) -> None:
    graph = onnx.load(str(int8[1].path)).graph
    for member in branches(graph):
        producers = {node.output[0]: node for node in member.node}
        clip = next(n for n in member.node if n.output[0] == member.output[0].name)
        assert clip.op_type == "Clip"
        assert producers[clip.input[0]].op_type == "Add"
        # The signal enters by k-sigma and by that sum, in float both times.
        assert {n.op_type for n in member.node if "raw" in n.input} == {"Mul", "Add"}


def test_file_is_clean_and_described(fp32: Made, int8: Made) -> None:
    for made, model in (fp32, int8):
        assert made.files == ("model.onnx",)
        assert made.inputs == model.inputs == ("raw", "gain")
        assert not made.fixed_shape
        proto = onnx.load(str(model.path))
        assert proto.ir_version <= 10
        sides = [
            d.dim_param or d.dim_value for d in proto.graph.input[0].type.tensor_type.shape.dim
        ]
        assert sides == [1, 1, "H", "W"]
        assert b"/fa_mobile/" not in model.path.read_bytes()
        names = [n.name for g in branches(proto.graph) for n in g.node]
        assert len(set(names)) == len(names)


def test_noise_profile_selector(by_noise: Made, reference: RawDenoiser, photo: Mosaic) -> None:
    made, model = by_noise
    assert made.inputs == model.inputs == ("raw", "a", "b")
    for gain in (1.0, 64.0):
        sample = capture(photo, PROFILE.noise(gain).a, (72, 64), 5)
        a, b = np.array([sample.a], np.float32), np.array([sample.b], np.float32)
        with torch.no_grad():
            expected = reference.denoise_with_profile(
                *(torch.from_numpy(item) for item in (sample.raw, a, b))
            ).numpy()
        assert np.abs(model.run(sample.raw, a, b) - expected).max() < FP32_DN


def test_equalization_keeps_the_function(
    reference: RawDenoiser, calibration: list[list[CalibrationSample]]
) -> None:
    member = fold(reference.members[0], target.PLANS["int8"])
    model = member_model(member, reference.stride)
    equal = equalize(model, calibration[0])
    weights = [{i.name: i for i in m.graph.initializer} for m in (model, equal)]
    assert weights[0].keys() != weights[1].keys()
    sample = calibration[0][0]
    before, after = (load(m).run(None, feeds(sample))[0] for m in (model, equal))
    assert np.abs(before - after).max() < FP32_DN


def test_equalization_takes_packing_inside_the_network(
    calibration: list[list[CalibrationSample]],
) -> None:
    """Free shapes: the pixel shuffle reads them by tensors that have no channels."""
    member = RawDenoiser(visible_array(1, "mobile")).eval().members[0]
    plan = replace(target.PLANS["int8"], mosaic="planes")
    model = member_model(fold(member, plan), 16)
    sample = calibration[0][0]
    before, after = (
        load(m).run(None, feeds(sample))[0] for m in (model, equalize(model, [sample]))
    )
    assert np.abs(before - sample.raw).mean() > 1, "a void comparison"
    assert np.abs(before - after).max() < FP32_DN


def test_module_paths_tell_the_network_apart(reference: RawDenoiser) -> None:
    model = member_model(reference.members[0], reference.stride)
    paths = network_nodes(model)
    assert {"head", "pool", "enc0.align", "tail"} <= set(paths.values())
    outside = [n for n in model.graph.node if n.name not in paths]
    assert all(not module_path(node).startswith("network") for node in outside)
    assert "Clip" in {node.op_type for node in outside}


def test_one_member_needs_no_selection(tmp_path: Path, photo: Mosaic) -> None:
    array = make_array(1)
    job = ExportJob(array, "fp32", "gain", 128, (), tmp_path, lambda _: None)
    made = target.export(job)
    raw = capture(photo, PROFILE.noise(4.0).a, (64, 64), 2).raw
    out = OnnxModel(tmp_path / made.files[0]).run(raw, np.array([4.0], np.float32))
    assert np.abs(out - eager(RawDenoiser(array).eval(), raw, 4.0)).max() < FP32_DN


def test_export_refuses_what_it_cannot_do(array: NoiseSubrangeModelArray, tmp_path: Path) -> None:
    half = ExportJob(array, "fp16", "gain", 128, (), tmp_path, lambda _: None)
    with pytest.raises(ExportError, match="fp32, int8"):
        target.export(half)
    bare = ExportJob(array, "int8", "gain", 128, (), tmp_path, lambda _: None)
    with pytest.raises(ExportError, match="calibration"):
        target.export(bare)


def test_runtime_refuses_bad_files_and_inputs(fp32: Made, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not found"):
        OnnxModel(tmp_path / "none.onnx")
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(fp32[1].path.read_bytes()[:5000])
    with pytest.raises(UserError, match="not a readable ONNX model"):
        OnnxModel(broken)
    model = fp32[1]
    raw, gain = np.zeros((1, 1, 64, 64), np.float32), np.array([1], np.float32)
    with pytest.raises(UserError, match="raw, gain"):
        model.run(raw)
    with pytest.raises(UserError, match="shapes"):
        model.run(raw[0], gain)
    with pytest.raises(UserError, match="float32"):
        model.run(raw.astype(np.float64), gain)
    with pytest.raises(UserError, match="60 x 62"):
        model.run(raw[:, :, :60, :62], gain)


def test_runtime_refuses_other_models(tmp_path: Path) -> None:
    node = onnx.helper.make_node("Relu", ["x"], ["y"])
    ends = [onnx.helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, [1]) for n in "xy"]
    graph = onnx.helper.make_graph([node], "other", ends[:1], ends[1:])
    path = tmp_path / "other.onnx"
    opsets = [onnx.helper.make_opsetid("", 18)]
    onnx.save(onnx.helper.make_model(graph, ir_version=10, opset_imports=opsets), str(path))
    with pytest.raises(UserError, match="not a fa-mobile denoiser"):
        OnnxModel(path)


def test_ladder_is_climbed_as_far_as_quality_asks(
    reference: RawDenoiser,
    calibration: list[list[CalibrationSample]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A bound that the first rung keeps leaves it; half of its loss makes the member climb."""
    model = member_model(fold(reference.members[0], target.PLANS["int8"]), reference.stride)
    # A truth that float reaches almost exactly: there every rounding is a loss.
    denoised = load(model)
    exact = [s._replace(truth=denoised.run(None, feeds(s))[0] + 0.3) for s in calibration[0][:2]]
    first = quantize(model, exact, ((),)).loss_db
    assert first > 0
    monkeypatch.setattr(onnx_quantize, "MAX_LOSS_DB", 1.01 * first)
    assert quantize(model, exact).islands == ()
    monkeypatch.setattr(onnx_quantize, "MAX_LOSS_DB", 0.5 * first)
    climbed = quantize(model, exact)
    assert climbed.loss_db <= 0.5 * first
    assert "head" in climbed.islands


def test_psnr_loss_is_the_worst_group() -> None:
    truth = np.zeros((1, 1, 4, 4), np.float32)
    samples = [CalibrationSample(truth, a, 0.0, truth) for a in (1e-4, 1e-3, 1e-2)]
    floats = [np.full_like(truth, 1.0)] * 3
    int8 = [np.full_like(truth, value) for value in (1.0, 2.0, 1.0)]
    assert psnr_loss(samples, floats, int8) == pytest.approx(10 * np.log10(4))


def test_what_int8_adds_counts_even_where_it_is_nearer_to_the_truth() -> None:
    noise = np.random.default_rng(0).normal(0, 1, (1, 1, 16, 16)).astype(np.float32)
    truth = np.zeros_like(noise)
    sample = CalibrationSample(truth, 1e-3, 0.0, truth)
    assert added_loss([sample], [noise], [noise]) == 0
    cancelling, doubling = (noise * factor for factor in (0.5, 1.5))
    assert psnr_loss([sample], [noise], [cancelling]) < 0
    expected = 10 * np.log10(1.25)
    for output in (cancelling, doubling):
        assert added_loss([sample], [noise], [output]) == pytest.approx(expected, rel=1e-4)
