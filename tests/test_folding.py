"""Folds are equal to the unfolded network in float64, borders included."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from fa_mobile.counting import count
from fa_mobile.denoiser import MemberDenoiser, PackNormalize, UnpackDenormalize
from fa_mobile.folding import FoldPlan, fold, regroup, rewritten
from fa_mobile.folding.affine import batch_norm
from fa_mobile.folding.mosaic import MosaicMember
from fa_mobile.networks import build_network
from fa_mobile.noise import NoiseParameters
from fa_mobile.sensor import SensorProfile
from tests.conftest import visible_array

EXACT = 1e-10
PLANS = [
    FoldPlan(),
    FoldPlan(group_width=16),
    FoldPlan(group_width=None),
    FoldPlan(fuse_heads=True),
    FoldPlan(merge=False, fuse_heads=True),
    FoldPlan(modulation="residual", mosaic="stem"),
    FoldPlan(mosaic="columns"),
    FoldPlan(merge=False, mosaic="columns"),
    FoldPlan(group_width=16, fuse_heads=True, mosaic="planes"),
]


def largest_difference(a: Tensor, b: Tensor) -> float:
    return float((a - b).abs().max())


@pytest.mark.parametrize("plan", PLANS, ids=str)
@pytest.mark.parametrize("name", ["mobile", "paper", "paper-no-skips", "plain"])
def test_folded_network_is_equal(name: str, plan: FoldPlan) -> None:
    network = visible_array(1, name).networks[0].double()
    z = torch.rand(2, 4, 16, 24, dtype=torch.float64)
    expected, given_ = network(z), fold(network, plan)(z)
    assert expected.abs().max() > 0.01  # a residual of zero would equal anything
    assert largest_difference(expected, given_) <= EXACT


@settings(deadline=None, max_examples=15)
@given(
    rows=st.integers(1, 5),
    cols=st.integers(1, 5),
    gain=st.floats(0.5, 100),
    plan=st.sampled_from(PLANS),
    name=st.sampled_from(["mobile", "paper"]),
)
def test_folded_denoiser_is_equal(
    profile: SensorProfile, rows: int, cols: int, gain: float, plan: FoldPlan, name: str
) -> None:
    array = visible_array(1, name)
    member = MemberDenoiser(array.networks[0], array.spec.anchors[0], profile).double().eval()
    generator = torch.Generator().manual_seed(rows * 10 + cols)
    raw = torch.rand(1, 1, 16 * rows, 16 * cols, dtype=torch.float64, generator=generator) * 1023
    noise = [torch.tensor([v], dtype=torch.float64) for v in profile.noise(gain)]
    difference = largest_difference(member(raw, *noise), fold(member, plan)(raw, *noise))
    assert difference <= EXACT * 1023  # the bound is for a signal of 0..1, this one is in DN


def test_original_is_left_as_it_was() -> None:
    network = build_network("paper")
    before = {name: value.clone() for name, value in network.state_dict().items()}
    fold(network, FoldPlan(group_width=None, fuse_heads=True))
    assert network.state_dict().keys() == before.keys()
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


def test_regrouping_costs_what_it_says() -> None:
    nominal = count(build_network("paper")).gmacs_per_mp
    dense = count(fold(build_network("paper"), FoldPlan(group_width=None))).gmacs_per_mp
    assert dense > 2 * nominal


@pytest.mark.parametrize("groups", [1, 2, 4, 8])
def test_regroup_every_divisor(groups: int) -> None:
    conv = nn.Conv2d(16, 24, 3, padding=1, groups=8).double()
    x = torch.rand(1, 16, 7, 5, dtype=torch.float64)
    assert regroup(conv, groups).groups == groups
    assert largest_difference(conv(x), regroup(conv, groups)(x)) <= EXACT


def test_regroup_refuses_other_numbers() -> None:
    with pytest.raises(ValueError, match="groups=3.*8 groups.*divisors"):
        regroup(nn.Conv2d(16, 16, 3, groups=8), 3)


def test_batch_norm_behind_a_convolution() -> None:
    torch.manual_seed(1)
    layers = nn.Sequential(nn.Conv2d(3, 5, 3, padding=1), nn.BatchNorm2d(5), nn.ReLU()).double()
    layers.train()
    for _ in range(3):
        layers(torch.rand(4, 3, 8, 8, dtype=torch.float64) * 3 + 1)
    layers.eval()
    x = torch.rand(1, 3, 8, 8, dtype=torch.float64)
    folded = rewritten(layers, batch_norm)
    assert not any(isinstance(m, nn.BatchNorm2d) for m in folded.modules())
    assert largest_difference(layers(x), folded(x)) <= EXACT


def test_batch_norm_before_a_convolution_stays() -> None:
    layers = nn.Sequential(nn.BatchNorm2d(3), nn.Conv2d(3, 5, 3, padding=1)).eval()
    assert isinstance(rewritten(layers, batch_norm)[0], nn.BatchNorm2d)  # type: ignore[index]


def with_black(profile: SensorProfile, *levels: float) -> SensorProfile:
    return SensorProfile.model_validate(profile.model_dump() | {"black_level": levels})


def test_packing_with_a_black_level_per_channel(profile: SensorProfile) -> None:
    uneven = with_black(profile, 60, 64, 65, 70)
    raw = torch.rand(1, 1, 6, 8, dtype=torch.float64) * 1023
    pack, unpack = PackNormalize(uneven).double(), UnpackDenormalize(uneven).double()
    assert largest_difference(unpack(pack(raw)), raw) <= EXACT * 1023


@pytest.mark.parametrize("name", ["mobile", "paper"])
def test_member_goes_to_the_mosaic_only_with_shared_levels(
    profile: SensorProfile, name: str
) -> None:
    array = visible_array(1, name)

    def folded(sensor: SensorProfile) -> nn.Module:
        member = MemberDenoiser(array.networks[0], array.spec.anchors[0], sensor)
        return fold(member.eval(), FoldPlan())

    assert isinstance(folded(profile), MosaicMember)
    # Scalars fold one black level, not four: the planes stay, and each keeps its own.
    assert isinstance(folded(with_black(profile, 60, 64, 65, 70)), MemberDenoiser)


def test_member_denoiser_is_the_formula_of_k_sigma(profile: SensorProfile) -> None:
    """The residual form equals transform, network, add, inverse transform, clip."""
    from fa_mobile.noise import KSigma, inverse_k_sigma, k_sigma

    array = visible_array(1)
    # As float32, like the member holds it.
    anchor = NoiseParameters(*torch.tensor(array.spec.anchors[0]).tolist())
    member = MemberDenoiser(array.networks[0], anchor, profile).double().eval()
    raw = torch.rand(1, 1, 16, 16, dtype=torch.float64) * 1023
    noise = NoiseParameters(2e-3, 3e-5)
    a, b = (torch.tensor([v], dtype=torch.float64) for v in noise)
    transform = KSigma.between(noise, anchor)
    z = k_sigma(member.pack(raw), transform)
    expected = member.unpack(torch.clamp(inverse_k_sigma(z + member.network(z), transform), 0, 1))
    assert largest_difference(member(raw, a, b), expected) <= EXACT * 1023


def test_merging_costs_less() -> None:
    network = build_network("mobile")
    whole, merged = (count(fold(network, FoldPlan(merge=merge))) for merge in (False, True))
    assert whole.gmacs_per_mp == pytest.approx(count(network).gmacs_per_mp)
    # Per cell of 16 pixels: 24 x 16 for the bottleneck in place of 32 x 16, for beta of 24 x 32.
    saved = (32 * 16 - 24 * 16 + 24 * 32 - 24 * 16) / 16 / 1000
    assert whole.gmacs_per_mp - merged.gmacs_per_mp == pytest.approx(saved)
