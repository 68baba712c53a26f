"""Which short exposure belongs to which long one."""

from __future__ import annotations

from pathlib import Path

import pytest

from fa_mobile.errors import UserError
from fa_mobile.pairing.matching import Keyed, captures_below, match


def keyed(*keys: str) -> list[Keyed]:
    return [Keyed(Path(f"{key}.dng"), key) for key in keys]


@pytest.mark.parametrize(
    ("short", "longs", "long"),
    [
        ("kitchen", ["kitchen", "hall"], "kitchen"),
        ("kitchen_iso1600_03", ["kitchen_long", "hall_long"], "kitchen_long"),
        ("kitchen/03", ["kitchen", "hall"], "kitchen"),
        ("kitchen/03", ["kitchen/long", "hall/long"], "kitchen/long"),
        ("living_room_16", ["living_room_long", "living_long"], "living_room_long"),
        ("00001_00_0.1s", ["00001_00_10s", "00002_00_10s"], "00001_00_10s"),
    ],
)
def test_rules(short: str, longs: list[str], long: str) -> None:
    (found,), _ = match(keyed(short), keyed(*longs))
    assert found.long == Path(f"{long}.dng")


@pytest.mark.parametrize("short", ["kitchenette", "kit", "hall_2"])
def test_another_scene_is_none(short: str) -> None:
    found, alone = match(keyed(short), keyed("kitchen"))
    assert not found and alone[0].path == Path(f"{short}.dng")
    assert "long exposure is missing" in alone[0].reason


def test_two_that_fit_alike_are_none() -> None:
    found, alone = match(keyed("kitchen_1"), keyed("kitchen_long", "kitchen_day"))
    assert (
        not found and "2 long exposures fit (kitchen_long.dng, kitchen_day.dng)" in alone[0].reason
    )


def test_one_long_file_serves_all_and_unused_ones_are_told() -> None:
    found, alone = match(keyed("a", "b"), keyed("long"), only=True)
    assert [one.long.name for one in found] == ["long.dng"] * 2 and not alone
    _, alone = match(keyed("a"), keyed("a", "b"))
    assert [one.path.name for one in alone] == ["b.dng"]


def test_files_below_a_folder(tmp_path: Path) -> None:
    for name in ("b.dng", "scene/a.DNG", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    assert [one.key for one in captures_below(tmp_path)] == ["b", "scene/a"]
    with pytest.raises(UserError, match="was not found"):
        captures_below(tmp_path / "none")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="no RAW file"):
        captures_below(tmp_path / "empty")
