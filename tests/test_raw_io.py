from __future__ import annotations

import io
import re
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import rawpy
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from fa_mobile.bayer import CFA_PATTERNS, CfaPattern, red_offset
from fa_mobile.dng import cell_order, encode_dng
from fa_mobile.errors import UserError
from fa_mobile.noise import NoiseParameters
from fa_mobile.raw_io import (
    RawFrame,
    gain_of,
    normalize,
    read_headerless,
    read_raw,
    render_preview,
    write_dng,
)
from fa_mobile.sensor import load_profile

QUAD = (0, 0, 1, 1, 0, 0, 1, 1, 1, 1, 2, 2, 1, 1, 2, 2)
XTRANS = (1, 1, 0, 1, 1, 2, 1, 1, 2, 1, 1, 0, 2, 0, 1, 0, 2, 1) * 2


def frame(height: int = 33, width: int = 47, cfa: CfaPattern = "RGGB", **changes: Any) -> RawFrame:
    """A frame of random DN with every field filled in."""
    rng = np.random.default_rng(height * 1000 + width)
    full = RawFrame(
        mosaic=rng.integers(0, 1024, (height, width)).astype(np.uint16),
        cfa=cfa,
        black_level=(60, 61.5, 62, 63.1),
        white_level=1023,
        iso=800,
        noise=NoiseParameters(1.234567890123e-3, 2.3e-7),
        make="Sony",
        model="IMX258",
        color_matrix=load_profile("imx258").color_matrix,
        as_shot_neutral=(0.4651, 1, 0.5882),
    )
    return replace(full, **changes)


def assert_same(got: RawFrame, wanted: RawFrame) -> None:
    assert got.mosaic.dtype == np.uint16
    assert np.array_equal(got.mosaic, wanted.mosaic)
    for field in fields(RawFrame):
        if field.name != "mosaic":
            assert getattr(got, field.name) == getattr(wanted, field.name), field.name


def dng(
    mosaic: npt.NDArray[Any], tags: dict[int, tuple[int, Any]], photometric: int = 32803
) -> bytes:
    """A DNG as another program might write it: ``tags`` by code, as (TIFF type, values)."""
    every: dict[int, tuple[int, Any]] = {
        50706: (1, (1, 4, 0, 0)),
        50708: (2, "other"),
        33421: (3, (2, 2)),
        33422: (1, (0, 1, 1, 2)),
    }
    extra = []
    for code, (dtype, value) in (every | tags).items():
        count = 0 if isinstance(value, str) else len(value) // (2 if dtype in (5, 10) else 1)
        single = not isinstance(value, str) and len(value) == 1
        extra.append((code, dtype, count, value[0] if single else value, True))
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as writer:
        writer.write(
            mosaic,
            photometric=photometric,
            planarconfig=1 if mosaic.ndim == 3 else None,
            metadata=None,
            extratags=extra,
        )
    return buffer.getvalue()


