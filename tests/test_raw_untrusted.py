"""Files that are damaged or no RAW at all: refused in one line, whatever they hold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from fa_mobile.dng import encode_dng
from fa_mobile.errors import UserError
from fa_mobile.raw_io import (
    read_raw,
)
from tests.raw_files import frame, refusal


def test_missing_file_and_folder_are_refused(tmp_path: Path) -> None:
    assert "not found" in refusal(tmp_path / "none.dng")
    assert "not found" in refusal(tmp_path)


def test_what_is_not_raw_is_refused(tmp_path: Path) -> None:
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8))
    for name in ("a.jpg", "a.png", "a.tif"):
        picture.save(tmp_path / name)
        assert "RAW" in refusal(tmp_path / name)
    for name, data in (("a.txt", b"not a picture\n" * 99), ("empty.dng", b""), ("z", b"\0" * 9999)):
        (tmp_path / name).write_bytes(data)
        assert "RAW" in refusal(tmp_path / name)


def test_every_cut_is_noticed(tmp_path: Path) -> None:
    data = encode_dng(frame(24, 26))
    exif = len(data) - (2 + 4 * 12 + 4)
    path = tmp_path / "cut.dng"
    for length in (*range(0, 400, 7), 700, exif - 600, exif - 1):
        path.write_bytes(data[:length])
        refusal(path)
    path.write_bytes(data[: exif - 1])
    assert "cut off: 1 bytes" in refusal(path)


@settings(max_examples=150)
@given(st.data())
def test_damaged_files_never_end_in_anything_but_a_user_error(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    spoiled = bytearray(encode_dng(frame(22, 23)))
    places = st.integers(0, 699) | st.integers(0, len(spoiled) - 1)
    for at in data.draw(st.lists(places, min_size=1, max_size=4)):
        spoiled[at] = data.draw(st.sampled_from([0, 1, 2, 127, 128, 255]))
    path = tmp_path_factory.mktemp("fuzz") / "a.dng"
    path.write_bytes(spoiled)
    try:
        read_raw(path)
    except UserError as error:
        assert str(path) in str(error)
