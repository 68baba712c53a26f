"""Pictures of a pair: noisy beside truth, and a map of where they differ."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from fa_mobile.pairing.align import Aligned
from fa_mobile.pairing.cells import CELL, Cells
from fa_mobile.pairing.frames import Capture
from fa_mobile.pairing.local import LIMIT
from fa_mobile.preview import side_by_side
from fa_mobile.runtimes.reading import whole_dn

_CAPTION: Final = 24
_GAP: Final = 8
_WHITE, _RED, _BLUE = (np.array(c, np.float64) for c in ((255, 255, 255), (200, 0, 0), (0, 0, 200)))


def map_of(deviations: Cells) -> npt.NDArray[np.uint8]:
    """[rows, columns, 3]: red where the noisy frame is brighter, blue where it is darker.

    White is no difference; the colour is full where a cell counts as different.
    """
    strength = np.clip(np.abs(deviations) / LIMIT, 0, 1)[..., None]
    colour = np.where(deviations[..., None] > 0, _RED, _BLUE)
    return np.asarray(np.round(_WHITE + strength * (colour - _WHITE)), np.uint8)


def pair_picture(aligned: Aligned, short: Capture) -> Image.Image:
    """Noisy and truth (their middle, full size) and the map of the whole frame."""
    noisy = replace(short.frame, mosaic=aligned.noisy, cfa="RGGB")
    truth = replace(noisy, mosaic=whole_dn(aligned.truth, short.frame.white_level))
    both = side_by_side({"noisy": noisy, "truth": truth})
    height = both.height - _CAPTION
    rows, cols = aligned.local.deviations.shape
    differences = Image.fromarray(map_of(aligned.local.deviations)).resize(
        (max(round(height * cols / rows), 1), height), Image.Resampling.NEAREST
    )
    sheet = Image.new("RGB", (both.width + _GAP + differences.width, both.height), "white")
    sheet.paste(both, (0, 0))
    sheet.paste(differences, (both.width + _GAP, _CAPTION))
    ImageDraw.Draw(sheet).text(
        (both.width + _GAP + 4, 5),
        f"whole frame, cells of {2 * CELL} x {2 * CELL}: noisy - truth, full at +-{LIMIT:g} sigma",
        fill="black",
        font_size=14,
    )
    return sheet
