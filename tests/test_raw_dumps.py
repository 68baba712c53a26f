"""Dumps without a header."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fa_mobile.errors import UserError
from fa_mobile.raw_io import (
    RawFrame,
    read_headerless,
)


def dump(path: Path, **changes: Any) -> RawFrame:
    given: dict[str, Any] = {
        "shape": (3, 4), "cfa": "GRBG", "black_level": (64,) * 4, "white_level": 1023,
    }  # fmt: skip
    return read_headerless(path, **(given | changes))


def test_bare_dump_is_little_endian_row_by_row(tmp_path: Path) -> None:
    path = tmp_path / "a.raw"
    path.write_bytes(bytes(range(24)))
    got = dump(path)
    assert got.mosaic.shape == (3, 4)
    assert got.mosaic[0].tolist() == [0x0100, 0x0302, 0x0504, 0x0706]
    assert got.mosaic[2, 3] == 0x1716
    assert (got.cfa, got.black_level, got.white_level, got.iso) == ("GRBG", (64,) * 4, 1023, None)


@pytest.mark.parametrize("size", [0, 23, 25, 15])
def test_bare_dump_of_another_size_is_refused(tmp_path: Path, size: int) -> None:
    path = tmp_path / "a.raw"
    path.write_bytes(bytes(size))
    with pytest.raises(UserError, match=rf"a\.raw has {size} bytes.*exactly 24 for 3 x 4"):
        dump(path)


def test_bare_dump_with_impossible_arguments_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.raw"
    path.write_bytes(bytes(24))
    with pytest.raises(UserError, match=r"none\.raw was not found.*uint16"):
        dump(tmp_path / "none.raw")
    with pytest.raises(UserError, match=r"1 x 12 .*at least 2 x 2"):
        dump(path, shape=(1, 12))
    with pytest.raises(UserError, match=r"white_level=64 .*black < white"):
        dump(path, white_level=64)