def written(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "other.dng"
    path.write_bytes(data)
    return path


def refusal(path: Path) -> str:
    """What read_raw says about a file that it must refuse, in one line, with the file's name."""
    with pytest.raises(UserError) as error:
        read_raw(path)
    message = str(error.value)
    assert str(path) in message
    assert "\n" not in message
    assert "allowed" in message
    return message


# ---------------------------------------------------------------------------- DNG round trip


@pytest.mark.parametrize("cfa", CFA_PATTERNS)
@pytest.mark.parametrize(
    ("height", "width"), [(33, 47), (22, 22), (23, 500), (480, 22), (64, 64), (101, 76)]
)
def test_dng_round_trip(tmp_path: Path, cfa: CfaPattern, height: int, width: int) -> None:
    original = frame(height, width, cfa)
    path = tmp_path / "a.dng"
    write_dng(path, original)
    assert_same(read_raw(path), original)
    assert [item.name for item in tmp_path.iterdir()] == ["a.dng"]


def test_dng_round_trip_of_a_whole_sensor(tmp_path: Path) -> None:
    original = frame(3120, 4208, "GBRG")
    write_dng(tmp_path / "a.dng", original)
    assert_same(read_raw(tmp_path / "a.dng"), original)


@settings(max_examples=40)
@given(
    bits=st.integers(10, 16),
    black=st.tuples(*[st.integers(0, 4 * 200).map(lambda quarter: quarter / 4)] * 4),
    iso=st.integers(1, 1_000_000),
    a=st.floats(1e-6, 1),
    b=st.floats(0, 0.1),
    cfa=st.sampled_from(CFA_PATTERNS),
)
def test_dng_round_trip_of_any_levels(
    tmp_path_factory: pytest.TempPathFactory,
    bits: int,
    black: tuple[float, float, float, float],
    iso: int,
    a: float,
    b: float,
    cfa: CfaPattern,
) -> None:
    white = 2**bits - 1
    mosaic = np.random.default_rng(bits).integers(0, white + 1, (24, 25)).astype(np.uint16)
    original = frame(
        cfa=cfa, mosaic=mosaic, black_level=black, white_level=white, iso=iso,
        noise=NoiseParameters(a, b),
    )  # fmt: skip
    path = tmp_path_factory.mktemp("dng") / "a.dng"
    write_dng(path, original)
    assert_same(read_raw(path), original)


def test_frame_without_metadata_gets_neutral_colour(tmp_path: Path) -> None:
    original = frame(
        iso=None, noise=None, make="", model="", color_matrix=None, as_shot_neutral=None
    )
    write_dng(tmp_path / "a.dng", original)
    got = read_raw(tmp_path / "a.dng")
    assert got.as_shot_neutral == (1, 1, 1)
    assert got.color_matrix is not None
    # The sRGB matrix takes D65 white to equal channels.
    white = np.reshape(got.color_matrix, (3, 3)) @ [0.9505, 1, 1.089]
    assert white == pytest.approx([1, 1, 1], abs=2e-3)
    assert_same(replace(got, color_matrix=None, as_shot_neutral=None), original)


@pytest.mark.parametrize(
    ("make", "model"),
    [("Canon", "Canon EOS 5D Mark IV"), ("NIKON CORPORATION", "NIKON D850"), ("FUJIFILM", "X-T3")],
)
def test_known_cameras_are_not_second_guessed(tmp_path: Path, make: str, model: str) -> None:
    original = frame(make=make, model=model)
    write_dng(tmp_path / "a.dng", original)
    assert_same(read_raw(tmp_path / "a.dng"), original)


def test_other_readers_find_the_tags(tmp_path: Path) -> None:
    path = tmp_path / "a.dng"
    original = frame(cfa="BGGR", iso=1600)
    write_dng(path, original)
    with tifffile.TiffFile(path) as tiff:
        tags = {tag.name: tag.value for tag in tiff.pages.first.tags.values()}
    assert tags["NewSubfileType"] == 0
    assert tags["PhotometricInterpretation"] == 32803
    assert tags["CFAPattern"] == bytes([2, 1, 1, 0])
    assert tags["DNGVersion"] == bytes([1, 4, 0, 0])
    assert tags["UniqueCameraModel"] == "Sony IMX258"
    assert tags["Software"] == "fa-mobile"
    assert tags["Orientation"] == 1
    # B, Gb, Gr, R: the order of the cells, from the origin.
    assert tags["BlackLevel"] == (631, 10, 62, 1, 123, 2, 60, 1)
    assert tags["WhiteLevel"] == 1023
    assert tags["CalibrationIlluminant1"] == 21
    assert original.noise is not None
    assert tags["NoiseProfile"] == (*original.noise,) * 3
    assert tags["ExifTag"]["ISOSpeedRatings"] == 1600
    with rawpy.imread(str(path)) as raw:
        assert raw.other.iso_speed == 1600
        assert raw.white_level == 1023


def test_iso_that_exif_of_16_bits_cannot_hold(tmp_path: Path) -> None:
    write_dng(tmp_path / "a.dng", frame(iso=102400))
    assert read_raw(tmp_path / "a.dng").iso == 102400


@pytest.mark.parametrize(("height", "width"), [(21, 64), (64, 21), (2, 2)])
def test_dng_too_small_for_libraw_is_refused(tmp_path: Path, height: int, width: int) -> None:
    with pytest.raises(UserError, match=rf"{height} x {width}.*allowed.*22 to 65535.*crop"):
        write_dng(tmp_path / "a.dng", frame(height, width))
    assert list(tmp_path.iterdir()) == []


def test_dng_white_level_must_be_whole(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"white_level=1022\.5.*whole"):
        write_dng(tmp_path / "a.dng", frame(white_level=1022.5))
    assert list(tmp_path.iterdir()) == []


def test_dng_in_an_impossible_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UserError, match=r"cannot write .*a\.dng"):
        write_dng(tmp_path / "file" / "a.dng", frame())
    assert [item.name for item in tmp_path.iterdir()] == ["file"]


