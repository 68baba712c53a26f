"""Numbers in the documents and the model cards are the ones in docs/results/."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from fa_mobile.experiments.results import write_table
from fa_mobile.nsma import load_checkpoint
from tests.experiments.tables import table_of

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def render() -> ModuleType:
    spec = importlib.util.spec_from_file_location("render", ROOT / "docs" / "render.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_tables_are_as_the_results_say(render: ModuleType) -> None:
    for path in render.DOCUMENTS:
        text = path.read_text(encoding="utf-8")
        assert render.rendered(text) == text, f"{path.name} is stale: run 'make docs'"
    for path, wanted in render.paper_documents().items():
        assert path.read_text(encoding="utf-8") == wanted, f"{path.name} is stale: run 'make docs'"


def test_tables_of_the_paper_are_shown_or_said_not_to_be_run(
    render: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(render, "RESULTS", tmp_path)
    write_table(table_of("ablation", paper=[40.0], plain=[39.0]), tmp_path / "table1.json")
    text = render.rendered((ROOT / "docs" / "experiments.md").read_text(encoding="utf-8"))
    assert text.count("*Not run yet.*") == 2
    assert "`paper` (40.000 dB) is ahead of `plain` by 1.000 dB" in text
    assert list(render.paper_documents()) == [tmp_path / "table1.md"]


def test_shipped_quality_meets_its_goals(render: ModuleType) -> None:
    """The results on file: 5 dB gained at gain 16, never worse at gain 1, int8 loses little."""
    for network in ("mobile", "paper"):
        scores = {s["gain"]: s for s in render.load(f"quality-{network}")["scores"]}
        assert scores[16.0]["denoised_db"] - scores[16.0]["noisy_db"] >= 5
        assert all(s["denoised_db"] > s["noisy_db"] for s in scores.values())
        for target in ("executorch", "onnx"):
            for s in render.load(f"quality-{network}-{target}-int8")["scores"]:
                assert scores[s["gain"]]["denoised_db"] - s["denoised_db"] <= 0.25


def test_model_card_names_the_weights(render: ModuleType) -> None:
    assert len(render.CARDS) == 2
    for card in render.CARDS:
        spec = load_checkpoint(card.parent).spec
        assert spec.weights_sha256 in card.read_text(encoding="utf-8")


def test_no_path_of_a_machine_is_in_the_documents() -> None:
    pattern = re.compile(r"(?<![\w.])/(?:home|root|work|tmp|Users)/")
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*"), *ROOT.glob("export/*")]:
        if path.is_file() and path.suffix in {".md", ".json", ".toml"}:
            assert not pattern.search(path.read_text(encoding="utf-8")), path
