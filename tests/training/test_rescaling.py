"""Rescalings tried at random: kept where they cost less, and never another function in float."""

from __future__ import annotations

import copy

import pytest
import torch

from fa_mobile.int8_rescaling import rescale_for_int8
from fa_mobile.networks import MobileNet, build_network
from fa_mobile.nsma import NoiseSubrangeModelArray, one_member
from fa_mobile.patches import clean_patches
from fa_mobile.training.channels import LAST_PRODUCT, evening, rescale
from fa_mobile.training.rescaling import search_rescalings
from tests.training.test_balance import ARRAY
from tests.training.test_channels import features


def member(index: int) -> MobileNet:
    network = copy.deepcopy(ARRAY.networks[index])
    assert isinstance(network, MobileNet)
    return network


def test_what_costs_less_is_kept() -> None:
    network, given = member(1).double(), [batch.double() for batch in features()]
    before, seen = network(given[0]).detach(), []

    def cost(candidate: MobileNet) -> float:
        # Least where the channels before the tail are all of one size.
        seen.append(float(evening(candidate, LAST_PRODUCT, given, 1.0).log().abs().mean()))
        return seen[-1]

    trials = 12
    left = search_rescalings(network, given, cost, trials=trials)
    assert left == min(seen) < 0.8 * seen[0]
    assert len(seen) == 1 + trials
    assert cost(network) == pytest.approx(left)
    assert (network(given[0]) - before).abs().max() < 1e-10


def test_without_gain_nothing_changes() -> None:
    network, costs = member(1), iter([1.0, 1.0, 2.0, 1.5])
    before = copy.deepcopy(network.state_dict())
    counted: list[None] = []
    left = search_rescalings(
        network, features(), lambda _: next(costs), trials=3, progress=lambda: counted.append(None)
    )
    assert left == 1.0 and len(counted) == 3
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


def test_an_array_stays_the_same_function() -> None:
    array = one_member(copy.deepcopy(ARRAY), 2)
    network = array.networks[0]
    assert isinstance(network, MobileNet)
    # Every second channel before the tail a sixteenth: the shipped ones leave little to be gained.
    uneven = torch.tensor([1, 1 / 16]).repeat(network.trunk.tail.in_channels // 2)
    rescale(network.state_dict(), LAST_PRODUCT, uneven)
    given, told = features()[0], []
    before = array.networks[0](given).detach()
    rescale_for_int8(
        array, clean_patches(None, count=6), trials=4, progress=lambda *done: told.append(done)
    )
    after = array.networks[0](given).detach()
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert not torch.equal(after, before)  # rounded otherwise: one of the trials was kept
    assert torch.allclose(after, before, atol=1e-5)


def test_other_networks_are_left_alone() -> None:
    spec = one_member(ARRAY, 0).spec.model_copy(update={"network": "plain"})
    array = NoiseSubrangeModelArray(spec, [build_network("plain")])
    before = copy.deepcopy(array.state_dict())
    rescale_for_int8(array, clean_patches(None, count=3), trials=1)
    assert all(torch.equal(before[name], value) for name, value in array.state_dict().items())
