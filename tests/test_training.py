"""Training: batches are reproducible, runs resume to the same weights, bad input stops them."""

from __future__ import annotations

import errno
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from fa_mobile.errors import UserError
from fa_mobile.networks import build_network
from fa_mobile.nsma import load_checkpoint, new_spec
from fa_mobile.raw_io import write_dng
from fa_mobile.sensor import load_profile
from fa_mobile.simulation import simulate
from fa_mobile.training import objective, trainer
from fa_mobile.training.batches import draw_batch
from fa_mobile.training.config import TrainConfig
from fa_mobile.training.log import LOG_FILE
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
    UNKNOWN_COLOR,
    CleanPatch,
    PhotoSource,
    RawSource,
    Source,
    load_photos,
    load_raws,
    photo_paths,
    raw_paths,
)
from fa_mobile.training.state import RunState, averaged_weights


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

    class Broken(Source):
        area = 100

        def draw(self, rng: np.random.Generator, size: int) -> CleanPatch:
            return CleanPatch(np.full((size, size), np.nan, np.float32), UNKNOWN_COLOR)

    (tmp_path / trainer.CONFIG_FILE).write_text(config(steps=9).model_dump_json())
    message = r"the loss became nan at step 6; the last good state, of step 6, stays in .*state\."
    with pytest.raises(UserError, match=message):
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


def test_raw_files_bring_their_colour_or_are_skipped(tmp_path: Path) -> None:
    frame = simulate(photo(3), load_profile("imx258"), 1, 0).noisy
    write_dng(tmp_path / "clean.dng", frame)
    (source,), skipped = load_raws([tmp_path / "clean.dng"], 32, need_color=True)
    color = source.draw(np.random.default_rng(0), 32).color
    red, _, blue = load_profile("imx258").as_shot_neutral
    assert color.red_gain == pytest.approx(1 / red, rel=1e-4)
    assert color.blue_gain == pytest.approx(1 / blue, rel=1e-4)
    assert color.rgb_to_camera.sum(axis=1) == pytest.approx([1, 1, 1], abs=1e-4)
    assert not skipped
    singular = replace(frame, color_matrix=(1.0, 1.0, 1.0) * 3)
    write_dng(tmp_path / "gray.dng", singular)
    assert not load_raws([tmp_path / "gray.dng"], 32)[1]
    sources, skipped = load_raws([tmp_path / "gray.dng"], 32, need_color=True)
    assert not sources and "gray.dng: states no colour" in skipped[0]


def test_of_a_folder_of_raw_files_the_short_exposures_are_left_out(tmp_path: Path) -> None:
    for name in ("Sony/short/b.ARW", "Sony/long/b.ARW", "Sony/long/a.ARW", "other/short/c.dng"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "Sony" / "list.txt").write_text("")
    found = [str(path.relative_to(tmp_path)) for path in raw_paths([tmp_path])]
    assert found == ["Sony/long/a.ARW", "Sony/long/b.ARW", "other/short/c.dng"]
    with pytest.raises(UserError, match="no clean RAW file"):
        raw_paths([tmp_path / "Sony" / "short"])
    with pytest.raises(UserError, match="was not found"):
        raw_paths([tmp_path / "none.dng"])


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


def test_raw_source_keeps_the_pattern() -> None:
    codes = np.tile(np.array([[0.1, 0.2], [0.3, 0.4]], np.float32), (20, 24))
    rng = np.random.default_rng(0)
    for _ in range(30):
        patch = RawSource(codes).sample(rng, 16)
        ratio = patch[::2, ::2].mean() / patch[1::2, 1::2].mean()
        assert ratio == pytest.approx(0.25)  # red stays at the origin, blue opposite


