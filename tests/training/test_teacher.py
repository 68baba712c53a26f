"""Teachers: the output of the denoiser that they are, activations of every stage, frozen."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from fa_mobile.denoiser import RawDenoiser
from fa_mobile.errors import UserError
from fa_mobile.networks import NETWORK_NAMES, PmridNet, build_network
from fa_mobile.networks.baselines import PMRID_ANCHOR
from fa_mobile.nsma import NoiseSubrangeModelArray, save_checkpoint
from fa_mobile.training.teacher import TAPPED, Teacher, load_teacher
from tests.conftest import visible_array

A = torch.tensor([2e-2, 2e-4, 3e-3, 2.1e-4]).view(4, 1, 1, 1)
"""Noises of the last, first, a middle and the first of four members: not in order."""
B = A * 1e-2


def teacher_of(array: NoiseSubrangeModelArray) -> Teacher:
    return Teacher(list(array.networks), array.spec.edges, array.spec.anchors)


def signal(side: int = 16, patches: int = 4) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.rand(patches, 4, side, side, generator=generator) * 0.6 + 0.2


@pytest.mark.parametrize("network", ["mobile", "paper"])
def test_output_is_that_of_the_denoiser(network: str) -> None:
    array = visible_array(4, network)
    denoiser, profile = RawDenoiser(array), array.spec.profile
    teacher, noisy = teacher_of(array), signal()
    found = teacher.output(noisy, A, B)
    black, span = profile.black_level[0], profile.span[0]
    assert set(profile.black_level) == {black}
    members = set()
    with torch.no_grad():
        for index in range(4):
            raw = torch.pixel_shuffle(noisy[index : index + 1], 2) * span + black
            a, b = A[index].flatten(), B[index].flatten()
            expected = (denoiser.denoise_with_profile(raw, a, b) - black) / span
            members.add(int((a >= denoiser.selector.edges).sum()))
            shown = torch.pixel_shuffle(found[index : index + 1], 2).clamp(0, 1)
            torch.testing.assert_close(shown, expected, rtol=0, atol=2e-5)
    assert len(members) == 3
    assert (found - noisy).abs().mean() > 1e-3


@pytest.mark.parametrize("name", NETWORK_NAMES)
def test_every_network_gives_its_stages_and_passes_gradients_on(name: str) -> None:
    torch.manual_seed(0)
    network = build_network(name).train()
    teacher = Teacher([network], (), [PMRID_ANCHOR])
    side = int(network.PACKED_STRIDE)  # type: ignore[arg-type]
    assert teacher.patch_multiple == 2 * side
    given = signal(side, 2).requires_grad_()
    layers = teacher.activations(given, A[:2], B[:2])
    assert len(layers) == len(TAPPED[type(network)])
    assert len({layer.shape[2] for layer in layers}) >= 3  # of several resolutions
    for layer in layers:
        (gradient,) = torch.autograd.grad(layer.square().sum(), given, retain_graph=True)
        assert (gradient != 0).any() and torch.isfinite(gradient).all()
    assert not network.training
    assert not any(parameter.requires_grad for parameter in network.parameters())
    assert not teacher.output(given, A[:2], B[:2]).requires_grad


def test_activations_are_those_of_each_patch_alone_members_in_order() -> None:
    teacher = teacher_of(visible_array(4))
    together = teacher.activations(signal(), A, B)
    alone = [teacher.activations(signal()[i : i + 1], A[i : i + 1], B[i : i + 1]) for i in range(4)]
    for layer, values in enumerate(together):
        in_order = torch.cat([alone[index][layer] for index in (1, 3, 2, 0)])
        torch.testing.assert_close(values, in_order, rtol=1e-4, atol=1e-5)


def test_checkpoints_and_pmrids_weights_are_teachers(tmp_path: Path) -> None:
    save_checkpoint(visible_array(2, "plain"), tmp_path / "array")
    assert len(load_teacher(tmp_path / "array").networks) == 2
    torch.save(PmridNet().state_dict(), tmp_path / "pmrid.ckp")
    assert load_teacher(tmp_path / "pmrid.ckp").patch_multiple == 32


def test_other_teachers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="was not found or has no array.json; allowed is a check"):
        load_teacher(tmp_path / "none")
    with pytest.raises(UserError, match="has no array.json"):
        load_teacher(tmp_path)
    (tmp_path / "weights.ckp").write_bytes(b"not weights")
    with pytest.raises(UserError, match="cannot be read as PMRID's weights"):
        load_teacher(tmp_path / "weights.ckp")
