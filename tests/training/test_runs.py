"""Training: batches are reproducible, losses fall, stages become a checkpoint."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
import torch

from fa_mobile.errors import UserError
from fa_mobile.networks import build_network
from fa_mobile.nsma import load_checkpoint, new_spec, partition, save_checkpoint
from fa_mobile.sensor import built_in_profiles, load_profile
from fa_mobile.training import trainer
from fa_mobile.training.batches import draw_batch
from fa_mobile.training.config import training_a_range
from fa_mobile.training.losses import CHARBONNIER_WEIGHT, charbonnier
from fa_mobile.training.pipeline import (
    Data,
    assemble,
    stage_config,
    stage_names,
    train_stage,
)
from fa_mobile.training.sources import CleanPatch, FlatSource
from fa_mobile.training.state import RunState, averaged_weights
from tests.conftest import visible_array
from tests.training.small import config, quiet


def test_batch_is_a_function_of_seed_and_step(data: Data) -> None:
    sampler = trainer.noise_sampler(config())
    chances = trainer.probabilities(data.sources)

    def batch(seed: int, step: int) -> np.ndarray:  # type: ignore[type-arg]
        drawn = draw_batch(data.sources, chances, sampler, seed=seed, step=step, batch=2, patch=32)
        return drawn.noisy

    assert np.array_equal(batch(1, 5), batch(1, 5))
    assert not np.array_equal(batch(1, 5), batch(1, 6))
    assert not np.array_equal(batch(1, 5), batch(2, 5))


def test_training_covers_the_gains_of_its_profile() -> None:
    """With room to both ends, whatever the sensor; what the IMX258 was trained with stays."""
    assert training_a_range(load_profile("imx258")) == (1.6e-4, 2e-2)
    for name in built_in_profiles():
        profile = load_profile(name)
        low, high = training_a_range(profile)
        assert low < 0.8 * profile.a_range[0] and high > 1.2 * profile.a_range[1]
        for member in (0, 1):
            sampler = trainer.noise_sampler(config(profile=name, member=member))
            assert sampler.a_range[0] < sampler.a_range[1]
            assert sampler.edges == partition(profile.a_range, 2)


@pytest.mark.parametrize("member", [None, 0, 1])
def test_noise_is_drawn_from_the_members_subrange(member: int | None) -> None:
    sampler = trainer.noise_sampler(config(member=member))
    rng = np.random.default_rng(0)
    draws = [sampler.draw(rng) for _ in range(300)]
    a = np.array([drawn.told.a for drawn in draws])
    edge = sampler.edges[0]
    low, high = {None: (1.6e-4, 2e-2), 0: (1.6e-4, edge * 1.15), 1: (edge / 1.15, 2e-2)}[member]
    assert low <= a.min() < low * 1.2 and high / 1.2 < a.max() <= high
    log_a = np.log(a)
    assert abs(np.mean((log_a - np.log(low)) / np.log(high / low)) - 0.5) < 0.06  # log-uniform
    deviation = [np.log(d.told.b / sampler.profile.line_b(d.told.a)) for d in draws]
    assert np.std(deviation) == pytest.approx(0.25, rel=0.15)
    for told, anchor, true in draws:
        index = member if member is not None else int(told.a >= edge)
        assert anchor == sampler.anchors[index]
        assert true == told


def test_a_range_may_reach_further_below_than_above() -> None:
    near = trainer.noise_sampler(config(member=1))
    far = trainer.noise_sampler(config(member=1, overlap_below=1.5))
    edge = far.edges[0]
    assert far.a_range == (pytest.approx(edge / 1.5), near.a_range[1])
    lowest = trainer.noise_sampler(config(member=0, overlap_below=1.5))
    assert lowest.a_range == trainer.noise_sampler(config(member=0)).a_range  # ends where all do


def test_what_is_told_may_be_wrong() -> None:
    sampler = trainer.noise_sampler(config(profile_error=0.3))
    draws = [sampler.draw(np.random.default_rng(seed)) for seed in range(300)]
    off = np.log([[d.true.a / d.told.a, d.true.b / d.told.b] for d in draws])
    assert 0.95 * np.log(1.3) < np.abs(off).max() <= np.log(1.3)
    assert abs(off.mean()) < 0.02
    assert abs(np.corrcoef(off.T)[0, 1]) < 0.2  # a and b are wrong each for itself


def test_what_is_told_may_be_too_much_rather_than_too_little() -> None:
    sampler = trainer.noise_sampler(config(profile_error=0.1, profile_error_below=0.2))
    draws = [sampler.draw(np.random.default_rng(seed)) for seed in range(300)]
    off = np.log([[d.true.a / d.told.a, d.true.b / d.told.b] for d in draws])
    assert -np.log(1.2) <= off.min() < -0.95 * np.log(1.2)
    assert 0.9 * np.log(1.1) < off.max() <= np.log(1.1)


def test_a_batch_says_what_is_told_and_has_what_is_true() -> None:
    """On flat patches the noise that there is can be measured; it is not what ``a`` says."""

    def spread(profile_error: float) -> float:
        sampler = trainer.noise_sampler(config(profile_error=profile_error))
        batch = draw_batch([FlatSource()], np.ones(1), sampler, seed=3, step=0, batch=64, patch=64)
        told = np.sqrt((batch.a * batch.clean + batch.b).mean(axis=(1, 2, 3)))
        return float(np.log((batch.noisy - batch.clean).std(axis=(1, 2, 3)) / told).std())

    assert spread(0.9) > 3 * spread(0)


def test_member_out_of_range_is_refused() -> None:
    with pytest.raises(UserError, match=r"member 5 was given; allowed are 0\.\.1"):
        trainer.noise_sampler(config(member=5))


def test_charbonnier_is_the_papers() -> None:
    error = torch.tensor([0.0, 3e-3])
    expected = CHARBONNIER_WEIGHT * (1e-3 + np.sqrt(1e-5)) / 2
    assert charbonnier(error).item() == pytest.approx(expected, rel=1e-5)


def test_a_patch_is_rendered_with_the_colour_that_it_was_made_with(data: Data) -> None:
    batch = draw_batch(
        data.sources, trainer.probabilities(data.sources), trainer.noise_sampler(config()),
        seed=0, step=0, batch=8, patch=32,
    )  # fmt: skip
    assert batch.gains.shape == (8, 4, 1, 1) and batch.camera_to_rgb.shape == (8, 3, 3)
    red, green, blue = (batch.gains[:, index, 0, 0] for index in (0, 1, 3))
    assert np.array_equal(green, batch.gains[:, 2, 0, 0])
    assert ((red / green > 1.89) & (red / green < 2.41)).all()
    assert ((blue / green > 1.49) & (blue / green < 1.91)).all()
    assert batch.camera_to_rgb.sum(axis=2) == pytest.approx(np.ones((8, 3)), abs=1e-4)
    assert len(np.unique(red)) == 8


def test_training_lowers_the_loss(data: Data, tmp_path: Path) -> None:
    losses: list[float] = []
    longer = config(steps=60, learning_rate=5e-3, batch=4)
    trainer.train(longer, data.sources, data.held_out, tmp_path, lambda p: losses.append(p.loss))
    assert np.mean(losses[-15:]) < 0.9 * np.mean(losses[:15])


def test_array_from_photos_to_checkpoint(data: Data, tmp_path: Path) -> None:
    base = config(steps=2)
    stages = stage_names(2, int8=True)
    assert stages == ["common", "0", "1", "0-int8", "1-int8"]
    for stage in stages:
        train_stage(stage_config(base, tmp_path, stage, 2), tmp_path, stage, data, quiet)
    array = assemble(base, tmp_path, "tiny", {"note": "test"})
    save_checkpoint(array, tmp_path / "tiny")
    loaded = load_checkpoint(tmp_path / "tiny")
    assert loaded.spec.training == {"note": "test"}
    last = averaged_weights(tmp_path / "1-int8")
    assert all(torch.equal(last[n], p) for n, p in loaded.networks[1].named_parameters())
    assert loaded.spec.edges == new_spec("t", "plain", load_profile("imx258"), 2).edges


def test_an_array_of_one_may_be_its_common_network(data: Data, tmp_path: Path) -> None:
    base = config(members=1)
    train_stage(stage_config(base, tmp_path, "common", 1), tmp_path, "common", data, quiet)
    (network,) = assemble(base, tmp_path, "one", {}).networks
    last = averaged_weights(tmp_path / "common")
    assert all(torch.equal(last[n], p) for n, p in network.named_parameters())
    with pytest.raises(UserError, match="holds no training run"):
        assemble(config(members=2), tmp_path, "two", {})


def test_bfloat16_trains_and_keeps_float_weights(data: Data, tmp_path: Path) -> None:
    run = config(network="mobile", precision="bfloat16", steps=2)
    trainer.train(run, data.sources, data.held_out, tmp_path, quiet)
    average = averaged_weights(tmp_path)
    assert all(value.dtype == torch.float32 for value in average.values())
    with pytest.raises(UserError, match="precision was 'bfloat16', now 'float32'"):
        other = run.model_copy(update={"precision": "float32"})
        trainer.train(other, data.sources, data.held_out, tmp_path, quiet)


def test_a_share_of_the_patches_is_flat(data: Data, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[int] = []
    whole = FlatSource.draw

    def counted(source: FlatSource, rng: np.random.Generator, size: int) -> CleanPatch:
        drawn.append(size)
        return whole(source, rng, size)

    monkeypatch.setattr(FlatSource, "draw", counted)
    for share, expected in ((0.0, 0), (0.5, 40 + 32)):  # of 80 patches, and 64 that set ranges
        drawn.clear()
        with tempfile.TemporaryDirectory() as folder:
            run = config(steps=5, batch=16, flat_share=share, cast_weight=6.0)
            trainer.train(run, data.sources, data.held_out, Path(folder), quiet)
        assert abs(len(drawn) - expected) <= 20


def test_members_can_start_from_a_checkpoint(data: Data, tmp_path: Path) -> None:
    array = visible_array(2, "plain")
    save_checkpoint(array, tmp_path / "array")
    base = config(learning_rate=1e-9)
    assert stage_names(2, int8=True, common=False) == ["0", "1", "0-int8", "1-int8"]
    stage = stage_config(base, tmp_path, "1", 1, tmp_path / "array")
    assert stage.fit_front and stage.init == str(tmp_path / "array")
    train_stage(stage, tmp_path, "1", data, quiet)
    for name, value in averaged_weights(tmp_path / "1").items():
        torch.testing.assert_close(value, array.networks[1].state_dict()[name], rtol=0, atol=1e-6)
    other = stage.model_copy(update={"network": "wavelet"})
    with pytest.raises(UserError, match="holds members of 'plain'.*not of 'wavelet'"):
        trainer.train(other, data.sources, data.held_out, tmp_path / "other", quiet)


def test_members_can_train_on_with_rounding_alone(tmp_path: Path) -> None:
    start = tmp_path / "array"
    assert stage_names(2, int8=True, common=False, floats=False) == ["0-int8", "1-int8"]
    stage = stage_config(config(), tmp_path, "1-int8", 1, start, floats=False)
    assert stage.rounded and stage.fit_front and stage.init == str(start)
    # Not in place of a float stage that is only missing.
    stage = stage_config(config(), tmp_path, "1-int8", 1, start)
    assert not stage.fit_front and stage.init == str(tmp_path / "1")


def test_adam_is_torchs_and_not_muon() -> None:
    torch.manual_seed(0)
    state = RunState(build_network("plain"), 1e-2, "adam")
    weight = state.parameters["head.weight"]
    before = weight.detach().clone()
    for parameter in state.parameters.values():
        parameter.grad = torch.full_like(parameter, 3.0)
    state.optimizer.step()
    # Adam's first step is the learning rate against the sign of the gradient.
    torch.testing.assert_close(weight.detach(), before - 1e-2, rtol=0, atol=1e-6)
