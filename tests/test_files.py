from __future__ import annotations

from pathlib import Path

import pytest

from fa_mobile.errors import UserError
from fa_mobile.files import replace_file, replace_folder


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_file_appears_with_its_contents_and_nothing_beside_it(tmp_path: Path) -> None:
    target = tmp_path / "new" / "a.bin"
    with replace_file(target) as partial:
        partial.write_bytes(b"whole")
        assert not target.exists()
    assert target.read_bytes() == b"whole"
    assert names(target.parent) == ["a.bin"]


def test_failing_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "a.bin"
    target.write_bytes(b"old")
    with pytest.raises(RuntimeError), replace_file(target) as partial:
        partial.write_bytes(b"ha")
        raise RuntimeError
    assert target.read_bytes() == b"old"
    assert names(tmp_path) == ["a.bin"]


def test_file_in_a_place_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    with (
        pytest.raises(UserError, match=r"cannot write .*b\.bin.*choose a place"),
        replace_file(tmp_path / "file" / "b.bin"),
    ):
        pytest.fail("there is no place to write to")
    assert names(tmp_path) == ["file"]


def test_file_cannot_take_the_place_of_a_folder(tmp_path: Path) -> None:
    target = tmp_path / "a"
    target.mkdir()
    with pytest.raises(UserError, match="cannot write"), replace_file(target) as partial:
        partial.write_bytes(b"x")
    assert names(tmp_path) == ["a"]


def test_running_out_of_space_is_a_user_error(tmp_path: Path) -> None:
    target = tmp_path / "a.bin"
    with (
        pytest.raises(UserError, match=r"a\.bin: No space left.*choose a place with space"),
        replace_file(target) as partial,
    ):
        partial.write_bytes(b"half")
        raise OSError(28, "No space left on device")
    assert names(tmp_path) == []


def test_permissions_follow_the_umask(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_bytes(b"")
    with replace_file(tmp_path / "a.bin") as partial:
        partial.write_bytes(b"x")
    assert (tmp_path / "a.bin").stat().st_mode == plain.stat().st_mode


def test_folder_replaces_the_old_one_whole(tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.mkdir()
    (target / "stale").write_text("old")
    with replace_folder(target) as partial:
        (partial / "fresh").write_text("new")
        assert names(target) == ["stale"]
    assert names(target) == ["fresh"]
    assert names(tmp_path) == ["out"]


def test_failing_leaves_the_old_folder_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.mkdir()
    (target / "stale").write_text("old")
    with pytest.raises(RuntimeError), replace_folder(target) as partial:
        (partial / "fresh").write_text("half")
        raise RuntimeError
    assert names(target) == ["stale"]
    assert names(tmp_path) == ["out"]


def test_folder_where_a_file_is_is_refused(tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.write_text("a file")
    with pytest.raises(UserError, match=r"out is a file.*folder"), replace_folder(target):
        pytest.fail("a file is in the way")
    assert target.read_text() == "a file"
    assert names(tmp_path) == ["out"]
