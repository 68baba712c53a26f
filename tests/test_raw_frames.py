"""Frames: what they hold, normalising, previews, gain."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from fa_mobile.bayer import CFA_PATTERNS, CfaPattern, red_offset
from fa_mobile.dng import cell_order
from fa_mobile.errors import UserError
from fa_mobile.noise import NoiseParameters
from fa_mobile.raw_io import (
    RawFrame,
    gain_of,
    normalize,
    render_preview,
)
from fa_mobile.sensor import load_profile
from tests.raw_files import frame


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


def test_gain_is_iso_over_the_base_iso() -> None:
    assert gain_of(frame(iso=800), load_profile("imx258")) == 8


def test_gain_without_iso_asks_for_it() -> None:
    with pytest.raises(UserError, match=r"no ISO in its metadata.*imx258.*give --gain"):
        gain_of(frame(iso=None), load_profile("imx258"))
