"""DNG files of other programs: every form of their tags, and what is refused by name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from fa_mobile.bayer import CFA_PATTERNS
from fa_mobile.raw_io import (
    read_raw,
)
from tests.raw_files import dng, refusal, written

QUAD = (0, 0, 1, 1, 0, 0, 1, 1, 1, 1, 2, 2, 1, 1, 2, 2)
XTRANS = (1, 1, 0, 1, 1, 2, 1, 1, 2, 1, 1, 0, 2, 0, 1, 0, 2, 1) * 2


@pytest.mark.parametrize("area", [(1, 3, 50, 61), (2, 3, 50, 60), (1, 2, 64, 70), (4, 8, 63, 61)])
def test_black_level_follows_the_active_area(
    tmp_path: Path, area: tuple[int, int, int, int]
) -> None:
    mosaic = np.random.default_rng(0).integers(0, 1024, (64, 70)).astype(np.uint16)
    tags = {
        50829: (4, area),
        # CFAPattern and BlackLevel both begin at the corner of the active area.
        33422: (1, (1, 2, 0, 1)),
        50713: (3, (2, 2)),
        50714: (3, (10, 20, 30, 40)),
        50717: (3, (1000,)),
    }
    got = read_raw(written(tmp_path, dng(mosaic, tags)))
    top, left, bottom, right = area
    assert np.array_equal(got.mosaic, mosaic[top:bottom, left:right])
    assert got.cfa == "GBRG"
    assert got.black_level == (30, 40, 10, 20)
    assert got.white_level == 1000


def test_active_area_outside_the_samples_is_refused(tmp_path: Path) -> None:
    data = dng(np.ones((48, 48), np.uint16), {50829: (4, (0, 0, 48, 49))})
    assert refusal(written(tmp_path, data))


@pytest.mark.parametrize(
    ("tags", "wanted"),
    [
        ({50714: (3, (64,))}, (64, 64, 64, 64)),
        ({50714: (5, (129, 2))}, (64.5, 64.5, 64.5, 64.5)),
        ({50713: (3, (1, 2)), 50714: (3, (10, 20))}, (10, 20, 10, 20)),
        ({50713: (3, (2, 1)), 50714: (3, (10, 20))}, (10, 10, 20, 20)),
        ({50713: (3, (2, 4)), 50714: (3, (1, 2, 3, 4, 5, 6, 7, 8))}, (2, 3, 6, 7)),
        ({50714: (3, (64,)), 50715: (10, (1, 2) * 24)}, (64.5, 64.5, 64.5, 64.5)),
        ({}, (0, 0, 0, 0)),
    ],
)
def test_black_level_in_every_form(
    tmp_path: Path, tags: dict[int, tuple[int, Any]], wanted: tuple[float, ...]
) -> None:
    got = read_raw(written(tmp_path, dng(np.full((24, 24), 99, np.uint16), tags)))
    assert got.black_level == wanted
    assert got.white_level == 65535


@pytest.mark.parametrize(
    ("values", "planes", "wanted"),
    [
        ((1e-3, 1e-6), (0, 1, 2), (1e-3, 1e-6)),
        ((1e-3, 1e-6, 2e-3, 2e-6, 3e-3, 3e-6), (0, 1, 2), (2e-3, 2e-6)),
        ((0.0, 1e-6), (0, 1, 2), None),
        ((1e-3, -1e-6), (0, 1, 2), None),
        ((float("nan"), 1e-6), (0, 1, 2), None),
    ],
)
def test_noise_profile_is_that_of_green(
    tmp_path: Path,
    values: tuple[float, ...],
    planes: tuple[int, ...],
    wanted: tuple[float, float] | None,
) -> None:
    tags = {51041: (12, values), 50710: (1, planes)}
    assert read_raw(written(tmp_path, dng(np.ones((24, 24), np.uint16), tags))).noise == wanted


def test_d65_matrix_is_preferred_and_iso_found_in_ifd0(tmp_path: Path) -> None:
    warm, day = (2, 1, *(0, 1) * 8), (3, 1, *(0, 1) * 8)
    tags = {
        50721: (10, warm), 50778: (3, (17,)), 50722: (10, day), 50779: (3, (21,)),
        34855: (3, (250,)),
    }  # fmt: skip
    got = read_raw(written(tmp_path, dng(np.ones((24, 24), np.uint16), tags)))
    assert got.color_matrix == (3, 0, 0, 0, 0, 0, 0, 0, 0)
    assert got.iso == 250


def test_mosaic_in_a_sub_ifd_behind_a_preview(tmp_path: Path) -> None:
    mosaic = np.random.default_rng(1).integers(0, 1024, (40, 50)).astype(np.uint16)
    path = tmp_path / "a.dng"
    with tifffile.TiffWriter(path) as writer:
        writer.write(
            np.zeros((16, 16, 3), np.uint8), photometric="rgb", subfiletype=1, subifds=1,
            metadata=None,
            extratags=[
                (50706, 1, 4, (1, 4, 0, 0), True), (50708, 2, 0, "x", True),
                (271, 2, 0, "Maker", True), (272, 2, 0, "Phone", True),
            ],
        )  # fmt: skip
        writer.write(
            mosaic, photometric=32803, subfiletype=0, metadata=None,
            extratags=[
                (33421, 3, 2, (2, 2), True), (33422, 1, 4, (2, 1, 1, 0), True),
                (50714, 3, 1, 64, True), (50717, 3, 1, 1023, True),
                (51041, 12, 2, (1e-3, 1e-6), True),
            ],
        )  # fmt: skip
    got = read_raw(path)
    assert np.array_equal(got.mosaic, mosaic)
    assert (got.cfa, got.black_level, got.white_level) == ("BGGR", (64,) * 4, 1023)
    assert (got.noise, got.make, got.model) == ((1e-3, 1e-6), "Maker", "Phone")


@pytest.mark.parametrize(
    ("dim", "pattern", "told"),
    [((4, 4), QUAD, "4 x 4.*Quad-Bayer"), ((6, 6), XTRANS, "6 x 6.*X-Trans")],
)
def test_other_filter_arrays_are_refused_by_name(
    tmp_path: Path, dim: tuple[int, int], pattern: tuple[int, ...], told: str
) -> None:
    tags = {33421: (3, dim), 33422: (1, pattern)}
    message = refusal(written(tmp_path, dng(np.ones((48, 48), np.uint16), tags)))
    assert re.search(told, message)
    assert all(cfa in message for cfa in CFA_PATTERNS)


@pytest.mark.parametrize("codes", [(3, 4, 5, 1), (0, 0, 1, 2), (0, 1, 2, 1)])
def test_other_colours_are_refused(tmp_path: Path, codes: tuple[int, ...]) -> None:
    data = dng(np.ones((48, 48), np.uint16), {33422: (1, codes)})
    assert "not a Bayer mosaic" in refusal(written(tmp_path, data))


def test_linear_and_monochrome_are_refused(tmp_path: Path) -> None:
    levels = {50714: (3, (0, 0, 0))}  # one black level for each of the three colours
    linear = dng(np.ones((48, 48, 3), np.uint16), levels, photometric=34892)
    assert re.search("34892 .*not a Bayer mosaic", refusal(written(tmp_path, linear)))
    gray = dng(np.ones((48, 48), np.uint16), {}, photometric=1)
    assert re.search("Interpretation 1 .*not a Bayer mosaic", refusal(written(tmp_path, gray)))


def test_impossible_levels_are_refused(tmp_path: Path) -> None:
    data = dng(np.ones((48, 48), np.uint16), {50714: (3, (64,)), 50717: (3, (64,))})
    message = refusal(written(tmp_path, data))
    assert "black < white" in message
    assert "64" in message
