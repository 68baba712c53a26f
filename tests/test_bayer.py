from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fa_mobile.bayer import (
    CFA_PATTERNS,
    CfaError,
    CfaPattern,
    augmented_crop,
    mosaic_rgb,
    pack,
    pad_to_phase,
    parse_cfa,
    red_offset,
    unpack,
)

patterns = st.sampled_from(CFA_PATTERNS)
sides = st.integers(2, 23)


def colour_codes(cfa: CfaPattern, height: int, width: int) -> npt.NDArray[np.uint8]:
    """A mosaic whose value says its colour: 0 R, 1 green in red rows, 2 green in blue rows, 3 B."""
    red_row = np.array(["R" in cfa[2 * (row % 2) :][:2] for row in range(height)])
    letters = np.array([[cfa[2 * (r % 2) + c % 2] for c in range(width)] for r in range(height)])
    green = np.where(red_row[:, None], 1, 2)
    return np.where(letters == "R", 0, np.where(letters == "B", 3, green)).astype(np.uint8)


def test_colour_codes_of_this_test_are_what_the_names_say() -> None:
    assert colour_codes("GBRG", 2, 2).tolist() == [[2, 3], [0, 1]]


@given(patterns, sides, sides, st.sampled_from([2, 4, 16, 32]), st.integers(2, 40))
def test_padding_keeps_every_colour_and_crops_back(
    cfa: CfaPattern, height: int, width: int, multiple: int, minimum: int
) -> None:
    codes = colour_codes(cfa, height, width)
    padded, (top, left) = pad_to_phase(codes, cfa, multiple, (minimum, minimum))
    assert (padded == colour_codes("RGGB", *padded.shape)).all()
    assert [side % multiple for side in padded.shape] == [0, 0]
    assert min(padded.shape) >= minimum
    values = np.arange(height * width).reshape(height, width)
    padded, (top, left) = pad_to_phase(values, cfa, multiple, (minimum, minimum))
    assert (padded[top : top + height, left : left + width] == values).all()


@given(patterns, sides, sides, st.integers(0, 2**32 - 1))
def test_pack_then_unpack_is_the_input(cfa: CfaPattern, height: int, width: int, seed: int) -> None:
    mosaic = np.random.default_rng(seed).integers(0, 65536, (height, width)).astype(np.uint16)
    padded, (top, left) = pad_to_phase(mosaic, cfa)
    back = unpack(pack(padded))
    assert back.dtype == np.uint16
    assert (back[top : top + height, left : left + width] == mosaic).all()


@pytest.mark.parametrize("cfa", CFA_PATTERNS)
def test_packed_planes_hold_one_colour_each(cfa: CfaPattern) -> None:
    padded, _ = pad_to_phase(colour_codes(cfa, 7, 9), cfa)
    planes = pack(padded)
    assert [np.unique(plane).tolist() for plane in planes] == [[0], [1], [2], [3]]


def test_pack_and_unpack_keep_leading_axes() -> None:
    batch = np.arange(2 * 3 * 4 * 6).reshape(2, 3, 4, 6)
    planes = pack(batch)
    assert planes.shape == (2, 3, 4, 2, 3)
    assert (planes[1, 2] == pack(batch[1, 2])).all()
    assert (unpack(planes) == batch).all()


@given(st.integers(0, 3), st.integers(0, 3), st.booleans(), st.booleans(), st.booleans())
def test_augmented_crop_is_rggb_and_made_of_the_mosaic(
    row: int, col: int, flip_rows: bool, flip_cols: bool, transpose: bool
) -> None:
    codes = colour_codes("RGGB", 16, 18)
    options = {"flip_rows": flip_rows, "flip_cols": flip_cols, "transpose": transpose}
    crop = augmented_crop(codes, 2 * row, 2 * col, 8, **options)
    wanted = colour_codes("RGGB", 8, 8)
    # Red and blue stay; the two greens change places where the crop is transposed.
    swap = np.array([0, 2, 1, 3])
    assert (crop == (swap[wanted] if transpose else wanted)).all()
    index = np.arange(16 * 18).reshape(16, 18)
    moved = augmented_crop(index, 2 * row, 2 * col, 8, **options)
    assert len(np.unique(moved)) == 64
    upright = moved.T if transpose else moved
    steps = (upright[1, 0] - upright[0, 0], upright[0, 1] - upright[0, 0])
    assert steps == (-18 if flip_rows else 18, -1 if flip_cols else 1)


def test_mosaic_rgb_takes_each_colour_at_its_place() -> None:
    rgb = np.broadcast_to(np.array([0.1, 0.2, 0.3]), (5, 7, 3))
    mosaic = mosaic_rgb(rgb)
    assert mosaic.shape == (4, 6)
    assert mosaic[:2, :2].tolist() == [[0.1, 0.2], [0.2, 0.3]]
    assert (mosaic == np.tile(mosaic[:2, :2], (2, 3))).all()


@pytest.mark.parametrize("cfa", CFA_PATTERNS)
def test_parse_cfa_takes_any_case_and_red_is_where_the_name_says(cfa: CfaPattern) -> None:
    assert parse_cfa(f" {cfa.lower()} ") == cfa
    row, col = red_offset(cfa)
    assert cfa[2 * row + col] == "R"


@pytest.mark.parametrize(
    ("name", "shown"),
    [("x-trans", "X-Trans"), ("Quad Bayer", "Quad-Bayer"), ("RGBW", "RGBW"), ("", "''")],
)
def test_parse_cfa_names_what_it_refuses_and_what_it_takes(name: str, shown: str) -> None:
    with pytest.raises(CfaError) as error:
        parse_cfa(name)
    assert shown in str(error.value)
    assert all(cfa in str(error.value) for cfa in CFA_PATTERNS)


def test_bad_shapes_are_named() -> None:
    with pytest.raises(ValueError, match=r"3 x 4 .*even"):
        pack(np.zeros((3, 4)))
    with pytest.raises(ValueError, match=r"\(3, 4, 4\).*\[\.\.\., 4, h, w\]"):
        unpack(np.zeros((3, 4, 4)))
    with pytest.raises(ValueError, match=r"\(1, 4\).*at least 2"):
        pad_to_phase(np.zeros((1, 4)), "RGGB")
    with pytest.raises(ValueError, match=r"multiple=3.*even"):
        pad_to_phase(np.zeros((4, 4)), "RGGB", 3)
    with pytest.raises(ValueError, match=r"top=1.*even"):
        augmented_crop(np.zeros((8, 8)), 1, 0, 4)
    with pytest.raises(ValueError, match=r"crop of 8 .*\(8, 8\)"):
        augmented_crop(np.zeros((8, 8)), 0, 0, 8, flip_rows=True)
