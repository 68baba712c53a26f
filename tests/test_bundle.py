"""A bundle on disk is refused unless it is whole."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import fa_mobile
from fa_mobile.bundle import SUMS_FILE, read_bundle, read_golden
from fa_mobile.errors import UserError
from fa_mobile.manifest import MANIFEST_FILE
from fa_mobile.selection import select
from tests.fakes import fake_manifest, write_fake_bundle


@pytest.fixture()
def folder(tmp_path: Path) -> Path:
    return write_fake_bundle(tmp_path / "bundle")


def test_whole_bundle_is_read(folder: Path) -> None:
    manifest = read_bundle(folder)
    raw, reference, truth = read_golden(folder, manifest.golden[0])
    assert raw.dtype == np.uint16 and (raw == 500).all()
    assert (reference == 500).all() and (truth == 500).all()


def test_sums_have_the_format_of_sha256sum(folder: Path) -> None:
    lines = (folder / SUMS_FILE).read_text().splitlines()
    assert [line[64:66] for line in lines] == ["  "] * len(lines)
    assert "model.onnx" in [line[66:] for line in lines]


def damage_change(folder: Path) -> None:
    (folder / "model.onnx").write_bytes(b"another")


def damage_remove(folder: Path) -> None:
    (folder / "model.onnx").unlink()


def damage_add(folder: Path) -> None:
    (folder / "extra").write_bytes(b"")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (damage_change, "model.onnx has another hash"),
        (damage_remove, "model.onnx is missing"),
        (damage_add, "extra is not listed"),
        (lambda folder: (folder / SUMS_FILE).unlink(), f"no {SUMS_FILE}"),
        (lambda folder: (folder / MANIFEST_FILE).unlink(), "is not a bundle"),
        (lambda folder: (folder / MANIFEST_FILE).write_text("{"), "is not JSON"),
        (lambda folder: (folder / MANIFEST_FILE).write_text("[]"), "schema version None"),
    ],
)
def test_damaged_bundle_is_refused(folder: Path, damage, message: str) -> None:  # type: ignore[no-untyped-def]
    damage(folder)
    with pytest.raises(UserError, match=message):
        fa_mobile.open_bundle(folder)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("schema_version", 3, "schema version 3; this fa-mobile reads 2"),
        ("files", ["../outside"], "files.0"),
        ("files", ["/etc/passwd"], "files.0"),
        ("stride", 0, "stride"),
        ("unheard", 1, "unheard"),
    ],
)
def test_wrong_manifest_is_refused(folder: Path, field: str, value: object, message: str) -> None:
    data = json.loads((folder / MANIFEST_FILE).read_text())
    data[field] = value
    (folder / MANIFEST_FILE).write_text(json.dumps(data))
    with pytest.raises(UserError, match=message):
        read_bundle(folder)


def test_core_ml_says_where_it_runs(tmp_path: Path) -> None:
    folder = write_fake_bundle(tmp_path / "b", target="coreml", precision="fp16")
    with pytest.raises(UserError, match="Apple systems only"):
        fa_mobile.open_bundle(folder)


def test_selection_table_holds_every_edge_and_its_neighbours() -> None:
    manifest = fake_manifest()
    table = dict(manifest.selection)
    members = [table[value] for value in sorted(table)]
    assert members == sorted(members) and set(members) == {0, 1, 2, 3}
    for value, member in manifest.selection:
        assert select(manifest.sensor.a_float32(value), manifest.edges) == member
    steps = [
        np.nextafter(np.float32(low), np.float32(np.inf)) == np.float32(high)
        for low, high in zip(sorted(table), sorted(table)[1:], strict=False)
        if table[low] != table[high]
    ]
    assert steps == [True] * 3  # neighbouring floats on either side of each edge
