"""DND, the Darmstadt Noise Dataset: 50 images, 20 crops of each, truth on the server only.

T. Plotz and S. Roth, "Benchmarking Denoising Algorithms with Real Photographs", CVPR 2017. The
format is told by the authors' submission kit 1.1. ``info.mat`` (MATLAB 7.3) has a structure array
``info`` of 50: ``boundingboxes`` [20, 4] (first row, first column, last row, last column, counted
from 1), ``nlf`` with ``a`` and ``b`` (variance a x + b), ``camera`` with ``pattern`` [2, 2] (1 red,
2 green, 3 blue). ``images_raw/0001.mat`` .. ``0050.mat`` (MATLAB 7.3) hold ``Inoisy``, the mosaic
normalised to 0..1. MATLAB keeps columns together, so what HDF5 shows is transposed, the pattern
too.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

import h5py
import numpy as np
import numpy.typing as npt

from fa_mobile.bayer import CFA_PATTERNS, CfaPattern, cfa_at
from fa_mobile.datasets.matlab import member, numbers, open_hdf5, references, stored
from fa_mobile.datasets.sample import Dataset, Entry, Level, Sample
from fa_mobile.errors import UserError
from fa_mobile.noise import NoiseParameters
from fa_mobile.sensor import SensorProfile

IMAGES: Final = 50
CROPS: Final = 20
_MAX_SIDE: Final = 4096
"""Of a crop; the benchmark's are 512 x 512."""


def open_dataset(folder: Path, profile: SensorProfile | None = None) -> Dataset:
    """The 50 x 20 crops below ``folder``; their noise is in ``info.mat``, no profile is needed.

    Raises:
        UserError: when ``info.mat`` is missing, damaged, or a profile is given.
    """
    if profile is not None:
        raise UserError("--profile was given; DND states its own noise: leave the profile out")
    path = folder / "info.mat"
    with open_hdf5(path) as file:
        images = len(references(member(file, "info", path), "boundingboxes", path))
    if images != IMAGES:
        raise UserError(f"{path} describes {images} images; DND has {IMAGES}; get the file again")
    entries = (
        Entry(f"{image + 1:04d}", partial(_crops, folder, image), CROPS) for image in range(IMAGES)
    )
    return Dataset("dnd", tuple(entries), ("noise from nlf of info.mat",))


def _crops(folder: Path, image: int) -> Iterator[Sample]:
    info, path = folder / "info.mat", folder / "images_raw" / f"{image + 1:04d}.mat"
    with open_hdf5(info) as file:
        boxes, noise, cfa = _described(member(file, "info", info), image, info)
    with open_hdf5(path) as file:
        mosaic = stored(file, "Inoisy", path, 2)
        for crop, box in enumerate(boxes):
            top, left, bottom, right = (int(box[0]) - 1, int(box[1]) - 1, int(box[2]), int(box[3]))
            height, width = mosaic.shape
            if not (
                0 <= top < bottom <= min(height, top + _MAX_SIDE)
                and 0 <= left < right <= min(width, left + _MAX_SIDE)
            ):
                raise UserError(
                    f"{info}: crop {crop + 1} of image {image + 1} is {tuple(box)}; allowed are "
                    f"rows 1..{height} and columns 1..{width}; get the files again"
                )
            yield Sample(
                name=f"{image + 1:04d}_{crop + 1:02d}",
                camera=f"image {image + 1}",
                level=Level("all", 0),
                noisy=np.ascontiguousarray(mosaic[top:bottom, left:right], np.float32),
                truth=None,
                cfa=cfa_at(cfa, top, left),
                noise=noise,
                place=(image, crop),
            )


def _described(
    info: h5py.Group, image: int, path: Path
) -> tuple[npt.NDArray[np.float64], NoiseParameters, CfaPattern]:
    """Crops [20, 4], noise and pattern of an image."""
    boxes = numbers(_field(info, "boundingboxes", image, path), path, (CROPS, 4))
    nlf = _field(info, "nlf", image, path)
    a, b = (numbers(member(nlf, name, path), path, (1, 1)).item() for name in ("a", "b"))
    camera = _field(info, "camera", image, path)
    pattern = numbers(member(camera, "pattern", path), path, (2, 2))
    name = "".join("RGB"[int(code) - 1] if code in (1, 2, 3) else "?" for code in pattern.flat)
    cfa = next((known for known in CFA_PATTERNS if known == name), None)
    if cfa is None:
        raise UserError(
            f"{path}: image {image + 1} has pattern {pattern.tolist()}, not a Bayer one"
        )
    return boxes, NoiseParameters(a, b), cfa


def _field(info: h5py.Group, name: str, image: int, path: Path) -> Any:
    """The field of the structure array at one image."""
    elements = references(info, name, path)
    if len(elements) != IMAGES:
        raise UserError(f"{path}: {name} is given for {len(elements)} images, not {IMAGES}")
    return elements[image]
