"""The colour of a frame from DNG's tags."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from fa_mobile import isp

LEAST_DETERMINANT: Final = 1e-3
"""Of a colour matrix that can be inverted in float32."""


def color_of(matrix: Any, neutral: Any) -> isp.ColorPipeline | None:
    """Colour from XYZ-to-camera (9 values) and the camera RGB of a neutral; None for nonsense."""
    if len(matrix) != 9 or len(neutral) != 3:
        return None
    if not np.isfinite([*matrix, *neutral]).all() or min(neutral) <= 0 or not any(matrix):
        return None
    rows = isp.srgb_to_camera(matrix)
    if not np.isfinite(rows).all() or abs(np.linalg.det(rows)) < LEAST_DETERMINANT:
        return None
    red, green, blue = (float(value) for value in neutral)
    return isp.ColorPipeline(rows, green / red, green / blue, brightness=1.0)
