"""A wide network that starts as a narrow one."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from fa_mobile.errors import UserError
from fa_mobile.networks import build_network
from fa_mobile.recipe import built_in_checkpoint
from fa_mobile.training.start import start_weights
from tests.training.small import config
from tests.training.test_balance import ARRAY


@pytest.fixture
def shipped() -> Path:
    path = built_in_checkpoint("imx258-mobile")
    assert path is not None
    return path


def test_it_is_the_same_function(shipped: Path) -> None:
    narrow = ARRAY.networks[3].eval()
    wide = build_network("mobile-x3").eval()
    run = config(network="mobile-x3", members=4, member=3)
    wide.load_state_dict(start_weights(shipped, run))
    features = 2 + torch.rand(1, 4, 32, 48, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected, found = narrow(features), wide(features)
    assert expected.std() > 0.01
    assert torch.allclose(found, expected, atol=1e-5)


def test_copies_are_not_alike(shipped: Path) -> None:
    """Else gradients would keep them equal, and the width would be of no use."""
    run = config(network="mobile-x3", members=4, member=1)
    first, second, _ = start_weights(shipped, run)["trunk.dec0.spatial.weight"].chunk(3, dim=1)
    assert (first - second).abs().max() > 0.1 * first.abs().max()


def test_no_other_network_starts_from_it(shipped: Path) -> None:
    with pytest.raises(UserError, match="holds members of 'mobile'"):
        start_weights(shipped, config(network="paper", members=4, member=1))
