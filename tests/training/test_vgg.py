"""VGG16: which layers it gives, its convention of colours, and which files it refuses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from fa_mobile.errors import UserError
from fa_mobile.training.vgg import Vgg16, load_vgg16, tensor_shapes
from tests.training.vgg_weights import Arrays, random_arrays, write_weights


@pytest.fixture(scope="module")
def arrays() -> Arrays:
    return random_arrays()


def passing(sources: dict[int, int]) -> Vgg16:
    """Convolutions that copy one channel: the first by ``sources``, the others each its own."""
    network = Vgg16()
    with torch.no_grad():
        for name, layer in network.convolutions().items():
            layer.weight.zero_()
            layer.bias.zero_()  # type: ignore[union-attr]
            for out, into in sources.items():
                layer.weight[out, into if name == "conv1_1" else out, 1, 1] = 1
    return network


def test_names_and_shapes_are_those_of_vgg16() -> None:
    shapes = tensor_shapes()
    assert len(shapes) == 20
    assert shapes["conv1_1.weight"] == (64, 3, 3, 3)
    assert shapes["conv3_3.weight"] == (256, 256, 3, 3)
    assert shapes["conv4_1.weight"] == (512, 256, 3, 3) and shapes["conv4_3.bias"] == (512,)
    assert "conv1_3.weight" not in shapes and "conv5_1.weight" not in shapes


def test_input_is_bgr_from_0_to_255_less_the_mean() -> None:
    srgb = torch.tensor([1.0, 0.5, 0.6]).view(1, 3, 1, 1).repeat(1, 1, 8, 8)
    blue, green, red = passing({0: 0, 1: 1, 2: 2})(srgb)[0][0, :3, 4, 4].tolist()
    assert blue == pytest.approx((0.6 * 255 - 103.939) / 255, rel=1e-5)
    assert green == pytest.approx((0.5 * 255 - 116.779) / 255, rel=1e-5)
    assert red == pytest.approx((255 - 123.68) / 255, rel=1e-5)


def test_taps_follow_the_rectifier_and_come_before_pooling() -> None:
    srgb = torch.zeros(1, 3, 16, 16)
    srgb[:, 2, 5, 6] = 1  # one bright blue place; all else is below the mean, and rectified
    taps = passing({0: 0})(srgb)
    assert [list(tap.shape) for tap in taps] == [
        [1, 64, 16, 16], [1, 128, 8, 8], [1, 256, 4, 4], [1, 512, 2, 2],
    ]  # fmt: skip
    for level, tap in enumerate(taps):
        assert torch.nonzero(tap[0, 0]).tolist() == [[5 >> level, 6 >> level]]


def test_file_is_loaded_as_it_is(arrays: Arrays, tmp_path: Path) -> None:
    network = load_vgg16(write_weights(tmp_path / "vgg.npz", arrays))
    assert not network.training
    assert not any(parameter.requires_grad for parameter in network.parameters())
    layer = network.convolutions()["conv3_2"]
    assert np.array_equal(layer.weight.numpy(), arrays["conv3_2.weight"].astype(np.float32))
    assert layer.bias is not None
    assert np.array_equal(layer.bias.numpy(), arrays["conv3_2.bias"].astype(np.float32))


def _less(arrays: Arrays) -> Arrays:
    return {name: value for name, value in arrays.items() if name != "conv2_1.bias"}


def _more(arrays: Arrays) -> Arrays:
    return arrays | {"conv5_1.bias": np.zeros(512, np.float16)}


def _turned(arrays: Arrays) -> Arrays:
    return arrays | {"conv1_1.weight": np.zeros((3, 3, 3, 64), np.float16)}


def _double(arrays: Arrays) -> Arrays:
    return arrays | {"conv1_1.bias": np.zeros(64, np.float64)}


def _nan(arrays: Arrays) -> Arrays:
    return arrays | {"conv1_2.bias": np.full(64, np.nan, np.float16)}


def _pickle(arrays: Arrays) -> Arrays:
    return arrays | {"conv1_2.bias": np.array([print] * 8, object)}


def _huge(arrays: Arrays) -> Arrays:
    return arrays | {"conv1_2.bias": np.zeros(100_000, np.float16)}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_less, r"missing conv2_1\.bias"),
        (_more, r"not expected conv5_1\.bias"),
        (_turned, r"conv1_1\.weight has shape \[3, 3, 3, 64\], not \[64, 3, 3, 3\]"),
        (_double, r"conv1_1\.bias is float64, not float16 or float32"),
        (_nan, r"conv1_2\.bias holds NaN"),
        (_pickle, "allow_pickle=False"),
        (_huge, r"conv1_2\.bias has \d+ bytes, too many"),
    ],
)
def test_other_files_are_refused(
    arrays: Arrays, tmp_path: Path, change: Callable[[Arrays], Arrays], reason: str
) -> None:
    path = write_weights(tmp_path / "vgg.npz", change(arrays))
    with pytest.raises(UserError, match=f"VGG16 weights .*vgg.npz.*{reason}.*allowed is an .npz"):
        load_vgg16(path)


def test_what_is_no_npz_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no such file"):
        load_vgg16(tmp_path / "none.npz")
    (tmp_path / "text.npz").write_text("not a zip")
    with pytest.raises(UserError, match="cannot be read as one"):
        load_vgg16(tmp_path / "text.npz")
    with pytest.raises(UserError, match="cannot be read as one"):
        load_vgg16(tmp_path)
