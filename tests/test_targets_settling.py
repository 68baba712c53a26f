"""int8 with the means of float: a planted shift goes, real int8 comes closer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper
from torch import nn

import fa_mobile
from fa_mobile.denoiser import RawDenoiser
from fa_mobile.folding import FoldPlan, fold
from fa_mobile.folding.mosaic import Mosaic, MosaicMember
from fa_mobile.nsma import load_checkpoint
from fa_mobile.patches import Patches, clean_patches
from fa_mobile.quantization import QuantizedMember, quantize_member
from fa_mobile.targets import executorch_int8, onnx_quantize
from fa_mobile.targets.base import CalibrationSample
from fa_mobile.targets.executorch_member import DelegateMember, export_for_calibration
from fa_mobile.targets.onnx_member import member_model
from fa_mobile.targets.samples import calibration_samples
from fa_mobile.targets.settling import Outputs, can_settle, flat_samples, settle
from tests.conftest import visible_array

ARRAY = load_checkpoint(Path(fa_mobile.__file__).parent / "checkpoints" / "imx258-mobile")
DENOISER = RawDenoiser(ARRAY).eval()
MEMBER = 2
FORMS: tuple[Mosaic, ...] = ("shuffle", "columns", "convolution", "stem")


def folded(form: Mosaic) -> MosaicMember:
    member = fold(DENOISER.members[MEMBER], FoldPlan(group_width=16, mosaic=form))
    assert isinstance(member, MosaicMember)
    return member


@pytest.fixture(scope="module")
def flat() -> list[CalibrationSample]:
    return flat_samples(ARRAY.spec, MEMBER)


@torch.no_grad()
def outputs(member: nn.Module, samples: Sequence[CalibrationSample]) -> Outputs:
    made = []
    for sample in samples:
        noise = torch.tensor([sample.a]), torch.tensor([sample.b])
        made.append(member(torch.from_numpy(sample.raw), *noise).numpy())
    return made


@pytest.mark.parametrize("form", FORMS)
def test_a_planted_shift_is_taken_out_position_by_position(
    form: Mosaic, flat: list[CalibrationSample], patches: Patches
) -> None:
    photos = calibration_samples(patches, ARRAY.spec)[MEMBER]
    member, shifted = folded(form), folded(form)
    planted = (
        0.002
        * torch.linspace(-1, 1, 16)[torch.randperm(16, generator=torch.Generator().manual_seed(1))]
    )
    assert shifted.direct is not None
    with torch.no_grad():
        shifted.direct.bias += planted  # type: ignore[operator]
    every = [*flat, *photos]
    change = settle(member, flat, photos, outputs(member, every), outputs(shifted, every))
    others = calibration_samples(clean_patches(None, count=24)[6:], ARRAY.spec)[MEMBER]
    before = apart(member, shifted, others)
    with torch.no_grad():
        shifted.direct.weight += torch.from_numpy(change.weight)
        shifted.direct.bias += torch.from_numpy(change.bias)  # type: ignore[operator]
    assert apart(member, shifted, others) < before / 8


def apart(one: nn.Module, other: nn.Module, samples: Sequence[CalibrationSample]) -> float:
    """Root mean square of what two members differ by, in DN."""
    pairs = zip(outputs(one, samples), outputs(other, samples), strict=True)
    return float(np.sqrt(np.mean([np.mean((a - b) ** 2) for a, b in pairs])))


def test_planes_and_other_networks_have_no_way_in_float() -> None:
    plan = FoldPlan(group_width=16, mosaic="planes")
    assert not can_settle(fold(DENOISER.members[MEMBER], plan))
    paper = RawDenoiser(visible_array(1)).eval().members[0]
    assert not can_settle(fold(paper, FoldPlan(group_width=16, mosaic="shuffle")))


def test_flats_are_the_member_s_own_and_always_the_same(flat: list[CalibrationSample]) -> None:
    again = flat_samples(ARRAY.spec, MEMBER)
    assert all(np.array_equal(a.raw, b.raw) for a, b in zip(flat, again, strict=True))
    assert min(x.a for x in flat) > max(x.a for x in flat_samples(ARRAY.spec, MEMBER - 1)) * 0.99


def off(floats: Outputs, int8: Outputs, flat: Sequence[CalibrationSample]) -> float:
    """Root mean square over flat colours of the mean's error, in % of the level."""
    black = DENOISER.spec.profile.black_level[0]
    shares = [
        (after - before).mean() / (sample.truth.mean() - black)
        for before, after, sample in zip(floats, int8, flat, strict=True)
    ]
    return 100 * float(np.sqrt(np.mean(np.square(shares))))


