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


def test_second_sensor_is_as_measured(render: ModuleType) -> None:
    text = (ROOT / "docs" / "bring-your-sensor.md").read_text(encoding="utf-8")
    assert render.versus(render.load("second-sensor")).strip() in text


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


def test_flat_table_shows_the_channel_that_is_furthest_off(render: ModuleType) -> None:
    def channel(error: float) -> dict[str, float]:
        return {"error_percent": error, "standard_error_percent": 0.05}

    def subject(name: str, worst: float) -> dict[str, object]:
        channels = {"R": channel(0.1), "Gr": channel(worst), "B": channel(-0.2)}
        return {"subject": name, "patches": [{"gain": 8.0, "level": 0.01, "channels": channels}]}

    table = render.flat({"subjects": [subject("float", -3.0), subject("int8", 4.0)]})
    assert table.splitlines()[2:] == [
        "| 1 %, `float` | -3.00 ± 0.10 |",
        "| 1 %, `int8` | +4.00 ± 0.10 |",
    ]


def test_tables_of_quality_are_those_of_their_results(render: ModuleType) -> None:
    def scored(name: str, gained: float) -> dict[str, object]:
        values = {"noisy": {"raw-ssim": 0.5}, "denoised": {"raw-ssim": 0.5 + gained / 100}}
        row = {"noisy_db": 30.0, "denoised_db": 30.0 + gained}
        return {"subject": name, "scores": [{"gain": 4.0, **row}], "mean": {**row, **values}}

    result = scored("ours", 6.0) | {"metrics": ["raw-psnr", "raw-ssim"]}
    result["versus"] = [scored("theirs", 5.0)]
    assert render.versus(result).splitlines()[2:] == [
        "| noisy | 30.00 | 30.00 |",
        "| `ours` | 36.00 | 36.00 |",
        "| `theirs` | 35.00 | 35.00 |",
    ]
    assert render.versus_means(result).splitlines()[2:] == [
        "| noisy | 0.5 |", "| `ours` | 0.56 |", "| `theirs` | 0.55 |",
    ]  # fmt: skip
    corner = {"noise_scale": {"a": 0.7, "b": 1.3}, "mean_lost_db": 0.2}
    corner["lost_db"] = [{"gain": 4.0, "lost_db": 0.2}]
    lines = render.off_profile({"corners": [corner]}).splitlines()
    assert lines[2:] == ["| 0.7 x a, 1.3 x b | 0.200 | 0.200 |"]
