"""The ISP that gradients pass through is the NumPy one, step by step."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import torch

from fa_mobile import isp
from fa_mobile.bayer import pack
from fa_mobile.training.display import DARKEST, demosaic, gamma_compression, to_display

Array = npt.NDArray[np.float32]
INSIDE = (slice(1, -1), slice(1, -1))
"""OpenCV repeats the pixels next to the border there, instead of mirroring the mosaic."""


def exact_mosaic(rng: np.random.Generator, height: int, width: int, contrast: float) -> Array:
    """Values whose means of two and of four are whole 16-bit codes: OpenCV then rounds nothing."""
    gray = rng.uniform(0.3, 0.7, (height, width)) + rng.uniform(
        -contrast, contrast, (height, width)
    )
    return np.asarray(4 * np.round(gray * 65535 / 4) / 65535, np.float32)


def planes(mosaic: Array) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(pack(mosaic)))[None]


def test_demosaicing_is_that_of_the_numpy_isp() -> None:
    mosaic = exact_mosaic(np.random.default_rng(0), 20, 26, 0.3)
    expected = isp.demosaic_bilinear(mosaic)[INSIDE]
    found = demosaic(planes(mosaic))[0].permute(1, 2, 0).numpy()
    assert found.shape == (20, 26, 3)
    assert np.abs(found[INSIDE] - expected).max() < 1e-6


def test_demosaicing_keeps_flat_colours_up_to_the_border() -> None:
    flat = torch.tensor([0.2, 0.4, 0.4, 0.8]).view(1, 4, 1, 1).expand(1, 4, 3, 2)
    expected = torch.tensor([0.2, 0.4, 0.8]).view(1, 3, 1, 1).expand(1, 3, 6, 4)
    torch.testing.assert_close(demosaic(flat), expected)


@pytest.mark.parametrize("seed", range(4))
def test_rendering_is_that_of_the_numpy_isp(seed: int) -> None:
    rng = np.random.default_rng(seed)
    color = isp.random_color(rng)
    balanced = exact_mosaic(rng, 32, 24, 0.05)
    gains = np.array([color.red_gain, 1, 1, color.blue_gain], np.float32) * color.brightness
    mosaic = balanced / np.tile(gains.reshape(2, 2), (16, 12)).astype(np.float32)
    expected = isp.render(mosaic, color, tone=False)
    found = to_display(
        planes(mosaic),
        torch.tensor(gains, dtype=torch.float32).view(1, 4, 1, 1),
        torch.tensor(np.linalg.inv(color.rgb_to_camera), dtype=torch.float32)[None],
    )
    assert np.abs(found[0].permute(1, 2, 0).numpy()[INSIDE] - expected[INSIDE]).max() < 1e-5
    assert expected.std() > 0.02  # it is a picture


def test_each_patch_has_its_own_colour() -> None:
    flat = torch.full((2, 4, 2, 2), 0.25)
    gains = torch.tensor([[1.0, 1, 1, 1], [2.0, 1, 1, 1]]).view(2, 4, 1, 1)
    swap = torch.tensor([[0.0, 1, 0], [1, 0, 0], [0, 0, 1]])
    shown = to_display(flat, gains, torch.stack([torch.eye(3), swap]))
    levels = (shown[:, :, 0, 0] ** 2.2).flatten().tolist()
    assert levels == pytest.approx([0.25, 0.25, 0.25, 0.25, 0.5, 0.25], rel=1e-5)


def test_gradients_are_finite_everywhere() -> None:
    values = [-1.0, -1e-9, 0.0, 1e-12, 1e-9, DARKEST, 2e-8, 1e-4, 0.5, 1.0, 1.5, 1e6]
    linear = torch.tensor(values, requires_grad=True)
    gamma_compression(linear).sum().backward()  # type: ignore[no-untyped-call]
    assert linear.grad is not None and torch.isfinite(linear.grad).all()
    assert linear.grad.max() < 1.1e4 and (linear.grad[:3] == 0).all()
    signal = torch.tensor(values).view(1, 4, 1, 3).repeat(1, 1, 3, 1).requires_grad_()
    to_display(signal, torch.ones(1, 4, 1, 1), 2 * torch.eye(3)[None] - 1 / 3).sum().backward()  # type: ignore[no-untyped-call]
    assert signal.grad is not None and torch.isfinite(signal.grad).all()
    assert (signal.grad != 0).any()


def test_gradients_are_those_of_the_picture() -> None:
    rng = np.random.default_rng(3)
    signal = torch.tensor(rng.uniform(0.2, 0.4, (1, 4, 2, 2)), requires_grad=True)
    gains = torch.tensor([1.5, 1, 1, 1.25], dtype=torch.float64).view(1, 4, 1, 1)
    matrix = torch.tensor([[[1.2, -0.1, -0.1], [-0.1, 1.2, -0.1], [-0.1, -0.1, 1.2]]])
    assert torch.autograd.gradcheck(
        lambda x: to_display(x, gains, matrix.double()), (signal,), atol=1e-6
    )
