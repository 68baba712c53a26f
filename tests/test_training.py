"""Training: batches are reproducible, runs resume to the same weights, bad input stops them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from fa_mobile.errors import UserError
from fa_mobile.nsma import load_checkpoint, new_spec
from fa_mobile.raw_io import write_dng
from fa_mobile.sensor import load_profile
from fa_mobile.simulation import simulate
from fa_mobile.training import trainer
from fa_mobile.training.batches import draw_batch
from fa_mobile.training.config import TrainConfig
from fa_mobile.training.losses import CHARBONNIER_WEIGHT, charbonnier
from fa_mobile.training.pipeline import (
    Data,
    assemble,
    load_data,
    stage_config,
    stage_names,
    train_stage,
)
from fa_mobile.training.sources import (
    PhotoSource,
    RawSource,
    load_photos,
    load_raws,
    photo_paths,
)
from fa_mobile.training.state import averaged_weights


def photo(seed: int, height: int = 160, width: int = 200) -> np.ndarray:  # type: ignore[type-arg]
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (height // 20, width // 20, 3)).astype(np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BILINEAR))


@pytest.fixture(scope="module")
def data() -> Data:
    return Data([PhotoSource(photo(i)) for i in range(3)], [PhotoSource(photo(9))], ())


def config(**changes: object) -> TrainConfig:
    base = TrainConfig(
        network="plain", members=2, steps=6, batch=2, patch=32, warmup=2, save_every=2
    )
    return base.model_copy(update=changes)


def quiet(_progress: trainer.Progress) -> None:
    pass


def test_batch_is_a_function_of_seed_and_step(data: Data) -> None:
    sampler = trainer.noise_sampler(config())
    chances = trainer.probabilities(data.sources)

    def batch(seed: int, step: int) -> np.ndarray:  # type: ignore[type-arg]
        drawn = draw_batch(data.sources, chances, sampler, seed=seed, step=step, batch=2, patch=32)
        return drawn.noisy

    assert np.array_equal(batch(1, 5), batch(1, 5))
    assert not np.array_equal(batch(1, 5), batch(1, 6))
    assert not np.array_equal(batch(1, 5), batch(2, 5))


@pytest.mark.parametrize("member", [None, 0, 1])
def test_noise_is_drawn_from_the_members_subrange(member: int | None) -> None:
    sampler = trainer.noise_sampler(config(member=member))
    rng = np.random.default_rng(0)
    draws = [sampler.draw(rng) for _ in range(300)]
    a = np.array([noise.a for noise, _ in draws])
    edge = sampler.edges[0]
    low, high = {None: (1.6e-4, 2e-2), 0: (1.6e-4, edge * 1.15), 1: (edge / 1.15, 2e-2)}[member]
    assert low <= a.min() < low * 1.2 and high / 1.2 < a.max() <= high
    log_a = np.log(a)
    assert abs(np.mean((log_a - np.log(low)) / np.log(high / low)) - 0.5) < 0.06  # log-uniform
    deviation = [np.log(n.b / sampler.profile.line_b(n.a)) for n, _ in draws]
    assert np.std(deviation) == pytest.approx(0.25, rel=0.15)
    for noise, anchor in draws:
        index = member if member is not None else int(noise.a >= edge)
        assert anchor == sampler.anchors[index]


def test_member_out_of_range_is_refused() -> None:
    with pytest.raises(UserError, match=r"member 5 was given; allowed are 0\.\.1"):
        trainer.noise_sampler(config(member=5))


def test_charbonnier_is_the_papers() -> None:
    error = torch.tensor([0.0, 3e-3])
    expected = CHARBONNIER_WEIGHT * (1e-3 + np.sqrt(1e-5)) / 2
    assert charbonnier(error).item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("rounded", [False, True])
def test_killed_run_resumes_to_the_same_weights(
    data: Data, tmp_path: Path, *, rounded: bool
) -> None:
    class Killed(Exception):
        pass

    def kill(progress: trainer.Progress) -> None:
        if progress.step == 5:  # the state of step 4 is on disk
            raise Killed

    run = config(rounded=rounded)
    trainer.train(run, data.sources, data.held_out, tmp_path / "whole", quiet)
    with pytest.raises(Killed):
        trainer.train(run, data.sources, data.held_out, tmp_path / "cut", kill)
    steps: list[int] = []
    trainer.train(
        run, data.sources, data.held_out, tmp_path / "cut", lambda p: steps.append(p.step)
    )
    assert steps == [5, 6]
    whole, cut = (averaged_weights(tmp_path / name) for name in ("whole", "cut"))
    for name, value in whole.items():
        torch.testing.assert_close(cut[name], value, rtol=0, atol=1e-6)


def test_training_lowers_the_loss(data: Data, tmp_path: Path) -> None:
    losses: list[float] = []
    longer = config(steps=60, learning_rate=5e-3, batch=4)
    trainer.train(longer, data.sources, data.held_out, tmp_path, lambda p: losses.append(p.loss))
    assert np.mean(losses[-15:]) < 0.9 * np.mean(losses[:15])


def test_other_configuration_is_refused(data: Data, tmp_path: Path) -> None:
    trainer.train(config(), data.sources, data.held_out, tmp_path, quiet)
    with pytest.raises(UserError, match="batch was 2, now 3; .*steps was 6, now 8|steps was 6"):
        changed = config(batch=3, steps=8)
        trainer.train(changed, data.sources, data.held_out, tmp_path, quiet)


def test_loss_that_is_not_finite_stops_and_keeps_the_state(data: Data, tmp_path: Path) -> None:
    trainer.train(config(), data.sources, data.held_out, tmp_path, quiet)
    before = averaged_weights(tmp_path)

    class Broken:
        area = 100

        def sample(self, rng: np.random.Generator, size: int) -> np.ndarray:  # type: ignore[type-arg]
            return np.full((size, size), np.nan, np.float32)

    (tmp_path / trainer.CONFIG_FILE).write_text(config(steps=9).model_dump_json())
    with pytest.raises(UserError, match="the loss became nan at step 6"):
        trainer.train(config(steps=9), [Broken()], data.held_out, tmp_path, quiet)
    after = averaged_weights(tmp_path)
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_damaged_state_is_refused(data: Data, tmp_path: Path) -> None:
    trainer.train(config(), data.sources, data.held_out, tmp_path, quiet)
    (tmp_path / trainer.STATE_FILE).write_bytes(b"garbage")
    with pytest.raises(UserError, match="cannot be used"):
        trainer.train(config(), data.sources, data.held_out, tmp_path, quiet)


def test_array_from_photos_to_checkpoint(data: Data, tmp_path: Path) -> None:
    base = config(steps=2)
    stages = stage_names(2, int8=True)
    assert stages == ["common", "0", "1", "0-int8", "1-int8"]
    for stage in stages:
        train_stage(stage_config(base, tmp_path, stage, 2), tmp_path, stage, data, quiet)
    assemble(base, tmp_path, "tiny", tmp_path / "tiny", {"note": "test"})
    loaded = load_checkpoint(tmp_path / "tiny")
    assert loaded.spec.training == {"note": "test"}
    last = averaged_weights(tmp_path / "1-int8")
    assert all(torch.equal(last[n], p) for n, p in loaded.networks[1].named_parameters())
    assert loaded.spec.edges == new_spec("t", "plain", load_profile("imx258"), 2).edges


def test_unusable_files_are_skipped_and_named(tmp_path: Path) -> None:
    Image.fromarray(photo(0)).save(tmp_path / "good.png")
    Image.fromarray(photo(1, 40, 40)).save(tmp_path / "small.png")
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8 no photo")
    (tmp_path / "notes.txt").write_text("no photo")
    sources, skipped = load_photos(photo_paths([tmp_path]), 32)
    assert len(sources) == 1
    assert len(skipped) == 2
    assert "broken.jpg is not a readable photo" in skipped[0] and "too small" in skipped[1]
    with pytest.raises(UserError, match="images to train on"):
        load_data([tmp_path], [], 4096)


def test_raw_files_are_sources(tmp_path: Path) -> None:
    frame = simulate(photo(3), load_profile("imx258"), 1, 0).noisy
    write_dng(tmp_path / "clean.dng", frame)
    (tmp_path / "broken.dng").write_bytes(b"II*\0")
    sources, skipped = load_raws([tmp_path / "clean.dng", tmp_path / "broken.dng"], 32)
    assert len(sources) == 1 and len(skipped) == 1
    patch = sources[0].sample(np.random.default_rng(0), 32)
    assert patch.shape == (32, 32) and patch.min() >= 0 and patch.max() <= 1


def test_raw_source_keeps_the_pattern() -> None:
    codes = np.tile(np.array([[0.1, 0.2], [0.3, 0.4]], np.float32), (20, 24))
    rng = np.random.default_rng(0)
    for _ in range(30):
        patch = RawSource(codes).sample(rng, 16)
        ratio = patch[::2, ::2].mean() / patch[1::2, 1::2].mean()
        assert ratio == pytest.approx(0.25)  # red stays at the origin, blue opposite


def test_full_disk_stops_and_keeps_the_state(data: Data, tmp_path: Path) -> None:
    trainer.train(config(), data.sources, data.held_out, tmp_path, quiet)
    before = (tmp_path / trainer.STATE_FILE).read_bytes()
    (tmp_path / trainer.CONFIG_FILE).write_text(config(steps=8).model_dump_json())
    script = (
        "import resource, signal, sys\n"
        "from pathlib import Path\n"
        "import numpy as np\n"
        "from fa_mobile.training import trainer\n"
        "from fa_mobile.training.config import TrainConfig\n"
        "from fa_mobile.training.sources import RawSource\n"
        "from fa_mobile.errors import UserError\n"
        "folder = Path(sys.argv[1])\n"
        "config = TrainConfig.model_validate_json((folder / 'config.json').read_text())\n"
        "source = [RawSource(np.full((64, 64), 0.5, np.float32))]\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))\n"
        "try:\n"
        "    trainer.train(config, source, source, folder, lambda p: None)\n"
        "except UserError as error:\n"
        "    print(error)\n"
    )
    result = subprocess.run(
        [sys.executable, "-B", "-c", script, str(tmp_path)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "cannot write" in result.stdout
    assert (tmp_path / trainer.STATE_FILE).read_bytes() == before
