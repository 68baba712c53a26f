"""The page's modules under node, and in Python what they wrote."""

from __future__ import annotations

import os
import subprocess
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from fa_mobile.bench.files import read_report
from fa_mobile.raw_io import read_raw

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def ran(node: str, cases: Path) -> Path:
    command = [node, "--test", "--test-reporter=spec", str(HERE / "units.test.mjs")]
    environment = os.environ | {"CASES": str(cases)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    return cases


def test_modules_agree_with_python(ran: Path) -> None:
    assert ran.is_dir()


def test_dng_files_of_the_page_are_read_back(ran: Path) -> None:
    written = sorted((ran / "dng").glob("*.rewritten.dng"))
    assert len(written) == 5
    for path in written:
        original = read_raw(path.with_name(path.name.replace(".rewritten", "")))
        again = read_raw(path)
        assert np.array_equal(again.mosaic, original.mosaic)
        for field in fields(original):
            if field.name != "mosaic":
                assert getattr(again, field.name) == getattr(original, field.name), path.name


@pytest.mark.parametrize("kind", ["burst", "sustained"])
def test_a_report_of_the_page_is_one_that_bench_reads(ran: Path, kind: str) -> None:
    report = read_report(ran / f"report-{kind}.json")
    assert report.settings.kind == kind
    assert report.device.kind == "browser"
    assert report.entries[0].timing is not None
    assert report.entries[0].timing.median_ms == 2
