"""ST-LPIPS: its structure with random weights in the released file's layout, and what is refused.

The released weights are nobody's to ship; what the distance is worth with them is not tested here.
"""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from skimage.data import chelsea
from torch import Tensor, nn

from fa_mobile.errors import UserError
from fa_mobile.evaluation.measures import View
from fa_mobile.evaluation.stlpips import (
    LEAST_SIDE,
    SHAPES,
    StLpips,
    distance,
    features,
    load_weights,
)
from fa_mobile.nsma import sha256_file
from fa_mobile.sensor import SensorProfile
from fa_mobile.simulation import simulate


def random_weights() -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(4)
    weights = {name: torch.randn(shape, generator=generator) for name, shape in SHAPES.items()}
    row = torch.tensor([1.0, 2.0, 1.0])
    for name, tensor in weights.items():
        if name.endswith("filt"):
            weights[name] = (torch.outer(row, row) / 16).expand_as(tensor).contiguous()
        elif name.startswith("lin"):
            weights[name] = tensor.abs() / 100
        elif tensor.dim() == 4 and name.startswith("net"):
            weights[name] = tensor * (2 / tensor[0].numel()) ** 0.5
    weights["scaling_layer.scale"] = torch.tensor([0.458, 0.448, 0.45]).view(1, 3, 1, 1)
    return weights


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("weights") / "random.pth"
    torch.save(random_weights(), file)
    return file


@pytest.fixture(scope="module")
def images() -> tuple[np.ndarray, np.ndarray]:
    clean = chelsea()[60:130, 100:180].astype(np.float32) / 255
    noise = np.random.default_rng(0).normal(0, 0.05, clean.shape)
    return clean, np.clip(clean + noise, 0, 1).astype(np.float32)


class Halve(nn.Module):
    """Mirrored by 2, blurred, every second row and column: written the slow way."""

    def forward(self, x: Tensor) -> Tensor:
        rows = torch.cat([x[:, :, [2, 1]], x, x[:, :, [-2, -3]]], dim=2)
        full = torch.cat([rows[..., [2, 1]], rows, rows[..., [-2, -3]]], dim=3)
        down = full[:, :, :-2] + 2 * full[:, :, 1:-1] + full[:, :, 2:]
        return ((down[..., :-2] + 2 * down[..., 1:-1] + down[..., 2:]) / 16)[:, :, ::2, ::2]


def by_modules(image: np.ndarray, weights: dict[str, Tensor]) -> list[Tensor]:
    """Features from layers numbered as the released file numbers them."""
    layers: list[nn.Module] = [
        nn.Conv2d(3, 64, 11, padding=2), Halve(), nn.ReLU(),
        nn.MaxPool2d(3, 1), Halve(), nn.Conv2d(64, 192, 5, padding=2), nn.ReLU(),
        nn.MaxPool2d(3, 1), Halve(), nn.Conv2d(192, 384, 3, padding=1), nn.ReLU(),
        nn.Conv2d(384, 256, 3, padding=1), nn.ReLU(),
        nn.Conv2d(256, 256, 3, padding=1), nn.ReLU(),
    ]  # fmt: skip
    for name, tensor in weights.items():
        if name.startswith("net") and not name.endswith("filt"):
            _, _, index, which = name.split(".")
            getattr(layers[int(index)], which).data = tensor
    x = torch.from_numpy(image.transpose(2, 0, 1))[None] * 2 - 1
    x = (x - weights["scaling_layer.shift"]) / weights["scaling_layer.scale"]
    found = []
    with torch.no_grad():
        for index, layer in enumerate(layers):
            x = layer(x)
            if index in (2, 6, 10, 12, 14):
                found.append(x / (x.norm(dim=1, keepdim=True) + 1e-10))
    return found


