"""A member's front end fitted to its own levels: the same function, finer channels."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from fa_mobile.networks import MobileNet, build_network
from fa_mobile.training.front import fit_front
from tests.conftest import visible_array


def features(low: float, high: float) -> torch.Tensor:
    """Ramps from ``low`` to ``high``, with a little noise."""
    drawn = torch.rand(2, 4, 32, 32, generator=torch.Generator().manual_seed(3))
    ramp = torch.linspace(0, 1, 32)[None, None, None, :]
    return low + (high - low) * (0.9 * ramp + 0.1 * drawn)


@pytest.fixture
def network() -> MobileNet:
    found = visible_array(1, "mobile").networks[0]
    assert isinstance(found, MobileNet)
    return found


def inside(network: MobileNet, x: torch.Tensor) -> torch.Tensor:
    """Share of each channel's values that the clamp lets through: [24]."""
    with torch.no_grad():
        values = network.front(network.unshuffle(x)).transpose(0, 1).flatten(1)
    return (values.abs() < network.front.LIMIT).float().mean(dim=1)


def test_the_function_stays_and_no_window_stays_shut(network: MobileNet) -> None:
    x = features(0.2, 1.4)  # a member of high gain
    fitted = copy.deepcopy(network)
    fit_front(fitted, [x])
    with torch.no_grad():
        before, after = network(x), fitted(x)
        untouched = copy.deepcopy(network)
        untouched.trunk.stem.weight[:, 12:16] = 0
        without = untouched(x)
    error = (after - before).abs().mean()
    assert error < 0.02 * before.std()
    assert (without - before).abs().mean() > 5 * error, "a void comparison: nobody reads windows"
    assert (inside(network, x)[12:] == 0).sum() == 8
    assert (inside(fitted, x)[12:] > 0.2).all()


def test_windows_lie_side_by_side(network: MobileNet) -> None:
    x = features(0.2, 1.4)
    fit_front(network, [x])
    with torch.no_grad():
        values = network.front.conv(network.unshuffle(x)).transpose(0, 1).flatten(1)
    open_windows = (values[12:].abs() < network.front.LIMIT).float()
    # Each colour's level is within exactly one of its three windows, but at the seams.
    assert open_windows.sum(dim=0).median() == 4


def test_differences_are_stretched_to_the_clamp(network: MobileNet) -> None:
    x = features(0.2, 1.4)
    with torch.no_grad():
        before = network.front(network.unshuffle(x)).abs().amax(dim=(0, 2, 3))[:12]
    fit_front(network, [x])
    with torch.no_grad():
        after = network.front(network.unshuffle(x)).abs().amax(dim=(0, 2, 3))[:12]
    assert (after > 1.9 * before).all() and (after <= network.front.LIMIT).all()


def test_fitting_twice_changes_nothing(network: MobileNet) -> None:
    x = features(0.2, 1.4)
    fit_front(network, [x])
    once = copy.deepcopy(network.state_dict())
    fit_front(network, [x * 1.0])
    twice = network.state_dict()
    windows = once["front.conv.weight"][12:]
    torch.testing.assert_close(twice["front.conv.weight"][12:], windows, rtol=0, atol=0)


def test_the_whole_range_keeps_its_windows(network: MobileNet) -> None:
    before = network.front.conv.weight[12:].clone()
    fit_front(network, [features(0.2, 7.5)])
    torch.testing.assert_close(network.front.conv.weight[12:], before, rtol=0, atol=0)


def test_other_networks_have_no_front() -> None:
    network: nn.Module = build_network("paper")
    before = copy.deepcopy(network.state_dict())
    fit_front(network, [torch.rand(1, 4, 32, 32)])
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
