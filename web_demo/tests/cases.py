"""What Python computes, written down for the page's code to be held against."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from fa_mobile import isp
from fa_mobile.bayer import CFA_PATTERNS, CfaPattern, phase_pads
from fa_mobile.bench.statistics import median, p90
from fa_mobile.dng import encode_dng
from fa_mobile.manifest import Manifest
from fa_mobile.noise import NoiseParameters
from fa_mobile.raw_io import RawFrame, normalize, read_raw
from fa_mobile.runtimes.frames import denoise_frame
from fa_mobile.runtimes.session import Bundle
from fa_mobile.runtimes.tiling import plan_frame
from fa_mobile.selection import select
from fa_mobile.sensor import load_profile
from tests import raw_files

from dng_bytes import BYTE, LONG, RATIONAL, SHORT, plain_dng

SHIFT: Final = np.float32(0.3)
"""What the model that stands in for a network subtracts."""


class ShiftModel:
    """Stands in for a network whose result is known: DN less ``SHIFT``."""

    def run(self, raw: npt.NDArray[np.float32], *_: object) -> npt.NDArray[np.float32]:
        return raw - SHIFT


def frame(height: int, width: int, cfa: CfaPattern = "RGGB", **changes: Any) -> RawFrame:
    """A frame of the IMX258's levels that names everything; some of its DN are above white."""
    rng = np.random.default_rng(height * 1000 + width)
    levels: dict[str, Any] = {
        "mosaic": rng.integers(0, 1100, (height, width)).astype(np.uint16),
        "black_level": (64, 64, 64, 64),
        "iso": 1600,
        "noise": NoiseParameters(1.25e-3, 2.5e-7),
    }
    return raw_files.frame(height, width, cfa, **(levels | changes))


def write_cases(folder: Path, manifest: Manifest) -> None:
    """All cases below ``folder``: cases.json, DNG files, arrays."""
    (folder / "dng").mkdir(parents=True)
    small = manifest.model_copy(update={"tile": (128, 160)})
    data = {
        "tiling": _tiling(),
        "pads": _pads(),
        "selection": _selection(manifest),
        "statistics": _statistics(),
        "manifest": small.model_dump(mode="json"),
        "shift": float(SHIFT),
        "frames": _frames(folder, small),
        "readable": _readable(folder / "dng"),
        "render": _render(folder),
    }
    _unreadable(folder / "dng")
    (folder / "cases.json").write_text(json.dumps(data), encoding="utf-8")


def described(given: RawFrame) -> dict[str, Any]:
    """A frame without its samples, named as the page names it."""
    return {
        "height": given.mosaic.shape[0],
        "width": given.mosaic.shape[1],
        "cfa": given.cfa,
        "blackLevel": given.black_level,
        "whiteLevel": given.white_level,
        "iso": given.iso,
        "noise": None if given.noise is None else given.noise._asdict(),
        "make": given.make,
        "model": given.model,
        "colorMatrix": given.color_matrix,
        "asShotNeutral": given.as_shot_neutral,
    }


def _tiling() -> list[dict[str, Any]]:
    found = []
    for height, width, tile, halo, stride in [
        (512, 512, (1120, 1472), 48, 16),
        (3120, 4208, (1120, 1472), 48, 16),
        (3120, 4208, (256, 512), 48, 16),
        (144, 2000, (128, 160), 8, 16),
        (130, 90, (100, 60), 3, 2),
    ]:
        tiles = plan_frame(height, width, tile, halo, stride)
        spans = [
            [[s.start, s.stop, s.keep_start, s.keep_stop] for s in (t.rows, t.cols)] for t in tiles
        ]
        found.append({"given": [height, width, tile, halo, stride], "spans": spans})
    return found


def _pads() -> list[dict[str, Any]]:
    found = []
    for cfa in CFA_PATTERNS:
        for shape, minimum in [((101, 75), (32, 32)), ((2, 3), (32, 48)), ((64, 64), (32, 32))]:
            pads = phase_pads(shape, cfa, 16, minimum)
            indices = [
                np.pad(np.arange(side), pad, mode="reflect").tolist()
                for side, pad in zip(shape, pads, strict=True)
            ]
            found.append({"given": [shape, cfa, 16, minimum], "pads": pads, "indices": indices})
    return found


def _selection(manifest: Manifest) -> list[list[float]]:
    sensor = manifest.sensor
    gains = [*np.geomspace(0.3, 150, 60).tolist(), *(gain for gain, _ in manifest.selection)]
    return [
        [gain, *sensor.noise(gain), select(sensor.a_float32(gain), manifest.edges)]
        for gain in gains
    ]


def _statistics() -> list[dict[str, Any]]:
    rng = np.random.default_rng(3)
    samples = [rng.uniform(1, 100, count).tolist() for count in (1, 2, 5, 15, 40)]
    return [{"samples": s, "median": median(s), "p90": p90(s)} for s in samples]


