"""Pictures to look at: noisy beside denoised, as a RAW converter shows them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from fa_mobile.files import replace_file
from fa_mobile.raw_io import RawFrame, normalize, render_preview

CROP: Final = (768, 1024)
"""Largest height and width shown at full size: noise is seen at 100 % only."""
_MIDDLE_GRAY: Final = 0.18
_GAP: Final = 8
_CAPTION: Final = 24


def side_by_side(frames: dict[str, RawFrame]) -> Image.Image:
    """The frames' central crops at full size, one exposure for all, each with its caption."""
    cropped = {caption: _central(frame) for caption, frame in frames.items()}
    level = float(np.mean(normalize(list(cropped.values())[-1])))
    brightness = float(np.clip(_MIDDLE_GRAY / max(level, 1e-4), 1, 16))
    pictures = [render_preview(frame, brightness=brightness) for frame in cropped.values()]
    height, width = pictures[0].shape[:2]
    total = len(pictures) * width + (len(pictures) - 1) * _GAP
    sheet = Image.new("RGB", (total, height + _CAPTION), "white")
    draw = ImageDraw.Draw(sheet)
    for index, (caption, picture) in enumerate(zip(cropped, pictures, strict=True)):
        left = index * (width + _GAP)
        sheet.paste(Image.fromarray(picture), (left, _CAPTION))
        draw.text((left + 4, 5), caption, fill="black", font_size=14)
    return sheet


def _central(frame: RawFrame) -> RawFrame:
    """The central crop; its corner is even, which keeps the pattern at the origin."""
    height, width = frame.mosaic.shape
    top, left = (
        max(side - most, 0) // 4 * 2 for side, most in zip((height, width), CROP, strict=True)
    )
    crop: npt.NDArray[np.uint16] = frame.mosaic[top : top + CROP[0], left : left + CROP[1]]
    return replace(frame, mosaic=np.ascontiguousarray(crop))


def save_picture(picture: Image.Image, path: Path) -> None:
    """Write a PNG (or what the suffix says), whole or not at all."""
    with replace_file(path) as partial:
        picture.save(partial)