def dark(member: int) -> list[CalibrationSample]:
    """Flat colours of 1 to 5 %, not those that int8 is settled by."""
    black, white = DENOISER.spec.profile.black_level[0], DENOISER.spec.profile.white_level
    rng, found = np.random.default_rng(9), []
    for sample in flat_samples(ARRAY.spec, member):
        level = (white - black) * float(rng.uniform(0.01, 0.05))
        truth = np.full((1, 1, 128, 128), black + level, np.float32)
        sigma = np.sqrt(sample.a * level * (white - black) + sample.b * (white - black) ** 2)
        raw = np.round(truth + rng.normal(0, sigma, truth.shape)).astype(np.float32)
        found.append(CalibrationSample(raw, sample.a, sample.b, truth=truth))
    return found


SHIFT = 0.001
"""Planted in the last bias of int8: 2 % of the noise, several times what rounding shifts."""


def test_executorch_s_int8_has_the_means_of_float(
    flat: list[CalibrationSample], patches: Patches, monkeypatch: pytest.MonkeyPatch
) -> None:
    def shifted(*given: Any) -> QuantizedMember:
        made = quantize_member(*given)
        tail = made.module.get_submodule("network.tail")
        tail.bias = nn.Parameter(tail.bias + SHIFT)
        return made

    monkeypatch.setattr(executorch_int8, "SEARCHED", 0)
    monkeypatch.setattr(executorch_int8, "quantize_member", shifted)
    member = folded("columns")
    samples = calibration_samples(patches, ARRAY.spec)[MEMBER]
    program = export_for_calibration(DelegateMember(member).eval(), DENOISER.stride, 3)
    tests = dark(MEMBER)
    inputs = [executorch_int8.member_inputs(sample, member) for sample in tests]
    floats = executorch_int8.outputs_of(program.module(), inputs)
    plan = executorch_int8.QuantizationPlan()
    errors = [
        off(floats, executorch_int8.outputs_of(made.module, inputs), tests)
        for made, _ in (
            executorch_int8.int8_member(program, samples, member, plan, given)
            for given in ((), flat)
        )
    ]
    assert errors[0] > 0.8
    assert errors[1] < errors[0] / 5
    again = executorch_int8.outputs_of(program.module(), inputs[:1])[0]
    np.testing.assert_array_equal(floats[0], again, "float was changed")


def test_onnx_s_int8_has_the_means_of_float(
    flat: list[CalibrationSample], patches: Patches, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert = onnx_quantize.insert_qdq

    def shifted(model: onnx.ModelProto, *given: Any) -> onnx.ModelProto:
        planted = onnx.ModelProto()
        planted.CopyFrom(model)
        (bias,) = (x for x in planted.graph.initializer if x.name.endswith("network.tail.bias"))
        bias.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(bias) + SHIFT, bias.name))
        return insert(planted, *given)

    monkeypatch.setattr(onnx_quantize, "SEARCHED", 0)
    monkeypatch.setattr(onnx_quantize, "insert_qdq", shifted)
    member = folded("stem")
    model = member_model(member, DENOISER.stride)
    samples = calibration_samples(patches, ARRAY.spec)[MEMBER]
    tests = dark(MEMBER)
    floats = onnx_quantize._outputs(model, tests)
    errors = []
    for settling in (None, onnx_quantize.Settling(member, flat)):
        made = onnx_quantize.quantize(model, samples, ((),), settling)
        errors.append(off(floats, onnx_quantize._outputs(made.model, tests), tests))
    assert errors[0] > 0.8
    assert errors[1] < errors[0] / 5
