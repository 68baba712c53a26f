"""Distances between activations: known values of tensors made by hand."""

from __future__ import annotations

import math

import pytest
import torch

from fa_mobile.training.losses import (
    CHARBONNIER_WEIGHT,
    SMALLEST_ERROR,
    cast,
    content_distance,
    gram,
    negative_psnr,
    root_mean_square,
    style_distance,
)

ROWS = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
"""Two channels at two places; their Gram matrix is [[5, 11], [11, 25]] / 4."""


def test_gram_of_a_known_tensor() -> None:
    expected = torch.tensor([[5.0, 11.0], [11.0, 25.0]]) / 4
    torch.testing.assert_close(gram(ROWS.reshape(1, 2, 1, 2)), expected[None])


def test_gram_does_not_depend_on_size_or_place() -> None:
    activations = torch.rand(2, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(gram(activations.repeat(1, 1, 2, 3)), gram(activations))
    torch.testing.assert_close(gram(activations.flip(2, 3)), gram(activations))


def test_content_is_the_mean_over_places_then_over_layers() -> None:
    zero = [torch.zeros(2, 1, 2, 2), torch.zeros(2, 3, 1, 1)]
    given = [torch.zeros(2, 1, 2, 2), torch.full((2, 3, 1, 1), -0.5)]
    given[0][1, 0, 0, 0] = 4.0
    torch.testing.assert_close(content_distance(given, zero), torch.tensor([0.25, 0.75]))


def test_style_is_the_row_sum_of_gram_differences() -> None:
    given = [ROWS.reshape(1, 2, 1, 2), torch.zeros(1, 2, 3, 3)]
    zero = [torch.zeros_like(layer) for layer in given]
    # Row sums (5 + 11) / 4 and (11 + 25) / 4, their mean 6.5; a second layer without difference.
    assert style_distance(given, zero).tolist() == pytest.approx([3.25])


def test_style_forgets_places_and_content_does_not() -> None:
    layer = torch.rand(2, 3, 4, 4, generator=torch.Generator().manual_seed(1))
    assert style_distance([layer.flip(3)], [layer]).max() < 1e-6
    assert content_distance([layer.flip(3)], [layer]).min() > 0.05
    assert content_distance([layer], [layer]).tolist() == [0, 0]


def test_layers_must_pair() -> None:
    with pytest.raises(ValueError):
        content_distance([torch.zeros(1, 1, 1, 1)], [])


def test_negative_psnr_is_that_of_each_patch_then_their_mean() -> None:
    error = torch.full((2, 4, 8, 8), 0.1)
    error[1] = 0.01
    assert negative_psnr(error).item() == pytest.approx(-(20 + 40) / 2, abs=0.03)
    nothing = torch.zeros(1, 4, 8, 8, requires_grad=True)
    loss = negative_psnr(nothing)
    assert loss.item() == pytest.approx(10 * math.log10(SMALLEST_ERROR))
    loss.backward()  # type: ignore[no-untyped-call]
    assert nothing.grad is not None and (nothing.grad == 0).all()  # a perfect patch pulls nowhere


def test_root_mean_square_is_that_of_each_patch_then_their_mean() -> None:
    error = torch.full((2, 4, 8, 8), 0.1)
    error[1, :2] = 0.3
    expected = CHARBONNIER_WEIGHT * (0.1 + math.sqrt((0.01 + 0.09) / 2)) / 2
    assert root_mean_square(error).item() == pytest.approx(expected, rel=1e-3)


def test_cast_is_what_the_mean_of_a_channel_is_off() -> None:
    sigma = torch.full((2, 4, 8, 8), 0.02)
    noise = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    noise -= noise.mean(dim=(2, 3), keepdim=True)
    assert cast(noise, sigma).item() == pytest.approx(1e-3, rel=1e-2)  # the root of c
    off = noise + 0.01 * torch.tensor([1.0, 0, 0, -1]).reshape(1, 4, 1, 1)
    assert cast(off, sigma).item() == pytest.approx((0.5 + 1e-3 + 1e-3 + 0.5) / 4, rel=1e-2)
