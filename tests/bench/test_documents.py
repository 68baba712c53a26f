"""The tables of benchmarks/README.md, and the workflow's promises."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from fa_mobile.bench.files import write_report
from tests.bench.reports import PHONE, entry_of, report_of

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
    monkeypatch.setattr(render, "RESULTS", tmp_path)
    text = render.rendered(render.README.read_text(encoding="utf-8"))
    for part in ("Test CPU, 2 cores", "Maker Model 1, 8 cores", "| phone | bundle | 1.05 |"):
        assert part in text
    assert "x peer" in text and "cortex-a76 1.00" in text
    assert "- phone, bundle: memory not run: made for a test" in text
    assert render.NONE not in render.times()
    assert "| Maker Model 1 (SoC 8) | Android 15 |" in text
    assert "| burst | 30.0 | 1.00 | none to light | 31.5 to 38.0 °C |" in text


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
