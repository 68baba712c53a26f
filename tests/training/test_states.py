"""What a run keeps: it resumes to the same weights, and a bad end leaves the last good state."""

from __future__ import annotations

import errno
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from fa_mobile.errors import UserError
from fa_mobile.networks import build_network
from fa_mobile.training import objective, trainer
from fa_mobile.training.log import LOG_FILE
from fa_mobile.training.pipeline import (
    Data,
)
from fa_mobile.training.sources import (
    UNKNOWN_COLOR,
    CleanPatch,
    Source,
)
from fa_mobile.training.state import RunState, averaged_weights
from tests.training.small import config, quiet


@pytest.mark.parametrize("rounded", [False, True])
def test_killed_run_resumes_to_the_same_weights(
    data: Data, tmp_path: Path, *, rounded: bool
) -> None:
    class Killed(Exception):
        pass

    def kill(progress: trainer.Progress) -> None:
        if progress.step == 5:  # the state of step 4 is on disk
            raise Killed

    run = config(rounded=rounded, float_share=0.5 if rounded else 0.0)
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


def test_a_rounded_run_without_its_factors_is_refused(data: Data, tmp_path: Path) -> None:
    run = config(rounded=True)
    trainer.train(run, data.sources, data.held_out, tmp_path, quiet)
    state = RunState(build_network(run.network), run.learning_rate)
    state.load(tmp_path)
    assert min(state.range_factors) < 1
    state.range_factors = state.range_factors[1:]
    state.save(tmp_path)
    with pytest.raises(UserError, match="range factors for"):
        trainer.train(run, data.sources, data.held_out, tmp_path, quiet)


def test_so_many_steps_of_a_rounded_run_are_in_float(data: Data, tmp_path: Path) -> None:
    """(Almost) all, half and none of them give three different runs."""

    def trained(name: str, **given: object) -> dict[str, torch.Tensor]:
        run = config(**given)
        trainer.train(run, data.sources, data.held_out, tmp_path / name, quiet)
        return averaged_weights(tmp_path / name)

    weights = [
        trained("float", rounded=True, float_share=0.999999),
        trained("half", rounded=True, float_share=0.5),
        trained("rounded", rounded=True),
    ]
    for one, other in ((0, 1), (1, 2), (0, 2)):
        assert any(not torch.equal(weights[one][k], weights[other][k]) for k in weights[one])


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


def test_gradient_that_is_not_finite_stops_before_it_is_taken(
    data: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A root at zero: the loss is finite, its gradient is not."""
    trainer.train(config(), data.sources, data.held_out, tmp_path, quiet)
    before = (tmp_path / trainer.STATE_FILE).read_bytes()
    (tmp_path / trainer.CONFIG_FILE).write_text(config(steps=8, save_every=1).model_dump_json())

    def broken(error: torch.Tensor) -> torch.Tensor:
        return torch.sqrt(error * 0).sum() + error.mean()

    monkeypatch.setitem(objective.BASES, "charbonnier", broken)
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


def test_damaged_state_is_refused(data: Data, tmp_path: Path) -> None:
    trainer.train(config(), data.sources, data.held_out, tmp_path, quiet)
    (tmp_path / trainer.STATE_FILE).write_bytes(b"garbage")
    with pytest.raises(UserError, match="cannot be used"):
        trainer.train(config(), data.sources, data.held_out, tmp_path, quiet)


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