def test_structure(path: Path, images: tuple[np.ndarray, np.ndarray]) -> None:
    weights = load_weights(path)
    ours = [features(image, weights) for image in images]
    theirs = [by_modules(image, weights) for image in images]
    assert [level.shape[1] for level in ours[0]] == [64, 192, 384, 256, 256]
    for mine, other in zip(ours[0], theirs[0], strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-5)
    expected = sum(
        float((((a - b) ** 2) * weights[f"lin{k}.model.1.weight"]).sum(dim=1).mean())
        for k, (a, b) in enumerate(zip(*theirs, strict=True))
    )
    assert expected > 0
    assert distance(ours[0], ours[1], weights) == pytest.approx(expected, rel=1e-4)


def test_distance_of_equal_and_unequal(path: Path, images: tuple[np.ndarray, np.ndarray]) -> None:
    weights = load_weights(path)
    clean, noisy = images
    worse = np.clip(clean + 3 * (noisy - clean), 0, 1)
    a, b, c = (features(image, weights) for image in (clean, noisy, worse))
    assert distance(a, a, weights) == 0
    assert distance(a, b, weights) == pytest.approx(distance(b, a, weights))
    assert 0 < distance(a, b, weights) < distance(a, c, weights)


def test_as_a_measure(path: Path, profile: SensorProfile) -> None:
    metric = StLpips(path)
    assert metric.to_dict() == {"name": "ST-LPIPS", "weights_sha256": sha256_file(path)}
    weights = load_weights(path)
    score = metric.measure.score
    for top in (20, 120):  # the truth of one photo must not serve the next
        made = simulate(chelsea()[top : top + 48, 60:108], profile, 16, seed=1)
        truth, noisy = (
            View(m, profile) for m in (made.truth, made.noisy.mosaic.astype(np.float32))
        )
        expected = distance(features(noisy.rgb, weights), features(truth.rgb, weights), weights)
        assert score(noisy, truth) == score(noisy, truth) == expected > 0
        assert score(truth, truth) == 0


def test_images(path: Path) -> None:
    weights = load_weights(path)
    features(np.zeros((LEAST_SIDE, LEAST_SIDE, 3), np.float32), weights)
    for shape in ((31, 40, 3), (40, 40), (40, 40, 4)):
        with pytest.raises(ValueError, match=r"\[H, W, 3\].*32"):
            features(np.zeros(shape, np.float32), weights)


class Trap:
    def __reduce__(self) -> tuple[object, ...]:
        return (pytest.fail, ("a pickle was loaded",))


def test_refused_files(path: Path, tmp_path: Path) -> None:
    def refused(name: str, *parts: str) -> None:
        with pytest.raises(UserError) as caught:
            load_weights(tmp_path / name)
        for part in (name, *parts, "alex_shift_tolerant.pth"):
            assert part in str(caught.value)
        assert "\n" not in str(caught.value)

    refused("missing.pth", "cannot be read")
    for index, content in enumerate((b"", b"no weights", b"\x80\x02", bytes(range(256)))):
        (tmp_path / f"odd{index}.pth").write_bytes(content)
        refused(f"odd{index}.pth", "cannot be read")
    (tmp_path / "cut.pth").write_bytes(path.read_bytes()[:5000])
    refused("cut.pth", "cannot be read")
    (tmp_path / "trap.pth").write_bytes(pickle.dumps(Trap()))
    refused("trap.pth", "cannot be read")

    weights = random_weights()
    torch.save([1, 2], tmp_path / "list.pth")
    refused("list.pth", "other names")
    torch.save(dict(list(weights.items())[1:]), tmp_path / "few.pth")
    refused("few.pth", "other names")
    torch.save(weights | {"lin0.model.1.weight": torch.zeros(1, 3, 1, 1)}, tmp_path / "shape.pth")
    refused("shape.pth", "lin0.model.1.weight is [1, 3, 1, 1], not [1, 64, 1, 1]")
    torch.save(weights | {"net.slice1.0.bias": torch.full((64,), torch.nan)}, tmp_path / "nan.pth")
    refused("nan.pth", "net.slice1.0.bias", "finite")
    torch.save(weights | {"net.slice1.0.bias": "text"}, tmp_path / "text.pth")
    refused("text.pth", "net.slice1.0.bias is str")
