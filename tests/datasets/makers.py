"""Tiny datasets in the exact formats of their authors: names, variables, orders and types."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt
from scipy.io import savemat

from fa_mobile.bayer import CfaPattern
from fa_mobile.datasets.sidd_scenes import BENCHMARK_SCENES
from fa_mobile.noise import NoiseParameters, add_noise
from fa_mobile.raw_io import RawFrame, write_dng

Signal = npt.NDArray[np.float32]
NOISE = NoiseParameters(1.5e-3, 2e-5)
MATRIX = (0.6596, -0.2079, -0.0562, -0.4782, 1.3016, 0.1933, -0.097, 0.1581, 0.5181)
NEUTRAL = (0.5, 1.0, 0.625)
CODES = {"R": 0, "G": 1, "B": 2}


def clean(height: int, width: int, seed: int = 0) -> Signal:
    """A smooth scene, 0..1."""
    rows, cols = np.mgrid[0:height, 0:width]
    wave = 0.3 + 0.2 * np.sin(rows / 9 + seed) * np.cos(cols / 7)
    return np.asarray(wave, np.float32)


def noisy(truth: Signal, noise: NoiseParameters = NOISE, seed: int = 0) -> Signal:
    """Of a scene, clipped at black as SIDD and DND are."""
    return add_noise(truth, noise, np.random.default_rng(seed))


def write_mat73(path: Path, fill: Callable[[h5py.File], None]) -> None:
    """A version 7.3 file: HDF5 behind MATLAB's header of 512 bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w", userblock_size=512) as file:
        fill(file)
    header = b"MATLAB 7.3 MAT-file, Platform: GLNXA64, Created by a test HDF5 schema 1.00 ."
    with path.open("r+b") as raw:
        raw.write(header.ljust(116) + bytes(8) + b"\x00\x02IM")


def put(group: h5py.Group, name: str, array: npt.NDArray[Any], kind: str) -> h5py.Dataset:
    """An array as MATLAB stores it: the axes reversed, its class beside."""
    stored = group.create_dataset(name, data=np.asarray(array).T, compression="gzip")
    stored.attrs["MATLAB_class"] = np.bytes_(kind)
    return stored


def write_array73(path: Path, name: str, array: npt.NDArray[Any]) -> None:
    write_mat73(path, lambda file: put(file, name, array, "single") and None)


def metadata(
    *,
    noise: Sequence[float] | None = (*NOISE, *NOISE, *NOISE),
    cfa: str = "GRBG",
    inner: bool = False,
) -> dict[str, Any]:
    """What MATLAB reads of a DNG: some tags by name, others as (ID, Value)."""
    tags = [{"ID": 37393.0, "Offset": 0.0, "Value": np.array([1.0])}]
    image = {"ID": 33422.0, "Offset": 0.0, "Value": np.array([CODES[c] for c in cfa], np.uint8)}
    if not inner:
        tags.append(image)
    if noise is not None:
        tags.append({"ID": 51041.0, "Offset": 0.0, "Value": np.array(noise)})
    # The third values of both are what tells ColorMatrix2 from ColorMatrix1.
    made: dict[str, Any] = {
        "Model": "SM-G925I", "BitDepth": 16.0, "AsShotNeutral": np.array(NEUTRAL),
        "ColorMatrix1": np.eye(3).ravel(), "ColorMatrix2": np.array(MATRIX),
        "UnknownTags": structures(tags),
    }  # fmt: skip
    if inner:
        cell = np.empty((1, 1), object)
        cell[0, 0] = {"UnknownTags": structures([{"ID": 1.0, "Offset": 0.0, "Value": 0.0}, image])}
        made["SubIFDs"] = cell
    return made


def structures(elements: Sequence[Mapping[str, Any]]) -> npt.NDArray[Any]:
    """A structure array [n, 1]."""
    names = list(elements[0])
    array = np.empty((len(elements), 1), [(name, object) for name in names])
    for row, element in enumerate(elements):
        for name in names:
            array[row, 0][name] = element[name]
    return array


def sidd_scene(root: Path, name: str, truth: Signal, seed: int = 0, **tags: Any) -> Path:
    """A scene folder with one pair."""
    folder, number = root / name, name[:4]
    folder.mkdir(parents=True)
    write_array73(folder / f"{number}_GT_RAW_010.MAT", "x", truth)
    write_array73(folder / f"{number}_NOISY_RAW_010.MAT", "x", noisy(truth, seed=seed))
    savemat(folder / f"{number}_METADATA_RAW_010.MAT", {"metadata": metadata(**tags)},
            do_compression=True)  # fmt: skip
    return folder


def sidd_levels(folder: Path, names: Sequence[str] = BENCHMARK_SCENES) -> None:
    """The CSV that comes with the downloads; only the pair of green is NOISE."""
    rows = ["scene_instance_id,beta1_r,beta2_r,beta1_g,beta2_g,beta1_b,beta2_b"]
    rows += [f"{name},9,9,{NOISE.a!r},{NOISE.b!r},9,9" for name in names]
    (folder / "noise_level_functions.csv").write_text("\n".join(rows) + "\n")


