"""``fa-mobile evaluate --dataset`` from its arguments to its files and refusals."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from fa_mobile.nsma import sha256_file
from tests.commands import run_here
from tests.datasets import makers
from tests.evaluation.test_evaluate_cli import refused, unfolded
from tests.evaluation.test_stlpips import random_weights

Evaluate = Callable[..., tuple[int, str, str]]


@pytest.fixture()
def evaluate(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Evaluate:
    def run(*arguments: object) -> tuple[int, str, str]:
        return run_here(monkeypatch, capsys, "evaluate", *arguments)

    return run


@pytest.fixture()
def pmrid(tmp_path: Path) -> Path:
    """Three cases at two ISO speeds, one of them damaged."""
    folder = tmp_path / "PMRID"
    cases = [makers.pmrid_case(folder, f"case{iso}", iso=iso) for iso in (800, 3200, 6400)]
    (folder / cases[2]["gt"]).write_bytes(b"cut off")
    return makers.pmrid(folder, cases)


def test_results_and_files(
    evaluate: Evaluate, checkpoint: Path, pmrid: Path, tmp_path: Path
) -> None:
    weights = tmp_path / "random.pth"
    torch.save(random_weights(), weights)
    out = tmp_path / "out"
    given = (checkpoint, "--dataset", pmrid, "--format", "pmrid", "--vs", "classical")
    code, text, err = evaluate(
        *given, "--metric", "all", "--perceptual", weights, "-o", out, "--json"
    )
    assert code == 0, err
    data = json.loads(text)
    assert data["subject"] == "visible" and data["format"] == "pmrid" and data["noise"] == "real"
    assert data["dataset"] == "PMRID" and data["sensor"] == "imx258"
    assert data["metrics"] == ["raw-psnr", "raw-ssim", "rgb-psnr", "rgb-ssim", "st-lpips"]
    assert [(row["group"], row["regions"]) for row in data["scores"]] == [
        ("ISO 800", 2), ("ISO 3200", 2),
    ]  # fmt: skip
    assert (data["samples"], data["skipped"]) == (2, 1)
    assert "exactly 6144" in data["skipped_because"][0]["reason"]
    assert data["perceptual"]["weights_sha256"] == sha256_file(weights)
    assert [other["subject"].split(",")[0] for other in data["versus"]] == ["nl-means"]
    assert data["versus"][0]["mean"]["noisy"] == data["mean"]["noisy"]
    # Non-local means gain on the noisy input where there is much noise.
    loud = data["versus"][0]["scores"][1]
    assert loud["denoised_db"] > loud["noisy_db"]
    assert sorted(path.name for path in out.iterdir()) == [
        "results.html", "results.json", "results.md",
    ]  # fmt: skip
    assert json.loads((out / "results.json").read_text()) == data
    assert "| ISO 3200 | 2 |" in (out / "results.md").read_text()
    assert (out / "results.html").read_text().count("<img") == 2 * 2 * 4

    code, text, err = evaluate(*given)
    shown = unfolded(text)
    assert code == 0 and "ISO 3200" in shown and "noise: real" in shown and "oppo-reno-10x" in shown
    assert "1 skipped (case 3): " in err and "synthetic" not in shown


def test_submission(evaluate: Evaluate, checkpoint: Path, tmp_path: Path) -> None:
    makers.sidd_blocks(tmp_path / "data", "Benchmark", side=8)
    out = tmp_path / "out"
    given = (checkpoint, "--dataset", tmp_path / "data", "--format", "sidd-benchmark")
    refused(evaluate(*given, "--submit", out), "nothing says the noise", "holes", "--profile")
    assert not out.exists()
    makers.sidd_levels(tmp_path / "data")
    refused(evaluate(*given), "keeps its truth on the server", "--submit")
    refused(evaluate(*given, "--submit", out, "--limit", 3), "no --limit")
    code, text, err = evaluate(*given, "--submit", out, "--json")
    assert code == 0, err
    assert json.loads(text)["crops"] == 1280 and (out / "SubmitRaw.mat").is_file()
    refused(evaluate(*given, "--submit", out), "is not empty")


def test_refusals(evaluate: Evaluate, checkpoint: Path, pmrid: Path, tmp_path: Path) -> None:
    given = (checkpoint, "--dataset", pmrid, "--format", "pmrid")
    refused(evaluate(checkpoint, "--dataset", pmrid), "without --format", "sidd-validation")
    refused(evaluate(checkpoint, "--dataset", pmrid, "--format", "div2k"), "'div2k'", "dnd")
    refused(evaluate(checkpoint, "--dataset", tmp_path / "no", "--format", "sid"), "is no folder")
    refused(evaluate(*given, "--gain", 2), "--dataset was given; it takes no photos, --gain")
    refused(evaluate(checkpoint, tmp_path, "--dataset", pmrid), "it takes no photos")
    refused(evaluate(*given, "--submit", tmp_path / "out"), "has its truth here")
    refused(evaluate(*given, "--profile", "none"), "sensor profile 'none' was not found")
    refused(evaluate(checkpoint, tmp_path, "--format", "pmrid"), "they go with --dataset")
    refused(evaluate("classical", "--dataset", pmrid, "--format", "pmrid"), "--sensor")
    blocker = tmp_path / "file"
    blocker.write_text("in the way")
    refused(evaluate(*given, "-o", blocker), "cannot write", "file")