# ------------------------------------------------------------------- DNGs of other programs


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


# -------------------------------------------------------------------------- untrusted files


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


# ------------------------------------------------------------------------------- bare dumps


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


# ------------------------------------------------------------------------ frames, normalising


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"mosaic": np.ones((4, 4), np.int32)}, r"int32 \(4, 4\).*uint16"),
        ({"mosaic": np.ones((1, 4), np.uint16)}, r"\(1, 4\).*2 x 2"),
        ({"mosaic": np.ones((4, 4, 1), np.uint16)}, r"\(4, 4, 1\).*\[H, W\]"),
        ({"cfa": "RGBG"}, "RGBG.*RGGB, GRBG, GBRG, BGGR"),
        ({"black_level": (64, 64, 64, 1023)}, "1023.*black < white"),
        ({"black_level": (64, 64, 64, -1)}, "-1.*0 <= black"),
        ({"black_level": (64, 64, 64, float("nan"))}, "nan.*black < white"),
        ({"black_level": (64, 64)}, r"\(64, 64\).*four"),
        ({"white_level": 65536}, "65536.*<= 65535"),
        ({"iso": 0}, "iso=0.*above 0"),
        ({"iso": float("inf")}, "iso=inf.*above 0"),
        ({"noise": NoiseParameters(0, 1e-6)}, "noise.*a > 0"),
        ({"noise": NoiseParameters(1e-3, -1e-6)}, "noise.*-1e-06.*0 to"),
        ({"make": "Söny"}, "make='Söny'.*ASCII"),
        ({"model": "a\nb"}, "model=.*ASCII"),
        ({"color_matrix": (1.0, 2.0)}, "color_matrix.*9 numbers"),
        ({"as_shot_neutral": (1.0, 0.0, 1.0)}, "as_shot_neutral.*0.001 to"),
    ],
)
def test_frames_refuse_what_they_cannot_hold(change: dict[str, Any], told: str) -> None:
    with pytest.raises(UserError, match=told):
        frame(**change)


@pytest.mark.parametrize("cfa", CFA_PATTERNS)
def test_normalising_uses_the_black_of_each_colour(cfa: CfaPattern) -> None:
    black = (10.0, 20.0, 30.0, 40.0)
    cells = np.reshape(cell_order(black, cfa), (2, 2))
    row, col = red_offset(cfa)
    assert cells[row, col] == 10
    assert cells[1 - row, 1 - col] == 40
    assert cells[row, 1 - col] == 20  # Gr is beside red
    at_black = np.tile(cells, (3, 4))[:5, :7].astype(np.uint16)
    made = frame(cfa=cfa, mosaic=at_black, black_level=black, white_level=110)
    assert normalize(made).dtype == np.float32
    assert (normalize(made) == 0).all()
    above = normalize(replace(made, mosaic=at_black + np.uint16(35)))
    assert above == pytest.approx(35 / (110 - np.tile(cells, (3, 4))[:5, :7]), rel=1e-6)


