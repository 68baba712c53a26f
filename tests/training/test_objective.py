"""The four losses in training: their parts, what they need, what they lower, how they resume."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from fa_mobile.domains import domain_of
from fa_mobile.errors import UserError
from fa_mobile.networks import build_network
from fa_mobile.nsma import save_checkpoint
from fa_mobile.training import trainer
from fa_mobile.training.config import TrainConfig
from fa_mobile.training.losses import DISTILLATION_WEIGHT
from fa_mobile.training.objective import (
    DistillationTerm,
    FeatureTerm,
    PerceptualTerm,
    build_objective,
    pinned,
)
from fa_mobile.training.sources import PhotoSource, RawSource, Source
from fa_mobile.training.state import RunState
from fa_mobile.training.teacher import Teacher, load_teacher
from fa_mobile.training.tensors import Patches, entered
from fa_mobile.training.vgg import load_vgg16
from tests.conftest import visible_array
from tests.training.vgg_weights import random_arrays, write_weights

ALONE = ("rmse", "psnr", "charbonnier")
LOSSES = (*ALONE, "perceptual", "distillation", "feature")
SHIPPED = Path(trainer.__file__).parents[1] / "checkpoints" / "imx258-mobile"


def photo(seed: int) -> Source:
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (8, 8, 3)).astype(np.uint8))
    return PhotoSource(np.asarray(coarse.resize((120, 120), Image.Resampling.BILINEAR)))


SOURCES = [photo(0), photo(1)]
HELD_OUT = [photo(2)]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_weights(tmp_path_factory.mktemp("vgg") / "vgg.npz", random_arrays())


def config(loss: str, weights: Path, **changes: object) -> TrainConfig:
    parts: dict[str, object] = {}
    if loss == "perceptual":
        parts["perceptual_weights"] = str(weights)
    elif loss not in ALONE:
        parts["teacher"] = str(SHIPPED)
    base = {"network": "plain", "members": 2, "steps": 6, "batch": 2, "patch": 32, "warmup": 2,
            "save_every": 2, "loss": loss}  # fmt: skip
    return TrainConfig.model_validate(base | parts | changes)


@pytest.fixture(scope="module")
def patches(weights: Path) -> Patches:
    run = config("charbonnier", weights)
    sampler, chances = trainer.noise_sampler(run), trainer.probabilities(SOURCES)
    batch = trainer.draw_batch(SOURCES, chances, sampler, seed=0, step=0, batch=4, patch=32)
    return entered(batch, domain_of(build_network("plain")))


def quiet(_progress: trainer.Progress) -> None:
    pass


def test_perceptual_term_is_nothing_at_the_truth_and_grows(weights: Path, patches: Patches) -> None:
    term = PerceptualTerm(load_vgg16(weights))
    middle = (patches.noisy + patches.clean) / 2
    at = [float(term(x, patches)) for x in (patches.clean, middle, patches.noisy)]
    assert at[0] == 0 and 0 < at[1] < at[2]
    # Each patch has its share by its weight.
    heavy = patches._replace(weight=2 * patches.weight)
    assert float(term(middle, heavy)) == pytest.approx(2 * at[1], rel=1e-5)


def test_feature_term_is_nothing_at_the_truth_and_grows(patches: Patches) -> None:
    term = FeatureTerm(load_teacher(SHIPPED))
    middle = (patches.noisy + patches.clean) / 2
    at = [float(term(x, patches)) for x in (patches.clean, middle, patches.noisy)]
    assert at[0] == 0 and 0 < at[1] < at[2]


def test_distillation_term_is_the_distance_to_the_teachers_output(patches: Patches) -> None:
    teacher = load_teacher(SHIPPED)
    term = DistillationTerm(teacher)
    output = teacher.output(patches.noisy, patches.a, patches.b)
    assert float(term(output, patches)) == 0
    expected = DISTILLATION_WEIGHT * 0.01 * float(patches.weight.mean())
    assert float(term(output - 0.01, patches)) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("loss", ["distillation", "feature"])
def test_gradient_reaches_the_student_and_not_the_teacher(loss: str, patches: Patches) -> None:
    array = visible_array(2, "plain")
    teacher = Teacher(list(array.networks), array.spec.edges, array.spec.anchors)
    before = [p.clone() for network in teacher.networks for p in network.parameters()]
    torch.manual_seed(0)
    student = build_network("plain")
    domain = domain_of(student)
    estimate = domain.leave(
        patches.noisy, patches.features, student(patches.features), *patches.scalars
    )
    term = DistillationTerm(teacher) if loss == "distillation" else FeatureTerm(teacher)
    term(estimate, patches).backward()  # type: ignore[no-untyped-call]
    assert all(p.grad is not None and (p.grad != 0).any() for p in student.tail.parameters())  # type: ignore[union-attr]
    after = [p for network in teacher.networks for p in network.parameters()]
    assert all(p.grad is None and not p.requires_grad for p in after)
    assert all(torch.equal(old, new) for old, new in zip(before, after, strict=True))


def test_total_is_the_sum_of_the_parts(weights: Path, patches: Patches) -> None:
    for loss in LOSSES:
        total, base, term = build_objective(config(loss, weights))(patches.noisy, patches)
        assert (term is None) == (loss in ALONE)
        assert float(total) == pytest.approx(float(base) + float(0 if term is None else term))


@pytest.mark.parametrize("loss", LOSSES)
def test_training_lowers_the_loss(loss: str, weights: Path) -> None:
    run = config(loss, weights, network="mobile")
    chances, sampler = trainer.probabilities(SOURCES), trainer.noise_sampler(run)
    batch = trainer.draw_batch(SOURCES, chances, sampler, seed=0, step=0, batch=2, patch=32)
    torch.manual_seed(0)
    state, objective = RunState(build_network("mobile"), 1e-2), build_objective(run)
    losses = [
        float(trainer._step(state, state.network, objective, batch, 1e-2).loss.total.detach())
        for _ in range(25)
    ]
    if loss == "psnr":
        assert losses[-1] < losses[0] - 0.5  # dB
    else:
        assert losses[-1] < 0.9 * losses[0]


@pytest.mark.parametrize("loss", LOSSES)
def test_log_holds_the_parts(loss: str, weights: Path, tmp_path: Path) -> None:
    trainer.train(config(loss, weights, steps=1), SOURCES, HELD_OUT, tmp_path, quiet)
    header, row = (tmp_path / "log.csv").read_text().splitlines()
    columns = dict(zip(header.split(","), row.split(","), strict=True))
    if loss in ALONE:
        assert "term" not in columns
    else:
        parts = float(columns["charbonnier"]) + float(columns["term"])
        assert float(columns["loss"]) == pytest.approx(parts, rel=1e-4)


@pytest.mark.parametrize("loss", ["distillation", "feature"])
def test_run_with_a_teacher_resumes_to_the_last_bit(
    loss: str, weights: Path, tmp_path: Path
) -> None:
    class Killed(Exception):
        pass

    def kill(progress: trainer.Progress) -> None:
        if progress.step == 5:
            raise Killed

    run = config(loss, weights)
    trainer.train(run, SOURCES, HELD_OUT, tmp_path / "whole", quiet)
    with pytest.raises(Killed):
        trainer.train(run, SOURCES, HELD_OUT, tmp_path / "cut", kill)
    trainer.train(run, SOURCES, HELD_OUT, tmp_path / "cut", quiet)
    whole, cut = ((tmp_path / n / trainer.STATE_FILE).read_bytes() for n in ("whole", "cut"))
    assert whole == cut


def test_another_teacher_or_loss_is_refused(weights: Path, tmp_path: Path) -> None:
    folder = tmp_path / "teacher"
    save_checkpoint(visible_array(2, "plain", seed=1), folder)
    run = config("feature", weights, steps=2, teacher=str(folder))
    trainer.train(run, SOURCES, HELD_OUT, tmp_path / "run", quiet)
    with pytest.raises(UserError, match="loss was 'feature', now 'distillation'"):
        changed = run.model_copy(update={"loss": "distillation"})
        trainer.train(changed, SOURCES, HELD_OUT, tmp_path / "run", quiet)
    save_checkpoint(visible_array(2, "plain", seed=2), folder)  # another, in the same place
    with pytest.raises(UserError, match=r"teacher_sha256 was '\w{64}', now '\w{64}'"):
        trainer.train(run, SOURCES, HELD_OUT, tmp_path / "run", quiet)


def test_other_perceptual_weights_have_another_hash(weights: Path, tmp_path: Path) -> None:
    first = pinned(config("perceptual", weights)).perceptual_sha256
    changed = tmp_path / "vgg.npz"
    changed.write_bytes(weights.read_bytes() + b"\0")
    second = pinned(config("perceptual", changed)).perceptual_sha256
    assert first is not None and second is not None and first != second
    with pytest.raises(UserError, match="were not found"):
        pinned(config("perceptual", tmp_path / "none.npz"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"loss": "feature"}, "loss feature was given without a teacher; give one"),
        ({"loss": "distillation"}, "loss distillation was given without a teacher"),
        ({"loss": "perceptual"}, "without the weights of VGG16; give the .npz"),
        ({"teacher": "x"}, "a teacher was given, which loss charbonnier does not read"),
        ({"perceptual_weights": "x"}, "perceptual weights were given, which loss charbonnier"),
        ({"loss": "feature", "teacher": str(SHIPPED), "patch": 40}, "multiples of 16"),
    ],
)
def test_loss_says_what_it_needs(changes: dict[str, object], message: str) -> None:
    run = TrainConfig().model_copy(update=changes)
    with pytest.raises(UserError, match=message):
        build_objective(run)


def test_perceptual_loss_needs_colours(weights: Path, tmp_path: Path) -> None:
    colorless = RawSource(np.full((64, 64), 0.5, np.float32))
    with pytest.raises(UserError, match="1 of 3 images to train on do not state"):
        trainer.train(
            config("perceptual", weights), [*SOURCES, colorless], HELD_OUT, tmp_path / "run", quiet
        )
    assert not (tmp_path / "run").exists()