def sidd_blocks(folder: Path, stem: str, side: int = 16, *, version: str = "5") -> npt.NDArray[Any]:
    """[40, 32, side, side] noisy blocks, with their truth for the validation set; the noisy."""
    truth = np.stack([[clean(side, side, s + b) for b in range(32)] for s in range(40)])
    kinds = {"Noisy": noisy(truth)} | ({"Gt": truth} if stem == "Validation" else {})
    folder.mkdir(parents=True, exist_ok=True)
    for kind, array in kinds.items():
        name = f"{stem}{kind}BlocksRaw"
        if version == "5":
            savemat(folder / f"{name}.mat", {name: array}, do_compression=True)
        else:
            write_array73(folder / f"{name}.mat", name, array)
    return kinds["Noisy"]


def dnd(
    folder: Path, pattern: Sequence[Sequence[int]] = ((2, 1), (3, 2)), side: int = 8
) -> list[Signal]:
    """50 images with 20 crops of ``side`` each; the mosaics, [H, W]."""
    mosaics = [noisy(clean(24, 30, seed=i), seed=i) for i in range(50)]
    boxes = np.array([(1 + k % 9, 2 + k % 5, k % 9 + side, 1 + k % 5 + side) for k in range(20)])
    for index, mosaic in enumerate(mosaics):
        write_array73(folder / "images_raw" / f"{index + 1:04d}.mat", "Inoisy", mosaic)

    def fill(file: h5py.File) -> None:
        info = file.create_group("info")
        info.attrs["MATLAB_class"] = np.bytes_("struct")
        hidden = file.create_group("#refs#")
        columns: dict[str, list[h5py.Reference]] = {"boundingboxes": [], "nlf": [], "camera": []}
        for index in range(50):
            columns["boundingboxes"].append(put(hidden, f"b{index}", boxes * 1.0, "double").ref)
            nlf = hidden.create_group(f"n{index}")
            put(nlf, "a", np.array([[NOISE.a * (index + 1)]]), "double")
            put(nlf, "b", np.array([[NOISE.b]]), "double")
            columns["nlf"].append(nlf.ref)
            camera = hidden.create_group(f"c{index}")
            put(camera, "pattern", np.array(pattern, np.float64), "double")
            columns["camera"].append(camera.ref)
        for name, references in columns.items():
            field = info.create_dataset(name, (1, 50), h5py.ref_dtype)  # MATLAB's [50, 1]
            for index, reference in enumerate(references):
                field[0, index] = reference

    write_mat73(folder / "info.mat", fill)
    return mosaics


def sid(folder: Path, lines: Sequence[tuple[str, str, int]], **changes: Any) -> None:
    """The list and its frames: DNG under the names of the dataset, which LibRaw tells apart."""
    listed = []
    for short, long, iso in lines:
        listed.append(f"./Sony/short/{short} ./Sony/long/{long} ISO{iso} F8")
        for name, level in ((f"Sony/short/{short}", 0.01), (f"Sony/long/{long}", 1.0)):
            sid_frame(folder / name, level, **changes)
    (folder / "Sony_test_list.txt").write_text("\n".join(listed) + "\n")


def sid_frame(path: Path, level: float, **changes: Any) -> RawFrame:
    """A frame of the Sony at ``level`` times the scene, whole DN, without noise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    dn = np.round(clean(40, 48) * level * (16383 - 512) + 512).astype(np.uint16)
    fields: dict[str, Any] = {
        "cfa": "RGGB", "black_level": (512.0,) * 4, "white_level": 16383.0, "iso": 100.0,
        "make": "SONY", "model": "ILCE-7SM2", "color_matrix": MATRIX, "as_shot_neutral": NEUTRAL,
    }  # fmt: skip
    frame = RawFrame(dn, **(fields | changes))
    write_dng(path, frame)
    return frame


def pmrid_case(
    folder: Path, name: str, *, iso: float = 1600, cfa: CfaPattern = "BGGR", **changes: Any
) -> dict[str, Any]:
    """One case of the index, its dumps written: uint16, 65535 white, 0 black."""
    place = folder / "Scene1" / "Bright" / name
    place.mkdir(parents=True)
    truth = clean(48, 64)
    for file, signal in (("gt.raw", truth), ("input.raw", noisy(truth))):
        np.round(signal * 65535).astype("<u2").tofile(place / file)
    meta = {
        "name": name, "scene_id": "Scene1", "light": "Bright", "ISO": iso, "exp_time": 0.02,
        "bayer_pattern": cfa, "shape": [48, 64], "wb_gain": [2.0, 1.0, 1.6],
        "CCM": [[1.6, -0.4, -0.2], [-0.3, 1.5, -0.2], [0.0, -0.6, 1.6]],
        "ROIs": [[3, 5, 41, 44], [10, 0, 64, 48]],
    }  # fmt: skip
    relative = place.relative_to(folder)
    return {
        "input": str(relative / "input.raw"), "gt": str(relative / "gt.raw"),
        "meta": meta | changes,
    }  # fmt: skip


def pmrid(folder: Path, cases: Sequence[dict[str, Any]]) -> Path:
    (folder / "benchmark.json").write_text(json.dumps(cases))
    return folder
