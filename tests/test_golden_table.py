"""The golden table holds what the Python session does, and a wrong one is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fa_mobile.bundle import read_bundle, write_sums
from fa_mobile.errors import UserError
from fa_mobile.golden_table import TABLE_FILE, golden_table, read_table, replay_table
from fa_mobile.manifest import Manifest
from fa_mobile.verify import verify_bundle
from tests.fakes import fake_bundle, fake_manifest, write_fake_bundle

Change = Callable[[dict[str, Any]], object]


@pytest.fixture()
def folder(tmp_path: Path) -> Path:
    return write_fake_bundle(tmp_path / "bundle")


@pytest.mark.parametrize("fixed", [False, True])
@pytest.mark.parametrize("selector", ["gain", "noise-profile"])
def test_written_table_replays(tmp_path: Path, fixed: bool, selector: str) -> None:
    folder = write_fake_bundle(tmp_path / "b", fixed_shape=fixed, selector=selector)
    manifest = read_bundle(folder)
    assert read_table(folder) == golden_table(manifest)
    replay_table(folder, manifest)


def test_selection_is_the_manifests_with_both_sides_of_every_edge() -> None:
    manifest = fake_manifest()
    table = golden_table(manifest)
    assert tuple((row.value, row.member) for row in table.selection) == manifest.selection
    for index, edge in enumerate(manifest.edges):
        sides = {row.member for row in table.selection if abs(row.a / edge - 1) < 1e-6}
        assert sides == {index, index + 1}


def test_every_plan_writes_each_sample_once() -> None:
    for row in golden_table(fake_manifest()).tiling:
        written = np.zeros((row.height, row.width), np.uint8)
        for top, bottom, left, right in row.write:
            written[top:bottom, left:right] += 1
        assert (written == 1).all(), f"{row.height} x {row.width}"


def test_a_halo_that_leaves_nothing_of_the_tile_leaves_out_plans_of_several() -> None:
    whole = fake_manifest()
    far = whole.model_copy(update={"halo": min(whole.tile)})
    own = [row for row in golden_table(far).tiling if row.halo == far.halo]
    assert own and all(len(row.read) == 1 for row in own)
    assert {row.cfa for row in own} == {"RGGB"}


def test_the_session_reads_and_writes_the_plan() -> None:
    """Every sample is its own number, so what the model saw tells where it was read."""
    height, width = 150, 97
    seen: list[tuple[int, int, int]] = []

    def note(raw: np.ndarray, *_scalars: np.ndarray) -> np.ndarray:
        seen.append((int(raw[0, 0, 0, 0]), *raw.shape[2:]))
        return raw

    bundle, _ = fake_bundle(note)
    capture = np.arange(height * width, dtype=np.float32).reshape(height, width)
    assert np.array_equal(bundle(capture, gain=1), capture)
    m = bundle.manifest
    row = golden_table(m).tiling[0].of(
        m,
        {
            "height": height, "width": width, "cfa": "RGGB", "stride": m.stride, "halo": m.halo,
            "tile": m.tile, "minimum": (m.min_side, m.min_side),
        },
    )  # fmt: skip
    assert seen == [
        (int(capture[top, left]), bottom - top, right - left)
        for top, bottom, left, right in row.read
    ]


def test_packed_planes_hold_their_own_colour() -> None:
    for row in golden_table(fake_manifest()).packing:
        mosaic = np.array(row.mosaic)
        for plane, colour in zip(row.packed, ("R", "G", "G", "B"), strict=True):
            rows, cols = np.nonzero(np.isin(mosaic, plane))
            assert {row.cfa[2 * (r % 2) + c % 2] for r, c in zip(rows, cols, strict=True)} == {
                colour
            }


def edited(folder: Path, change: Change) -> Manifest:
    path = folder / TABLE_FILE
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data))
    write_sums(folder)
    return read_bundle(folder)


def flip_member(data: dict[str, Any]) -> None:
    data["selection"][0]["member"] = 1


def shift_tile(data: dict[str, Any]) -> None:
    data["tiling"][0]["write"][0][1] += 1


def round_up(data: dict[str, Any]) -> None:
    data["dn"][5]["dn"] = 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (flip_member, "selection is not the manifest's.*selection.0. differs"),
        (shift_tile, r"tiling\[0\] differs"),
        (round_up, r"dn\[5\] differs"),
        (lambda data: data["noise"][2].update(b=0.0), r"noise\[2\] differs"),
        (lambda data: data["k_sigma"][2].update(z=0.0), r"k_sigma\[2\] differs"),
        (lambda data: data["packing"][2].update(origin=[1, 1]), r"packing\[2\] differs"),
        (lambda data: data["tiling"][1].update(halo=3), r"tiling\[1\]: .*multiples"),
        (lambda data: data.update(packing=[]), "packing is empty"),
        (lambda data: data.update(vectors=[]), "vectors are not the manifest's"),
        (lambda data: data.update(bundle="other"), "belongs to other"),
        (lambda data: data.update(schema_version=2), "schema_version"),
        (lambda data: data["dn"][0].update(value=float("nan")), "dn.0.value"),
        (lambda data: data.pop("noise"), "noise: Field required"),
    ],
)
def test_wrong_table_is_refused(folder: Path, change: Change, message: str) -> None:
    manifest = edited(folder, change)
    with pytest.raises(UserError, match=message):
        replay_table(folder, manifest)


def test_verify_refuses_a_wrong_table_and_a_missing_one(folder: Path) -> None:
    edited(folder, flip_member)
    with pytest.raises(UserError, match="differs"):
        verify_bundle(folder)
    (folder / TABLE_FILE).unlink()
    write_sums(folder)
    with pytest.raises(UserError, match="earlier fa-mobile exported it.*export it again"):
        verify_bundle(folder)


def test_table_that_is_no_json_is_refused(folder: Path) -> None:
    (folder / TABLE_FILE).write_text("{")
    with pytest.raises(UserError, match="is not JSON"):
        read_table(folder)
