"""RAW frames and DNG files that several test files make."""

from __future__ import annotations

import io
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import tifffile

from fa_mobile.bayer import CfaPattern
from fa_mobile.errors import UserError
from fa_mobile.noise import NoiseParameters
from fa_mobile.raw_io import (
    RawFrame,
    read_raw,
)
from fa_mobile.sensor import load_profile


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
