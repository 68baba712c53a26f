"""What SIDD says of its frames: names of scenes, camera tags, noise level functions.

A. Abdelhamed, S. Lin and M. S. Brown, "A High-Quality Denoising Dataset for Smartphone Cameras",
CVPR 2018. A scene's name is ``NNNN_SSS_CC_IIIII_TTTTT_KKKK_B``: scene instance, scene, camera
code, ISO speed, shutter speed (its denominator), colour temperature, brightness code (L, N or H).
``*_METADATA_RAW_*.MAT`` (MATLAB 5) hold what MATLAB read of the DNG: known tags by name, others in
``UnknownTags`` as (ID, Value), and those of the RAW image itself under ``SubIFDs`` in some cameras'
files (the authors' simple-camera-pipeline looks in both). ``noise_level_functions.csv`` and
``bayer_patterns.csv`` are on the dataset's site; they say the same of each camera.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from fa_mobile import isp
from fa_mobile.bayer import CFA_PATTERNS, CfaPattern
from fa_mobile.datasets.color import color_of
from fa_mobile.datasets.matlab import load_structure, reading
from fa_mobile.errors import UserError
from fa_mobile.noise import NoiseParameters

NLF_FILE: Final = "noise_level_functions.csv"
_NLF_COLUMNS: Final = ("scene_instance_id", "beta1_g", "beta2_g")
_MAX_CSV: Final = 4 << 20
CAMERA_CFA: Final[dict[str, CfaPattern]] = {
    "GP": "BGGR",  # Google Pixel
    "IP": "RGGB",  # iPhone 7
    "S6": "GRBG",  # Samsung Galaxy S6 Edge
    "N6": "BGGR",  # Motorola Nexus 6
    "G4": "BGGR",  # LG G4
}
_SCENE: Final = re.compile(r"(\d{4})_(\d{3})_([A-Z0-9]{2})_(\d{5})_(\d{5})_(\d{4})_([LNH])")
_NOISE_PROFILE: Final = 51041
_CFA_PATTERN: Final = 33422


class Scene(NamedTuple):
    """What the name of a scene instance says."""

    name: str
    number: str
    camera: str
    iso: float


class Metadata(NamedTuple):
    """What a metadata file says; None for what it leaves out."""

    cfa: CfaPattern | None
    noise: NoiseParameters | None
    color: isp.ColorPipeline | None


NOTHING: Final = Metadata(None, None, None)


def parse_scene(name: str) -> Scene:
    """A scene instance by its folder's name.

    Raises:
        UserError: for a name of another form or an unknown camera code.
    """
    match = _SCENE.fullmatch(name)
    if match is None:
        raise UserError(
            f"{name!r} is not the name of a SIDD scene; allowed is the form "
            "0001_001_S6_00100_00060_3200_L; keep the dataset's folder names"
        )
    number, _, camera, iso, *_ = match.groups()
    if camera not in CAMERA_CFA or int(iso) == 0:
        raise UserError(
            f"{name}: camera {camera}, ISO {iso} were given; allowed are cameras "
            f"{', '.join(CAMERA_CFA)} and an ISO above 0; keep the dataset's folder names"
        )
    return Scene(name, number, camera, float(iso))


def read_metadata(path: Path) -> Metadata:
    """Pattern, noise (the pair of green) and colour of a frame.

    Raises:
        UserError: when the file is missing, damaged, or holds no ``metadata``.
    """
    structure = load_structure(path, "metadata")
    with reading(path):
        tags = dict(_unknown_tags(structure))
        return Metadata(_cfa(tags), _noise(tags), _color(structure))


def _unknown_tags(structure: Mapping[str, Any]) -> Iterator[tuple[int, np.ndarray[Any, Any]]]:
    """(ID, values) of the frame's tags; those of the structure itself win, so they come last."""
    inner = [image for cell in _each(structure, "SubIFDs") for image in _elements(cell)]
    for part in (*inner, structure):
        for tag in _each(part, "UnknownTags"):
            code, values = (tag.get(name) for name in ("ID", "Value"))
            if isinstance(code, np.ndarray) and code.size == 1 and isinstance(values, np.ndarray):
                yield int(code.item()), values.astype(np.float64).ravel()


def _each(structure: Any, field: str) -> list[Any]:
    """Elements of a field that holds a cell or structure array."""
    return _elements(structure.get(field)) if isinstance(structure, Mapping) else []


def _elements(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _cfa(tags: Mapping[int, Any]) -> CfaPattern | None:
    codes = tags.get(_CFA_PATTERN, ())
    name = "".join("RGB"[int(code)] if code in (0, 1, 2) else "?" for code in codes)
    return next((pattern for pattern in CFA_PATTERNS if pattern == name), None)


def _noise(tags: Mapping[int, Any]) -> NoiseParameters | None:
    """DNG's NoiseProfile: one pair (S, O), or one for each of R, G, B; variance S x + O."""
    values = tags.get(_NOISE_PROFILE, ())
    if len(values) not in (2, 6) or not np.isfinite(values).all():
        return None
    a, b = (float(value) for value in (values[2:4] if len(values) == 6 else values))
    return NoiseParameters(a, b) if a > 0 <= b else None


def _color(structure: Mapping[str, Any]) -> isp.ColorPipeline | None:
    """AsShotNeutral and ColorMatrix2 (daylight), which the authors' own pipeline takes."""
    matrix = structure.get("ColorMatrix2", structure.get("ColorMatrix1"))
    neutral = structure.get("AsShotNeutral")
    if not isinstance(matrix, np.ndarray) or not isinstance(neutral, np.ndarray):
        return None
    return color_of(np.asarray(matrix, np.float64).ravel(), np.asarray(neutral, np.float64).ravel())


def read_noise_levels(folder: Path) -> dict[str, NoiseParameters]:
    """Noise by scene name from the downloads' CSV (the pair of green); empty without the file.

    Raises:
        UserError: for a file with other columns or values.
    """
    path = folder / NLF_FILE
    if not path.is_file():
        return {}
    if path.stat().st_size > _MAX_CSV:
        raise UserError(f"{path} is larger than {_MAX_CSV >> 20} MiB; get the file again")
    found = {}
    try:
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                name, a, b = (row[column] for column in _NLF_COLUMNS)
                found[parse_scene(name).name] = NoiseParameters(float(a), float(b))
    except (KeyError, ValueError, AttributeError, TypeError, csv.Error) as error:
        raise UserError(
            f"{path} cannot be read ({error}); allowed is a table with the columns "
            f"{', '.join(_NLF_COLUMNS)}; get the file again"
        ) from error
    return found
