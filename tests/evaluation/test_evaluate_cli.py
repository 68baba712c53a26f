"""``fa-mobile evaluate`` from its arguments to its tables, JSON and refusals."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image
from skimage.data import chelsea

from fa_mobile.evaluation import flat
from fa_mobile.nsma import sha256_file
from tests.commands import run_here
from tests.evaluation.test_stlpips import random_weights

Evaluate = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    Image.fromarray(chelsea()[60:108, 100:164]).save(folder / "photo.png")
    return folder


@pytest.fixture()
def evaluate(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Evaluate:
    """The command in this process: (exit code, standard output, standard error)."""

    def run(*arguments: object) -> tuple[int, str, str]:
        return run_here(monkeypatch, capsys, "evaluate", *arguments)

    return run


def unfolded(text: str) -> str:
    """Titles fold at the width of their table."""
    return " ".join(text.split())


def refused(result: tuple[int, str, str], *parts: str) -> None:
    code, out, err = result
    assert code == 2 and out == "", result
    assert err.startswith("error: ") and err.count("\n") == 1, err
    for part in parts:
        assert part in err


def test_several_subjects_and_metrics(
    evaluate: Evaluate, checkpoint: Path, photos: Path, tmp_path: Path
) -> None:
    weights = tmp_path / "random.pth"
    torch.save(random_weights(), weights)
    given = (checkpoint, photos, "--vs", "classical", "--gain", 4, "--gain", 64)
    code, out, _ = evaluate(*given, "--metric", "all", "--perceptual", weights, "--json")
    assert code == 0
    data = json.loads(out)
    assert data["subject"] == "visible" and data["photos"] == 1
    assert [other["subject"].split(",")[0] for other in data["versus"]] == ["nl-means"]
    assert data["metrics"] == ["raw-psnr", "raw-ssim", "rgb-psnr", "rgb-ssim", "st-lpips"]
    assert data["perceptual"] == {"name": "ST-LPIPS", "weights_sha256": sha256_file(weights)}
    assert [row["gain"] for row in data["scores"]] == [4, 64]
    assert set(data["mean"]["denoised"]) == set(data["metrics"])
    assert data["scores"][0]["noisy"] == data["versus"][0]["scores"][0]["noisy"]

    code, out, _ = evaluate(*given)
    out = unfolded(out)
    assert code == 0 and "synthetic noise" in out and "mean" in out and "nl-means" in out
    assert "RAW PSNR" in out and "SSIM" not in out


def test_one_subject_and_other_noise(evaluate: Evaluate, checkpoint: Path, photos: Path) -> None:
    given = (checkpoint, photos, "--gain", 16)
    plain = json.loads(evaluate(*given, "--json")[1])
    noisier = json.loads(evaluate(*given, "--noise-a", 1.3, "--noise-b", 1.3, "--json")[1])
    assert "perceptual" not in plain and plain["versus"] == []
    assert noisier["noise_scale"] == {"a": 1.3, "b": 1.3}
    lost = plain["scores"][0]["noisy_db"] - noisier["scores"][0]["noisy_db"]
    assert lost == pytest.approx(1.14, abs=0.2)  # 10 log10 1.3
    shown = unfolded(evaluate(*given, "--noise-a", 1.3)[1])
    assert "difference" in shown and "1.3 x a and 1 x b" in shown


def test_flat(evaluate: Evaluate, checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = functools.partial(flat.evaluate_flat, side=128, levels=(0.01, 0.5))
    monkeypatch.setattr(flat, "evaluate_flat", small)
    code, out, _ = evaluate(checkpoint, "--flat", "--gain", 16, "--frames", 9, "--json")
    assert code == 0
    data = json.loads(out)
    assert data["most_frames"] == 9
    frames = [row["frames"] for row in data["subjects"][0]["patches"]]
    assert set(frames) <= {4, 8, 9}  # doubled while undecided
    assert data["noise"] == "synthetic" and data["bound_percent"] == pytest.approx(0.1)
    assert [row["level"] for row in data["subjects"][0]["patches"]] == [0.01, 0.5]
    code, out, _ = evaluate(checkpoint, "--flat", "--gain", 16)
    out = unfolded(out)
    assert code == 0 and "flat gray" in out and "±" in out and "synthetic noise" in out


def test_refusals(evaluate: Evaluate, checkpoint: Path, photos: Path, tmp_path: Path) -> None:
    refused(evaluate(checkpoint), "no photos were given", "--flat")
    refused(evaluate(checkpoint, photos, "--flat"), "--flat", "no photos")
    refused(evaluate(checkpoint, photos, "--frames", 9), "--frames was given", "--flat")
    refused(evaluate(checkpoint, "--flat", "--metric", "all"), "no --metric")
    refused(evaluate(checkpoint, tmp_path / "none"), "does not exist")
    refused(evaluate(tmp_path, photos), "neither a bundle")
    refused(evaluate(checkpoint, photos, "--vs", "bm3d"), "bm3d is neither", "classical")
    refused(evaluate(checkpoint, photos, "--metric", "lpips"), "'lpips'", "allowed are raw-psnr")
    refused(evaluate("classical", photos), "--sensor")
    refused(evaluate(checkpoint, photos, "--noise-a", 0), "noise factors a=0")
    refused(evaluate(checkpoint, photos, "--perceptual", tmp_path / "no.pth"), "no.pth", "ST-LPIPS")
    odd = tmp_path / "odd.pth"
    odd.write_text("odd")
    refused(evaluate(checkpoint, photos, "--perceptual", odd), "odd.pth", "cannot be read")


def test_a_wrong_profile_costs_what_knowing_better_gains(
    evaluate: Evaluate, checkpoint: Path, photos: Path
) -> None:
    given = (checkpoint, photos, "--gain", "8", "--gain", "32")
    code, out, _ = evaluate(*given, "--off-profile", "0.3", "--json")
    assert code == 0
    corners = json.loads(out)["corners"]
    scales = [tuple(corner["noise_scale"].values()) for corner in corners]
    assert scales == [(0.7, 0.7), (0.7, 1.3), (1.3, 0.7), (1.3, 1.3)]
    for corner in corners:
        wrong, right = (corner[name]["scores"] for name in ("told_profile", "told_truth"))
        for lost, before, after in zip(corner["lost_db"], wrong, right, strict=True):
            assert before["noisy_db"] == after["noisy_db"], "not the same captures"
            assert lost["lost_db"] == after["denoised_db"] - before["denoised_db"] != 0
    code, out, _ = evaluate(*given, "--noise-a", "1.3", "--noise-b", "0.7", "--json")
    assert json.loads(out)["scores"] == corners[2]["told_profile"]["scores"]
    code, out, _ = evaluate(*given, "--off-profile", "0.3")
    assert code == 0 and "0.7 x a, 1.3 x b" in out and "synthetic noise" in unfolded(out)


def test_edges_are_both_members_on_the_same_captures(
    evaluate: Evaluate, checkpoint: Path, photos: Path
) -> None:
    code, out, _ = evaluate(checkpoint, photos, "--edges", "--json")
    assert code == 0
    data = json.loads(out)
    (edge,) = data["edges"]  # the array has two members
    assert edge["step_db"] == edge["above_db"] - edge["below_db"]
    # The member above serves the least gain beyond the edge.
    code, out, _ = evaluate(checkpoint, photos, "--gain", repr(edge["gain"]), "--json")
    assert json.loads(out)["scores"][0]["denoised_db"] == pytest.approx(edge["above_db"])
    assert edge["below_db"] != edge["above_db"]
    code, out, _ = evaluate("imx258-mobile", photos, "--edges")  # built in, by its name
    assert code == 0 and "member above" in out and "synthetic noise" in unfolded(out)


@pytest.mark.parametrize(
    ("options", "part"),
    [
        (("--off-profile", "1.5"), "1.5 off the profile was given; allowed is above 0 and below 1"),
        (("--off-profile", "0.3", "--vs", "classical"), "--off-profile was given; it takes"),
        (("--off-profile", "0.3", "--noise-a", "1.1"), "--off-profile was given; it takes"),
        (("--off-profile", "0.3", "--edges"), "--edges and --off-profile were given"),
        (("--edges", "--vs", "classical"), "--edges was given; it takes a checkpoint, photos"),
        (("--edges", "--gain", "4"), "--edges was given; it takes a checkpoint, photos"),
    ],
)
def test_what_off_profile_and_edges_refuse(
    evaluate: Evaluate, checkpoint: Path, photos: Path, options: tuple[str, ...], part: str
) -> None:
    refused(evaluate(checkpoint, photos, *options), part)
