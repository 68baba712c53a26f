"""The network with int8's rounding: the same weights, small errors, gradients through it."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from fa_mobile.networks import MobileNet
from fa_mobile.training.rounding import ActivationRanges, rounded_twin
from tests.conftest import visible_array


@pytest.fixture(params=["mobile", "paper"])
def network(request: pytest.FixtureRequest) -> nn.Module:
    return visible_array(1, request.param).networks[0].train()


def features() -> torch.Tensor:
    return torch.rand(2, 4, 32, 32, generator=torch.Generator().manual_seed(3)) * 4


def test_twin_shares_every_parameter_by_name(network: nn.Module) -> None:
    twin = rounded_twin(network, features())
    named, shared = dict(network.named_parameters()), dict(twin.named_parameters())
    assert named.keys() == shared.keys()
    assert all(named[name] is shared[name] for name in named)


def test_rounding_is_small_but_there(network: nn.Module) -> None:
    x = features()
    twin = rounded_twin(network, x)
    ActivationRanges(twin).measure([x])
    with torch.no_grad():
        expected, rounded = network(x), twin(x)
    error = float((rounded - expected).std() / expected.std())
    assert 1e-4 < error < 0.2


def test_ranges_follow_the_weights(network: nn.Module) -> None:
    x = features()
    twin = rounded_twin(network, x)
    ranges = ActivationRanges(twin)
    ranges.measure([x])
    with torch.no_grad():
        # The last layer's results leave their old range: without a new one they are cut off.
        tail = [m for m in network.modules() if isinstance(m, nn.Conv2d)][-1]
        tail.weight.mul_(8)
        expected, cut = network(x), twin(x)
        ranges.measure([x])
        fitting = twin(x)
    assert (cut - expected).abs().max() > 2 * (fitting - expected).abs().max()


def test_searched_ranges_keep_their_factors(network: nn.Module) -> None:
    """A search moves what the cost asks for; measuring anew keeps what it found."""
    x = features()
    twin = rounded_twin(network, x)
    ranges = ActivationRanges(twin)
    ranges.measure([x])
    # It falls for as long as the residual is cut to less.
    ranges.search(lambda: float(twin(x).abs().max()))
    assert min(ranges.factors) < 0.7
    with torch.no_grad():
        found = twin(x)
        ranges.measure([x])
        torch.testing.assert_close(twin(x), found, atol=0.02 * float(found.std()), rtol=0)


def test_factors_of_other_ranges_are_refused() -> None:
    twin = rounded_twin(visible_array(1, "mobile").networks[0].train(), features())
    ranges = ActivationRanges(twin)
    ranges.restore([0.5] * len(ranges.factors))
    with pytest.raises(ValueError, match="3 range factors"):
        ranges.restore([1.0] * 3)


def test_gradients_reach_every_weight(network: nn.Module) -> None:
    x = features()
    twin = rounded_twin(network, x)
    ActivationRanges(twin).measure([x])
    twin(x).square().mean().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().max() > 0, name


def test_what_goes_straight_to_the_residual_is_not_rounded() -> None:
    """With gamma at zero only beta and the tail's bias are left: exact, but for that constant."""
    network = visible_array(1, "mobile").networks[0]
    assert isinstance(network, MobileNet)
    gamma = network.trunk.align0.gamma
    with torch.no_grad():
        gamma.weight.zero_()
        gamma.bias.zero_()  # type: ignore[union-attr]
    x = features()
    twin = rounded_twin(network, x)
    ActivationRanges(twin).measure([x])
    with torch.no_grad():
        expected, rounded = network(x), twin(x)
    assert expected.std() > 0.01
    off = (rounded - expected).unflatten(2, (-1, 2)).unflatten(4, (-1, 2))
    assert off.std(dim=(0, 2, 4)).max() < 1e-6 * expected.abs().max()
