"""The tables of benchmarks/README.md, and the workflow's promises."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType

import pytest

from fa_mobile.bench.files import write_report
from tests.bench.reports import BROWSER, PHONE, entry_of, report_of

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def render() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bench_render", ROOT / "benchmarks" / "render.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_tables_are_as_the_results_say(render: ModuleType) -> None:
    text = render.README.read_text(encoding="utf-8")
    assert render.rendered(text) == text, "benchmarks/README.md is stale: run 'make docs'"


def test_tables_of_hosts_and_phones(
    render: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_report(tmp_path / "host.json", report_of(entry_of([150.0] * 15)))
    write_report(tmp_path / "phone.json", report_of(entry_of([30.0] * 15), device=PHONE))
    write_report(tmp_path / "web.json", report_of(entry_of([90.0] * 15), device=BROWSER))
    monkeypatch.setattr(render, "RESULTS", tmp_path)
    text = render.rendered(render.README.read_text(encoding="utf-8"))
    for part in (
        "Test CPU, 2 cores",
        "Maker Model 1, 8 cores",
        "| phone | bundle | 1.05 |",
        "Browser 1.2 on Model 1 on arm, 8 cores",
    ):
        assert part in text
    assert "x peer" in text and "cortex-a76 1.00" in text
    assert "- phone, bundle: memory not run: made for a test" in text
    assert render.NONE not in render.times()
    assert "| Maker Model 1 (SoC 8) | Android 15 |" in text
    assert "| burst | 30.0 | 1.00 | none to light | 31.5 to 38.0 °C |" in text


def test_a_network_stands_once_beside_its_speed(
    render: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the first ExecuTorch int8 bundle that was timed: no other runtime, no naive export."""
    executorch = {"target": "executorch"}
    write_report(
        tmp_path / f"{render.TIMED}.json",
        report_of(
            entry_of([10.0] * 15, bundle="onnx"),
            entry_of([90.0] * 15, bundle="naive-executorch-int8", **executorch),
            entry_of([20.0] * 15, bundle="ours", **executorch),
            entry_of([30.0] * 15, bundle="again", **executorch),
            entry_of([40.0] * 15, bundle="untrained", network="pmrid", **executorch),
        ),
    )
    runs = [
        {"network": "paper", "seed": seed, "learning_rate": 0.01,
         "scores": [{"gain": 1, "noisy_db": 30, "denoised_db": 40 + seed}]}
        for seed in (0, 1)
    ]  # fmt: skip
    facts = dict.fromkeys(("steps", "batch", "patch", "training_images", "test_photos"), 8) | {
        "clipped_at_black": 0.5
    }
    made = {"sensor": "s", "provenance": "made for a test", **facts, "runs": runs}
    (tmp_path / "trainings").write_text(json.dumps(made), encoding="utf-8")
    monkeypatch.setattr(render, "RESULTS", tmp_path)
    monkeypatch.setattr(render, "EQUAL", tmp_path / "trainings")
    (point,) = render.points()
    assert (point.network, point.psnr_db, point.low_db, point.high_db) == ("paper", 40.5, 40, 41)
    assert point.ms_per_mp == pytest.approx(20 / 1.048576)


def test_no_path_of_a_machine_is_in_what_is_stored() -> None:
    pattern = re.compile(r"(?<![\w.])/(?:home|root|work|tmp|Users)/")
    for path in [*(ROOT / "benchmarks").glob("*.md"), *(ROOT / "benchmarks" / "results").glob("*")]:
        assert not pattern.search(path.read_text(encoding="utf-8")), path


def test_the_workflow_pins_actions_and_runs_no_untrusted_text() -> None:
    text = (ROOT / ".github" / "workflows" / "bench.yml").read_text(encoding="utf-8")
    uses = re.findall(r"uses: (\S+)", text)
    assert uses and all(re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", action) for action in uses)
    assert text.startswith("#") and "\npermissions: {}\n" in text
    assert "pull_request_target" not in text
    scripts = re.findall(r"(?:run|script): \|\n((?: {10,}.*\n|\n)+)", text)
    assert len(scripts) == 4
    assert not any("${{" in script for script in scripts)