def test_normalising_keeps_noise_below_black_and_clips_at_white() -> None:
    mosaic = np.array([[0, 1023], [1200, 64]], np.uint16)
    got = normalize(frame(mosaic=mosaic, black_level=(64,) * 4))
    assert got == pytest.approx(np.array([[-64 / 959, 1], [1, 0]]), rel=1e-6)


# ---------------------------------------------------------------------------------- previews


def flat(cfa: CfaPattern, rgb: tuple[int, int, int], height: int, width: int) -> RawFrame:
    """A frame of one colour in DN over a black level of 64, in a light of neutral 0.5, 1, 0.8."""
    cells = np.reshape(cell_order((rgb[0], rgb[1], rgb[1], rgb[2]), cfa), (2, 2))
    mosaic = np.tile(cells, (height // 2 + 1, width // 2 + 1))[:height, :width] + 64
    return frame(
        cfa=cfa, mosaic=mosaic.astype(np.uint16), black_level=(64,) * 4,
        color_matrix=None, as_shot_neutral=(0.5, 1, 0.8),
    )  # fmt: skip


@pytest.mark.parametrize("cfa", CFA_PATTERNS)
@pytest.mark.parametrize(("height", "width"), [(33, 47), (2, 2), (5, 40), (64, 64)])
def test_preview_shows_a_neutral_as_gray_and_red_as_red(
    cfa: CfaPattern, height: int, width: int
) -> None:
    gray = render_preview(flat(cfa, (100, 200, 160), height, width))
    assert gray.shape == (height, width, 3)
    assert gray.dtype == np.uint8
    # 200 / 959 in the curve of sRGB.
    wanted = 255 * (1.055 * (200 / 959) ** (1 / 2.4) - 0.055)
    assert np.abs(gray.astype(float) - wanted).max() < 4
    red = render_preview(flat(cfa, (200, 80, 64), height, width)).astype(float).mean(axis=(0, 1))
    assert red[0] > red[1] + 40
    assert red[0] > red[2] + 40


def test_preview_exposure_does_not_depend_on_the_contents() -> None:
    dark = flat("RGGB", (10, 20, 16), 40, 40)
    mosaic = dark.mosaic.copy()
    mosaic[30:, 30:] = 1023
    lit = render_preview(replace(dark, mosaic=mosaic))[:20, :20]
    assert np.abs(render_preview(dark)[:20, :20].astype(int) - lit).max() <= 1


def test_preview_brightness_and_size() -> None:
    original = flat("RGGB", (40, 80, 64), 60, 100)
    plain, brighter = (render_preview(original, brightness=factor) for factor in (1.0, 2.0))
    doubled = render_preview(flat("RGGB", (80, 160, 128), 60, 100))
    assert brighter.mean() > plain.mean() + 20
    assert np.abs(brighter.astype(int) - doubled).max() <= 3
    assert render_preview(original, max_side=50).shape == (30, 50, 3)
    assert render_preview(original, max_side=500).shape == (60, 100, 3)


@pytest.mark.parametrize(
    "arguments", [{"brightness": 0.0}, {"brightness": float("nan")}, {"max_side": 0}]
)
def test_preview_refuses_impossible_arguments(arguments: dict[str, Any]) -> None:
    ((name, value),) = arguments.items()
    with pytest.raises(UserError, match=f"{name}={value}.*allowed"):
        render_preview(frame(), **arguments)


# -------------------------------------------------------------------------------------- gain


def test_gain_is_iso_over_the_base_iso() -> None:
    assert gain_of(frame(iso=800), load_profile("imx258")) == 8


def test_gain_without_iso_asks_for_it() -> None:
    with pytest.raises(UserError, match=r"no ISO in its metadata.*imx258.*give --gain"):
        gain_of(frame(iso=None), load_profile("imx258"))