def _frames(folder: Path, manifest: Manifest) -> list[dict[str, Any]]:
    """Frames of every pattern, odd sides and other levels, through a model that is known."""
    levels: list[dict[str, Any]] = [
        {},
        {"black_level": (60, 61.5, 62, 63.25), "white_level": 4095},
        {"black_level": (240, 250, 260, 270), "white_level": 900},
    ]
    found = []
    for cfa in CFA_PATTERNS:
        for index, change in enumerate(levels):
            given = frame(201 + index, 175, cfa, **change)
            name = f"{cfa}-{index}"
            expected = denoise_frame(Bundle(folder, manifest, ShiftModel()), given)
            given.mosaic.astype("<u2").tofile(folder / f"{name}.given")
            expected.mosaic.astype("<u2").tofile(folder / f"{name}.expected")
            found.append({"name": name, "frame": described(given)})
    return found


def _readable(folder: Path) -> list[dict[str, Any]]:
    """DNG files of every kind that the page reads, and what fa-mobile reads of them."""
    files = {
        f"own-{cfa}": encode_dng(frame(33, 47, cfa, black_level=(60, 61.5, 62, 63.25)))
        for cfa in CFA_PATTERNS
    }
    files["own-bare"] = encode_dng(
        frame(24, 26, iso=None, noise=None, color_matrix=None, as_shot_neutral=None, make="")
    )
    mosaic = frame(40, 54).mosaic
    for order in "<>":
        for bits in (8, 10, 12, 14, 16):
            name = f"{bits}-bits-{'little' if order == '<' else 'big'}"
            files[name] = plain_dng(mosaic % 2 ** min(bits, 10), bits, order)
    files["strips"] = plain_dng(mosaic, 16, "<", rows_per_strip=7)
    area = {
        50829: (LONG, [3, 5, 38, 50]),
        33422: (BYTE, [1, 2, 0, 1]),
        50713: (SHORT, [2, 2]),
        50714: (SHORT, [10, 20, 30, 40]),
    }
    files["odd-area"] = plain_dng(mosaic, 16, "<", area)
    files["black-row"] = plain_dng(
        mosaic, 16, "<", {50713: (SHORT, [1, 2]), 50714: (RATIONAL, [10.5, 20.25])}
    )
    files["as-sub-ifd"] = plain_dng(mosaic, 16, "<", below_preview=True)
    found = []
    for name, data in files.items():
        path = folder / f"{name}.dng"
        path.write_bytes(data)
        read = read_raw(path)
        read.mosaic.astype("<u2").tofile(folder / f"{name}.u16")
        # LibRaw's guesses for what the file leaves open are its own.
        stated = name.startswith("own-") and name != "own-bare"
        wanted = described(read)
        if not stated:
            for key in ("colorMatrix", "asShotNeutral"):
                del wanted[key]
        found.append({"name": name, "frame": wanted})
    return found


def _unreadable(folder: Path) -> None:
    """What the page must refuse in words, by the file's name; the words stand in the tests."""
    mosaic = frame(40, 54).mosaic
    bad: dict[str, bytes] = {
        "not-tiff": b"\x89PNG\r\n\x1a\n" + bytes(64),
        "empty": b"",
        "bigtiff": b"II\x2b\0\x08\0\0\0" + bytes(32),
        "not-dng": plain_dng(mosaic, 16, "<", without=(50706,)),
        "compressed": plain_dng(mosaic, 16, "<", {259: (SHORT, [7])}),
        "linear": plain_dng(mosaic, 16, "<", {262: (SHORT, [34892])}),
        "x-trans": plain_dng(
            mosaic, 16, "<", {33421: (SHORT, [6, 6]), 33422: (BYTE, [1] * 36)}
        ),
        "quad": plain_dng(mosaic, 16, "<", {33421: (SHORT, [4, 4]), 33422: (BYTE, [1] * 16)}),
        "cyan": plain_dng(mosaic, 16, "<", {33422: (BYTE, [0, 3, 1, 2])}),
        "linearized": plain_dng(mosaic, 16, "<", {50712: (SHORT, [0, 1, 2])}),
        "24-bits": plain_dng(mosaic, 16, "<", {258: (SHORT, [24])}),
        "black-above-white": plain_dng(mosaic, 16, "<", {50714: (LONG, [70000])}),
        "area-outside": plain_dng(mosaic, 16, "<", {50829: (LONG, [0, 0, 41, 54])}),
        "cut-off": plain_dng(mosaic, 16, "<", {279: (LONG, [8])}),
        "too-large": plain_dng(mosaic, 16, "<", {256: (LONG, [4_000_000_000])}),
    }  # fmt: skip
    for name, data in bad.items():
        (folder / f"{name}.bad").write_bytes(data)


def _render(folder: Path) -> dict[str, Any]:
    """A smooth mosaic, as fa_mobile.isp shows it."""
    profile = load_profile("imx258")
    rows, cols = np.mgrid[0:60, 0:80]
    dn = 64 + 300 * (1 + np.sin(rows / 9) * np.cos(cols / 11))
    given = frame(60, 80, mosaic=dn.astype(np.uint16))
    red, _, blue = profile.as_shot_neutral
    brightness = 1.5
    color = isp.ColorPipeline(
        isp.srgb_to_camera(profile.color_matrix), 1 / red, 1 / blue, brightness
    )
    shown = isp.render(normalize(given), color)
    given.mosaic.astype("<u2").tofile(folder / "render.given")
    np.round(shown * 255).astype(np.uint8).tofile(folder / "render.expected")
    return {"frame": described(given), "brightness": brightness}
