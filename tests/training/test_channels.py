"""Channels rescaled: nearer in size, and the same function."""

from __future__ import annotations

import copy

import pytest
import torch

from fa_mobile.networks import MobileNet, build_network
from fa_mobile.training.channels import (
    CELLS_STREAM,
    COARSE_STREAMS,
    HIDDEN,
    LAST_PRODUCT,
    Place,
    _sizes,
    even_last_product,
    evening,
    rescale,
)
from fa_mobile.training.state import RunState
from tests.training.test_balance import ARRAY


def features() -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.rand(2, 4, 64, 64, generator=generator) * 1.5 for _ in range(2)]


def spread(network: MobileNet, place: Place, given: list[torch.Tensor]) -> float:
    """Of the sizes of a place's larger half, in logarithms: some channels are never alive."""
    with torch.no_grad():
        sizes = _sizes(network, place, given).sort().values
    return float(sizes[len(sizes) // 2 :].log().std())


def uneven() -> MobileNet:
    """A shipped member, one channel of whose last product is a sixteenth of what it was."""
    network = copy.deepcopy(ARRAY.networks[3])
    assert isinstance(network, MobileNet)
    with torch.no_grad():
        for head in (network.trunk.align0.gamma, network.trunk.align0.beta):
            head.weight[5] /= 16
            head.bias[5] /= 16  # type: ignore[index]
        network.trunk.tail.weight[:, 5] *= 16
    return network.double()


def test_the_function_stays_and_sizes_come_nearer() -> None:
    network = uneven()
    given = [batch.double() for batch in features()]
    state = RunState(network, 1e-3)
    before = network(given[0]).detach()
    wide = spread(network, LAST_PRODUCT, given)
    even_last_product(state, given)
    assert (network(given[0]) - before).abs().max() < 1e-10
    assert spread(network, LAST_PRODUCT, given) < 0.6 * wide
    network.load_state_dict(state.average)  # the average was rescaled as well
    assert (network(given[0]) - before).abs().max() < 1e-10


@pytest.mark.parametrize(
    "place", (*HIDDEN, CELLS_STREAM, *COARSE_STREAMS), ids=lambda place: place.makers[0]
)
def test_channels_come_nearer_or_go_apart(place: Place) -> None:
    given = [batch.double() for batch in features()]
    network = copy.deepcopy(ARRAY.networks[3]).double()
    assert isinstance(network, MobileNet)
    before, wide = network(given[0]).detach(), spread(network, place, given)
    rescale(network.state_dict(), place, evening(network, place, given, 0.5))
    nearer = spread(network, place, given)
    assert nearer < wide
    rescale(network.state_dict(), place, evening(network, place, given, -0.5))
    assert spread(network, place, given) > nearer
    assert (network(given[0]) - before).abs().max() < 1e-10


def test_other_networks_stay() -> None:
    network = build_network("paper")
    state = RunState(network, 1e-3)
    before = copy.deepcopy(network.state_dict())
    even_last_product(state, [torch.rand(1, 4, 16, 16)])
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
