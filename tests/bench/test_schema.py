"""Reports: round trip, and what is refused with which words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fa_mobile.bench.device import device_name, differences
from fa_mobile.bench.files import parse_report, read_report, write_report
from fa_mobile.bench.instructions import with_instructions
from fa_mobile.bench.schema import Report
from fa_mobile.errors import UserError
from tests.bench.reports import (
    ABSENT,
    BROWSER,
    COUNTS,
    HOST,
    PHONE,
    SETTINGS,
    entry_of,
    report_of,
    timing_of,
)

SAMPLES = [150.0 + i for i in range(15)]


def data_of(report: Report) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(report.model_dump_json())
    return found


def refused(data: object, *parts: str) -> None:
    with pytest.raises(UserError) as error:
        parse_report(json.dumps(data).encode(), "given.json")
    for part in ("given.json", *parts):
        assert part in str(error.value)


def test_round_trip(tmp_path: Path) -> None:
    report = report_of(entry_of(SAMPLES))
    write_report(tmp_path / "report.json", report)
    assert read_report(tmp_path / "report.json") == report
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]


def test_a_phones_sustained_report(tmp_path: Path) -> None:
    timing = timing_of(SAMPLES).model_copy(update={"started_s": tuple(range(15))})
    settings = SETTINGS.model_copy(update={"kind": "sustained", "seconds": 60.0})
    report = report_of(entry_of(SAMPLES, timing=timing), device=PHONE, settings=settings)
    write_report(tmp_path / "phone.json", report)
    read = read_report(tmp_path / "phone.json")
    assert read.device.kind == "phone" and read.device.thermal_end == "light"
    assert read == report


def test_a_browsers_report(tmp_path: Path) -> None:
    report = report_of(entry_of(SAMPLES), device=BROWSER)
    write_report(tmp_path / "browser.json", report)
    assert read_report(tmp_path / "browser.json") == report
    assert device_name(BROWSER) == "Browser 1.2 on Model 1 on arm"
    assert device_name(BROWSER.model_copy(update={"model": None})) == "Browser 1.2 on arm"
    refused({**data_of(report), "device": {**BROWSER.model_dump(), "cpu": "x"}}, "device", "cpu")


def test_browsers_are_compared_with_their_like() -> None:
    assert differences(BROWSER, BROWSER) == []
    other = BROWSER.model_copy(update={"browser": "Browser 2", "flags": ("wasm-simd",)})
    assert differences(other, BROWSER) == [
        "browser is Browser 2, was Browser 1.2",
        "flags is wasm-simd, was wasm-simd wasm-threads",
    ]
    assert differences(BROWSER, PHONE) == ["device is a browser, was a phone"]


def test_nothing_names_the_machine_or_its_owner() -> None:
    from fa_mobile.bench.device import host_device

    fields = host_device({"onnx": "1.31.0"}).model_dump()
    assert set(fields) == {"kind", "cpu", "cores", "flags", "os", "kernel", "python", "runtimes"}
    assert fields["kernel"].count(".") <= 1
    assert "/" not in json.dumps(fields).replace("GNU/Linux", "")


def test_unknown_fields_and_wrong_types_are_refused() -> None:
    data = data_of(report_of(entry_of(SAMPLES)))
    refused({**data, "hostname": "mine"}, "hostname")
    refused({**data, "settings": {**data["settings"], "threads": "2"}}, "settings.threads", "'2'")
    refused({**data, "device": {**data["device"], "kind": "toaster"}}, "device", "toaster")
    refused({**data, "entries": []}, "entries")


def test_other_schema_versions_are_refused_with_the_one_that_is_read() -> None:
    data = data_of(report_of(entry_of(SAMPLES)))
    refused({**data, "schema_version": 2}, "version 2", "reads 1", "measure again")
    refused([], "version None")


def test_what_is_no_report_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.json does not exist"):
        read_report(tmp_path / "none.json")
    for text in ("{", "\0", "[" * 100_000, '{"schema_version": 1}'):
        (tmp_path / "x.json").write_text(text)
        with pytest.raises(UserError, match=r"x\.json"):
            read_report(tmp_path / "x.json")


def test_numbers_that_are_none_are_refused() -> None:
    text = report_of(entry_of(SAMPLES)).model_dump_json()
    with pytest.raises(UserError):
        parse_report(text.replace("150.0", "NaN").encode(), "x")
    with pytest.raises(UserError):
        parse_report(text.replace("150.0", "-150.0").encode(), "x")


def test_a_summary_that_is_not_its_samples_is_refused() -> None:
    data = data_of(report_of(entry_of(SAMPLES)))
    for field in ("min_ms", "median_ms", "p90_ms"):
        changed = json.loads(json.dumps(data))
        changed["entries"][0]["timing"][field] *= 0.9
        refused(changed, field, "samples_ms")


def test_what_is_missing_must_have_a_reason() -> None:
    with pytest.raises(ValueError, match="memory: absent"):
        entry_of(SAMPLES, missing={k: v for k, v in ABSENT.items() if k != "memory"})
    with pytest.raises(ValueError, match="ratio: in 'missing', but present"):
        entry_of(SAMPLES, missing={**ABSENT, "ratio": "not run: so"})
    with pytest.raises(ValueError, match="arena_bytes"):
        entry_of(SAMPLES, counts=COUNTS.model_copy(update={"arena_bytes": None}))
    with pytest.raises(ValueError, match="missing"):
        entry_of(SAMPLES, missing={**ABSENT, "memory": "because"})


def test_an_entry_appears_once() -> None:
    with pytest.raises(ValueError, match="appear twice"):
        report_of(entry_of(SAMPLES), entry_of(SAMPLES), device=HOST)


def test_instructions_are_added_to_a_bundles_entries() -> None:
    none = COUNTS.model_copy(update={"instructions_per_mp": {}})
    missing = {**ABSENT, "instructions_per_mp": "not run: nothing counted"}
    entries = [entry_of(SAMPLES, counts=none, missing=missing, width=side) for side in (1024, 2048)]
    added = with_instructions(report_of(*entries), {"bundle": {"cortex-a55": 2e9}})
    again = parse_report(added.model_dump_json().encode(), "added")
    assert [e.counts.instructions_per_mp for e in again.entries] == [{"cortex-a55": 2e9}] * 2
    with pytest.raises(UserError, match="of other were given; the report holds bundle"):
        with_instructions(added, {"other": {"cortex-a55": 1.0}})