@pytest.mark.parametrize("file", ["state", "log"])
def test_no_space_left_is_an_error_in_words(
    data: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    trainer.train(config(), data.sources, data.held_out, tmp_path, quiet)
    before = averaged_weights(tmp_path)
    (tmp_path / trainer.CONFIG_FILE).write_text(config(steps=8).model_dump_json())

    def full(*_given: object, **_named: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    whole = Path.open

    def full_log(path: Path, mode: str = "r", **named: object) -> object:
        return full() if mode == "a" else whole(path, mode, **named)  # type: ignore[call-overload]

    if file == "state":
        monkeypatch.setattr(Path, "write_bytes", full)
    else:
        monkeypatch.setattr(Path, "open", full_log)
    with pytest.raises(UserError, match=f"cannot write .*{file}.*No space left on device"):
        trainer.train(config(steps=8), data.sources, data.held_out, tmp_path, quiet)
    monkeypatch.undo()
    assert all(
        torch.equal(value, before[name]) for name, value in averaged_weights(tmp_path).items()
    )
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]
    trainer.train(config(steps=8), data.sources, data.held_out, tmp_path, quiet)


def test_gradient_that_is_not_finite_stops_before_it_is_taken(
    data: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A root at zero: the loss is finite, its gradient is not."""
    trainer.train(config(), data.sources, data.held_out, tmp_path, quiet)
    before = (tmp_path / trainer.STATE_FILE).read_bytes()
    (tmp_path / trainer.CONFIG_FILE).write_text(config(steps=8, save_every=1).model_dump_json())

    def broken(error: torch.Tensor) -> torch.Tensor:
        return torch.sqrt(error * 0).sum() + error.mean()

    monkeypatch.setattr(objective, "charbonnier", broken)
    with pytest.raises(UserError, match="the gradient became nan at step 6; the last good state"):
        trainer.train(config(steps=8, save_every=1), data.sources, data.held_out, tmp_path, quiet)
    assert (tmp_path / trainer.STATE_FILE).read_bytes() == before


def test_weights_that_are_not_finite_are_not_saved(tmp_path: Path) -> None:
    state = RunState(build_network("plain"), 1e-3)
    with pytest.raises(UserError, match=r"after step 0 and was not saved; nothing had been saved"):
        _with_nan(state).save(tmp_path)
    assert not list(tmp_path.iterdir())


def _with_nan(state: RunState) -> RunState:
    with torch.no_grad():
        next(iter(state.parameters.values())).fill_(float("nan"))
    return state


def test_log_of_a_resumed_run_has_every_step_once(data: Data, tmp_path: Path) -> None:
    class Killed(Exception):
        pass

    def kill(progress: trainer.Progress) -> None:
        if progress.step == 5:  # the state of step 4 is on disk, the log has rows 1 to 5
            raise Killed

    def run(report: Callable[[trainer.Progress], None]) -> None:
        trainer.train(config(), data.sources, data.held_out, tmp_path, report, validate_every=1)

    with pytest.raises(Killed):
        run(kill)
    with (tmp_path / LOG_FILE).open("a") as stream:
        stream.write("6,1.2")  # cut off
    run(quiet)
    rows = (tmp_path / LOG_FILE).read_text().splitlines()
    assert rows[0] == "step,loss,learning_rate,validation_psnr_db"
    assert [row.split(",")[0] for row in rows[1:]] == ["1", "2", "3", "4", "5", "6"]


@pytest.mark.parametrize("optimizer", ["muon", "adam"])
def test_resumed_run_is_equal_to_the_last_bit(data: Data, tmp_path: Path, optimizer: str) -> None:
    run = config(optimizer=optimizer, learning_rate=1e-3)
    trainer.train(run, data.sources, data.held_out, tmp_path / "whole", quiet)

    class Killed(Exception):
        pass

    def kill(progress: trainer.Progress) -> None:
        if progress.step == 3:
            raise Killed

    with pytest.raises(Killed):
        trainer.train(run, data.sources, data.held_out, tmp_path / "cut", kill)
    trainer.train(run, data.sources, data.held_out, tmp_path / "cut", quiet)
    whole, cut = ((tmp_path / name / trainer.STATE_FILE).read_bytes() for name in ("whole", "cut"))
    assert whole == cut


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
