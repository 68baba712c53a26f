"""Equal trainings: what is kept of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data as images

from fa_mobile.errors import UserError
from fa_mobile.evaluation.raw_psnr import GainScore
from fa_mobile.experiments.equal import (
    CHECKPOINT,
    EqualRun,
    EqualTrainings,
    equal_config,
    measured,
    together,
    trained,
)
from fa_mobile.nsma import load_checkpoint
from fa_mobile.training.pipeline import load_data


def run_of(network: str, rate: float, seed: int, *denoised: float) -> EqualRun:
    scores = tuple(GainScore(2.0**k, 30.0, db) for k, db in enumerate(denoised))
    return EqualRun(network=network, seed=seed, learning_rate=rate, scores=scores)


TRAININGS = EqualTrainings(
    sensor="s", provenance="made for a test", steps=10, batch=16, patch=128, clipped_at_black=0,
    training_images=2,
    test_photos=3,
    runs=(
        run_of("mobile", 0.01, 0, 40, 38), run_of("mobile", 0.01, 1, 42, 38),
        run_of("paper", 0.01, 0, 30, 30), run_of("paper", 0.02, 0, 39, 37),
    ),
)  # fmt: skip


def test_each_network_stands_with_its_best_rate() -> None:
    assert TRAININGS.networks() == ["mobile", "paper"]
    assert [run.learning_rate for run in TRAININGS.best("paper")] == [0.02]
    assert [score.denoised_db for score in TRAININGS.scores("mobile")] == [41, 38]
    assert TRAININGS.best("mobile")[1].mean_db == 40


def test_what_was_kept_is_read_again() -> None:
    assert EqualTrainings.model_validate_json(TRAININGS.model_dump_json()) == TRAININGS


def test_runs_are_added_to_those_of_equal_trainings() -> None:
    again, plain = run_of("paper", 0.02, 0, 39, 38), run_of("plain", 0.01, 0, 37, 36)
    both = together(TRAININGS, TRAININGS.model_copy(update={"runs": (again, plain)}))
    assert both.runs == (*TRAININGS.runs[:3], again, plain)
    with pytest.raises(UserError, match=r"differ in steps \(10, 20\); give another output"):
        together(TRAININGS, TRAININGS.model_copy(update={"steps": 20}))


def test_one_run_trains_and_measures(tmp_path: Path) -> None:
    for name, photo in (("a", images.astronaut()), ("b", images.coffee()), ("c", images.cat())):
        Image.fromarray(np.asarray(photo)).save(tmp_path / f"{name}.png")
    test = tmp_path / "test.png"
    Image.fromarray(images.chelsea()[:128, :160]).save(test)
    data = load_data([tmp_path], [], 128)
    config = equal_config("mobile", 3, 0.01, 10)

    def once() -> EqualRun:
        array = trained(config, data, tmp_path / "runs", lambda _progress: None)
        return measured(config, array, [test])

    run = once()
    assert (run.network, run.seed, run.learning_rate) == ("mobile", 3, 0.01)
    assert len(run.scores) == 7 and all(20 < score.denoised_db < 60 for score in run.scores)
    assert once() == run, "a finished run is not trained on"
    array = load_checkpoint(tmp_path / "runs" / "mobile-0.01-3" / CHECKPOINT)
    assert array.spec.network == "mobile" and len(array.networks) == 4
