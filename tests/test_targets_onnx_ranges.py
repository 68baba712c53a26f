"""ONNX's ranges, set in place: as if the pairs had been inserted with them."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from fa_mobile.denoiser import RawDenoiser
from fa_mobile.folding import fold
from fa_mobile.ranges import Seen, best_start
from fa_mobile.targets import onnx as target
from fa_mobile.targets.base import CalibrationSample
from fa_mobile.targets.onnx_member import feeds, load, member_model, network_nodes
from fa_mobile.targets.onnx_ranges import activation_ranges, insert_qdq, observe
from tests.conftest import visible_array
from tests.export_jobs import calibration

ARRAY = visible_array(1, "mobile")


@pytest.fixture(scope="module")
def samples() -> list[CalibrationSample]:
    return list(calibration(ARRAY)[0][:3])


@pytest.fixture(scope="module")
def graph() -> onnx.ModelProto:
    denoiser = RawDenoiser(ARRAY).eval()
    model = member_model(fold(denoiser.members[0], target.PLANS["int8"]), denoiser.stride)
    return onnx.shape_inference.infer_shapes(model)


def run(model: onnx.ModelProto, sample: CalibrationSample) -> np.ndarray:
    return np.asarray(load(model).run(None, feeds(sample))[0])


@pytest.fixture(scope="module")
def seen(graph: onnx.ModelProto, samples: list[CalibrationSample]) -> dict[str, Seen]:
    return observe(graph, list(network_nodes(graph)), samples)


def quantized(
    graph: onnx.ModelProto, seen: dict[str, Seen], percentile: float = 100.0
) -> onnx.ModelProto:
    return insert_qdq(graph, list(network_nodes(graph)), seen, percentile)


def test_ranges_set_in_place_are_those_inserted(
    graph: onnx.ModelProto, seen: dict[str, Seen], samples: list[CalibrationSample]
) -> None:
    wide, narrow = quantized(graph, seen), quantized(graph, seen, 97.0)
    expected = run(narrow, samples[0])
    before = np.abs(run(wide, samples[0]) - expected)
    ranges = activation_ranges(wide)
    for name, each in ranges.items():
        each.ends = seen[name].ends(97.0)
    after = np.abs(run(wide, samples[0]) - expected)
    # Scales in float64 here and float32 there: a value on the edge of a step may round apart.
    assert before.mean() > 20 * after.mean()
    for name, each in activation_ranges(narrow).items():
        assert ranges[name].ends == pytest.approx(each.ends, rel=1e-5)


def test_reading_and_setting_changes_nothing(
    graph: onnx.ModelProto, seen: dict[str, Seen], samples: list[CalibrationSample]
) -> None:
    model = quantized(graph, seen, 99.9)
    before = run(model, samples[0])
    for each in activation_ranges(model).values():
        each.ends = each.ends
    np.testing.assert_allclose(run(model, samples[0]), before, atol=1e-3)


def test_the_best_start_is_near_float(
    graph: onnx.ModelProto, seen: dict[str, Seen], samples: list[CalibrationSample]
) -> None:
    model = quantized(graph, seen)
    ranges = activation_ranges(model)
    floats = run(graph, samples[0])

    def error() -> float:
        return float(np.abs(run(model, samples[0]) - floats).mean())

    percentile, least = best_start(list(ranges.values()), [seen[name] for name in ranges], error)
    assert error() == pytest.approx(least), "the ranges are not those of the best start"
    moved = float(np.abs(floats - samples[0].raw).mean())
    assert least < 0.2 * moved, f"percentile {percentile}: int8 is off by {least} of {moved} DN"
