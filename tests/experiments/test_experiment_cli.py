"""``fa-mobile experiment`` from its arguments to its files, on a few small photos and steps."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from skimage.data import chelsea

from fa_mobile.experiments import running
from fa_mobile.experiments.results import Table, read_table
from fa_mobile.nsma import save_checkpoint
from tests.commands import run_here
from tests.conftest import visible_array
from tests.evaluation.test_stlpips import random_weights
from tests.training.small import photo
from tests.training.vgg_weights import random_arrays, write_weights

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``train`` and ``test`` with the photos, and an unreadable one among those of the test."""
    folder = tmp_path_factory.mktemp("photos")
    for name in ("train", "test"):
        (folder / name).mkdir()
    for index in range(3):
        Image.fromarray(photo(index, 80, 100)).save(folder / "train" / f"{index}.png")
    Image.fromarray(chelsea()[60:140, 100:196]).save(folder / "test" / "cat.png")
    (folder / "test" / "broken.png").write_text("broken")
    return folder


@pytest.fixture()
def experiment(
    photos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Command:
    """The command in this process: (exit code, standard output, standard error)."""

    def run(name: str, *arguments: object, test: Path = photos / "test") -> tuple[int, str, str]:
        given = (
            name, photos / "train", "--test", test, "--runs", tmp_path / "runs", "-o", tmp_path,
            "--batch", 2, "--patch", 32, "--gain", 4, "--gain", 32, *arguments,
        )  # fmt: skip
        return run_here(monkeypatch, capsys, "experiment", *given)

    return run


def written(folder: Path, number: int) -> tuple[Table, str]:
    """The table and its Markdown, with a picture of as many columns as it needs."""
    table = read_table(folder / f"table{number}.json")
    text = (folder / f"table{number}.md").read_text(encoding="utf-8")
    with Image.open(folder / f"table{number}.png") as picture:
        assert picture.size[0] // picture.size[1] >= (len(table.names()) + 2) // 3
        assert len(np.unique(picture.convert("L"))) > 50
    return table, text


def refused(result: tuple[int, str, str], *parts: str) -> None:
    code, _, err = result
    assert code == 2, result
    assert err.startswith("error: ") and err.count("\n") == 1, err
    for part in parts:
        assert part in err


def test_ablation_goes_on_where_it_was_stopped(
    experiment: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = ("ablation", "--steps", 3, "--network", "plain")
    code, out, _ = experiment(*given)
    assert code == 0 and "skipped: " in out and "broken.png" in out
    assert "2 images to train on, 1 to validate with, 1 to measure on" in out
    before, _ = written(tmp_path, 1)
    (plain,) = before.rows
    assert before.settings.noise == "synthetic" and before.settings.provenance == "derived"
    assert set(plain.scores[0].values) == {"raw-psnr", "raw-ssim", "rgb-psnr", "rgb-ssim"}
    assert plain.seconds_per_step is not None and 0 < plain.seconds_per_step < 60

    measured: list[object] = []
    evaluate = running.evaluate
    monkeypatch.setattr(
        running, "evaluate", lambda *a, **k: measured.append(a) or evaluate(*a, **k)
    )
    code, out, _ = experiment(*given, "--network", "paper")
    assert code == 0 and "plain, seed 0: measured before" in out
    table, text = written(tmp_path, 1)
    assert table.names() == ["plain", "paper"] and table.row("plain", 0) == plain
    assert len(measured) == 1
    assert table.picture is not None and table.picture.rows == ("plain", "paper")
    assert "The paper puts Feature-Align first" in text and "The paper puts" in out

    refused(experiment("ablation", "--steps", 4), "steps (3, 4)", "--anew")
    refused(experiment("ablation", "--steps", 4, "--anew"), "another configuration")
    assert read_table(tmp_path / "table1.json") == table


def test_one_model_and_the_array_start_from_one_network(
    experiment: Command, tmp_path: Path
) -> None:
    code, _, err = experiment(
        "subranges", "--network", "plain", "--members", 2, "--steps", 3, "--member-steps", 2
    )
    assert code == 0, err
    table, text = written(tmp_path, 2)
    assert table.names() == ["one-model", "array"]
    assert (table.settings.steps, table.settings.common_steps) == (5, 3)
    one, array = table.rows
    assert one.edges == () and len(array.edges) == 1
    edge = array.edges[0]
    assert edge.gain == pytest.approx(8, rel=1e-3) and edge.below_db != edge.above_db
    assert one.scores != array.scores
    assert "2 x 2 steps" in text and "| 8.00 |" in text
    logs = [path.parent.name for path in tmp_path.glob("runs/*/log.csv")]
    assert sorted(logs) == [
        "plain-0.015-0", "plain-0.015-0-charbonnier-2", "plain-0.015-0-member0of2-2",
        "plain-0.015-0-member1of2-2",
    ]  # fmt: skip


def test_four_losses_with_the_perceptual_distance(
    experiment: Command, photos: Path, tmp_path: Path
) -> None:
    teacher, vgg, lpips = tmp_path / "teacher", tmp_path / "vgg.npz", tmp_path / "lpips.pth"
    given = ("losses", "--network", "plain", "--steps", 3, "--loss-steps", 2)
    few = (*given, "--loss", "charbonnier", "--loss", "feature")
    refused(experiment(*given), "loss perceptual", "--perceptual-weights", "--loss charbonnier")
    refused(experiment(*few), "loss feature", "--teacher", "leave the loss out: --loss charbonnier")
    refused(experiment(*few, "--teacher", teacher), str(teacher), "checkpoint folder")
    assert not (tmp_path / "runs").exists()

    save_checkpoint(visible_array(2), teacher)
    write_weights(vgg, random_arrays())
    torch.save(random_weights(), lpips)
    code, out, err = experiment(
        *given, "--teacher", teacher, "--perceptual-weights", vgg, "--perceptual", lpips
    )
    assert code == 0, err
    table, text = written(tmp_path, 3)
    assert table.names() == ["charbonnier", "perceptual", "distillation", "feature"]
    assert len({row.weights_sha256 for row in table.rows}) == 4
    assert [sorted(row.parts) for row in table.rows] == [
        [], ["vgg16_sha256"], ["teacher", "teacher_sha256"], ["teacher", "teacher_sha256"],
    ]  # fmt: skip
    assert table.rows[3].parts["teacher"] == "visible" and "Teacher: `visible`" in text
    assert all(row.mean("st-lpips") > 0 for row in table.rows)
    assert "not measured |" not in text and "first on the perceptual distance" in out
    for path in (tmp_path, photos):
        assert str(path) not in text + (tmp_path / "table3.json").read_text(encoding="utf-8")


def test_refusals(experiment: Command, photos: Path, tmp_path: Path) -> None:
    refused(experiment("ablation", "--network", "unet"), "'unet'", "paper-no-skips")
    refused(experiment("subranges", "--optimizer", "sgd"), "'sgd'", "muon, adam")
    refused(experiment("losses", "--loss", "l1"), "'l1'", "charbonnier, perceptual")
    refused(experiment("ablation", "--patch", 40), "patch 40", "multiples of 16")
    refused(experiment("ablation", "--picture", "dog.png"), "'dog.png'", "cat.png")
    refused(experiment("ablation", test=photos / "none"), "does not exist")
    refused(experiment("ablation", "--perceptual", tmp_path / "no.pth"), "no.pth")
    seen = tmp_path / "seen"
    seen.mkdir()
    shutil.copy(photos / "train" / "1.png", seen / "other-name.png")
    refused(experiment("ablation", test=seen), "other-name.png is among the photos to train on")
    tiny = tmp_path / "tiny"
    tiny.mkdir()
    Image.fromarray(chelsea()[:10, :10]).save(tiny / "tiny.png")
    refused(experiment("ablation", test=tiny), "none of 1 test photos", "10 x 10 is too small")
    assert not (tmp_path / "runs").exists()
