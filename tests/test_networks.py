"""Costs are the published ones, counted twice: by our counter and by torch's."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from fa_mobile.counting import count, mosaic_halo, packed_stride
from fa_mobile.errors import UserError
from fa_mobile.networks import NETWORK_NAMES, build_network
from fa_mobile.networks.baselines import load_pmrid
from fa_mobile.networks.blocks import haar_merge, haar_split

PUBLISHED = {
    "paper": (2.66875, 44858),
    "paper-no-skips": (2.56875, None),
    "plain": (2.28400, None),
    "pmrid": (3.742625, 1031908),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_cost_is_the_published_one(name: str) -> None:
    cost = count(build_network(name))
    gmacs, parameters = PUBLISHED[name]
    assert cost.gmacs_per_mp == pytest.approx(gmacs, abs=1e-9)
    assert parameters is None or cost.parameters == parameters


def test_wavelet_cost_is_the_papers_within_two_percent() -> None:
    assert count(build_network("wavelet")).gmacs_per_mp == pytest.approx(1.98, rel=0.02)


@pytest.mark.parametrize("name", NETWORK_NAMES)
def test_counter_agrees_with_torch(name: str) -> None:
    network = build_network(name)
    with FlopCounterMode(display=False) as counter:
        network(torch.zeros(1, 4, 64, 64))
    assert count(network).macs_per_position * 64 * 64 == counter.get_total_flops() / 2


@pytest.mark.parametrize("name", NETWORK_NAMES)
def test_residual_has_the_shape_of_the_input(name: str) -> None:
    network = build_network(name)
    stride = packed_stride(network)
    z = torch.rand(2, 4, 2 * stride, 3 * stride)
    assert network(z).shape == z.shape


def test_unknown_network_is_named() -> None:
    with pytest.raises(ValueError, match="'unet'.*allowed are mobile, paper"):
        build_network("unet")


@pytest.mark.parametrize("name", ["paper", "wavelet", "mobile"])
def test_halo_is_what_a_changed_cell_reaches(name: str) -> None:
    """Changing one cell of the stride changes nothing beyond the halo, and something near it."""
    torch.manual_seed(0)
    network = build_network(name).double().eval()
    tail = network.trunk.tail if name == "mobile" else network.tail  # type: ignore[union-attr]
    torch.nn.init.normal_(tail.weight, std=1.0)  # type: ignore[union-attr, arg-type]
    packed, stride = mosaic_halo(network) // 2, packed_stride(network)
    start = (packed // stride + 2) * stride
    side = 2 * start + stride
    z = torch.rand(1, 4, side, side, dtype=torch.float64)
    changed = z.clone()
    changed[..., start : start + stride, start : start + stride] += 1
    difference = (network(changed) - network(z)).abs().amax(dim=(0, 1))
    reached = torch.nonzero(difference > 0)
    reach = max(start - int(reached.min()), int(reached.max()) + 1 - (start + stride))
    assert packed - stride < reach <= packed


def test_haar_merge_inverts_split() -> None:
    x = torch.rand(2, 3, 8, 6, dtype=torch.float64)
    torch.testing.assert_close(haar_merge(haar_split(x)), x, rtol=0, atol=1e-12)


def test_feature_align_modulates() -> None:
    """Feature-Align's output depends on the noisy input, not on the features alone."""
    from fa_mobile.networks.blocks import FeatureAlign

    layer = FeatureAlign(8)
    features = torch.rand(1, 8, 4, 4)
    a, b = (layer(features, torch.rand(1, 4, 4, 4)) for _ in range(2))
    assert not torch.allclose(a, b)


def test_pmrid_refuses_what_is_not_its_weights(tmp_path: Path) -> None:
    path = tmp_path / "other.ckp"
    torch.save({"weight": torch.zeros(1)}, path)
    with pytest.raises(UserError, match="other names"):
        load_pmrid(path)
    path.write_bytes(b"not a checkpoint")
    with pytest.raises(UserError, match="cannot be read"):
        load_pmrid(path)


def test_pmrid_scale_is_folded(tmp_path: Path) -> None:
    """Loaded weights take z and give the residual at our scale: net(256 z) / 256."""
    network = build_network("pmrid").eval()
    path = tmp_path / "pmrid.ckp"
    torch.save(network.state_dict(), path)
    z = torch.rand(1, 4, 32, 32)
    torch.testing.assert_close(load_pmrid(path)(z), network(256 * z) / 256, rtol=1e-4, atol=1e-5)


def test_front_end_resolves_levels_below_the_noise() -> None:
    """At every level some channel moves, by more than eight bits of its range need for it."""
    from fa_mobile.domains import StabilizedDomain
    from fa_mobile.networks.mobile import CELL_CHANNELS, CellFront

    front = CellFront()
    levels = torch.arange(0.15, 6.8, 0.01)
    cells = levels.view(-1, 1, 1, 1).expand(-1, CELL_CHANNELS, 1, 1)
    with torch.no_grad():
        channels = front(cells).flatten(1)
    assert channels.abs().max() <= CellFront.LIMIT
    slopes = (channels.diff(dim=0) / 0.01).abs().amax(1)
    step = 2 * CellFront.LIMIT / 255 / slopes
    assert step.max() < 0.3 * StabilizedDomain.NOISE


def test_front_end_shows_differences_within_the_cell_only() -> None:
    from fa_mobile.networks.mobile import CELL_CHANNELS, CellFront

    front = CellFront()
    flat = torch.full((1, CELL_CHANNELS, 1, 1), 2.0)
    bumped = flat.clone()
    bumped[0, 5] += 0.1  # a position of the second Bayer colour
    with torch.no_grad():
        moved = (front(bumped) - front(flat)).abs().flatten() > 1e-6
    differences, windows = moved[:12].view(4, 3), moved[12:].view(3, 4)
    assert differences[1].all() and not differences[[0, 2, 3]].any()
    assert windows[:, 1].sum() == 1 and not windows[:, [0, 2, 3]].any()  # 2.0 is in one window
