"""MATLAB files that mean no good."""

from __future__ import annotations

import zlib
from pathlib import Path

import h5py
import numpy as np
import pytest
from scipy.io import savemat

from fa_mobile.datasets import matlab
from fa_mobile.datasets.matlab import load_structure, open_array
from fa_mobile.errors import UserError
from tests.datasets import makers

WANTED = np.arange(24, dtype=np.float32).reshape(4, 6)


def read(path: Path, axes: int = 2) -> np.ndarray:  # type: ignore[type-arg]
    with open_array(path, "x", axes) as array:
        assert array.shape == WANTED.shape
        assert np.array_equal(array[1:3, 2], WANTED[1:3, 2])
        return array[:, :]


@pytest.mark.parametrize("compressed", [False, True])
def test_both_versions_in_one_order(tmp_path: Path, compressed: bool) -> None:
    savemat(tmp_path / "5.mat", {"x": WANTED, "other": 1}, do_compression=compressed)
    makers.write_array73(tmp_path / "73.mat", "x", WANTED)
    assert np.array_equal(read(tmp_path / "5.mat"), WANTED)
    assert np.array_equal(read(tmp_path / "73.mat"), WANTED)


def test_links_and_foreign_storage_are_not_followed(tmp_path: Path) -> None:
    makers.write_array73(tmp_path / "secret.mat", "x", WANTED)
    raw = tmp_path / "secret.bin"
    WANTED.tofile(raw)

    def link(kind: str) -> Path:
        path = tmp_path / f"{kind}.mat"
        with h5py.File(path, "w") as file:
            if kind == "external":
                file["x"] = h5py.ExternalLink(str(tmp_path / "secret.mat"), "x")
            elif kind == "soft":
                file["real"] = WANTED
                file["x"] = h5py.SoftLink("/real")
            elif kind == "storage":
                file.create_dataset("x", (4, 6), "f4", external=[(str(raw), 0, 96)])
            else:
                layout = h5py.VirtualLayout((4, 6), "f4")
                layout[...] = h5py.VirtualSource(str(tmp_path / "secret.mat"), "x", (4, 6))
                file.create_virtual_dataset("x", layout)
        return path

    for kind, part in {"external": "link to elsewhere", "soft": "link to elsewhere",
                       "storage": "another file", "virtual": "another file"}.items():  # fmt: skip
        with pytest.raises(UserError, match=part):
            read(link(kind))


def test_sizes_are_bounded_before_anything_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with h5py.File(tmp_path / "huge.mat", "w") as file:  # declared, never written
        file.create_dataset("x", (1 << 20, 1 << 20), "f8", chunks=(64, 64))
    with pytest.raises(UserError, match="allowed are 2 axes and 1024 MiB"):
        read(tmp_path / "huge.mat")
    monkeypatch.setattr(matlab, "MAX_ARRAY", 1 << 20)
    savemat(tmp_path / "bomb.mat", {"x": np.zeros((4000, 4000))}, do_compression=True)
    assert (tmp_path / "bomb.mat").stat().st_size < 1 << 20
    with pytest.raises(UserError, match="unpacks to more than 1 MiB"):
        read(tmp_path / "bomb.mat")
    monkeypatch.setattr(matlab, "MAX_STRUCTURE", 1 << 10)
    savemat(tmp_path / "metadata.mat", {"metadata": makers.metadata()}, do_compression=True)
    with pytest.raises(UserError, match="unpacks to more than 0 MiB"):
        load_structure(tmp_path / "metadata.mat", "metadata")


def test_what_is_no_array_of_numbers(tmp_path: Path) -> None:
    savemat(tmp_path / "text.mat", {"x": "text"})
    savemat(tmp_path / "cell.mat", {"x": np.array([["text", WANTED]], object)})
    savemat(tmp_path / "axes.mat", {"x": np.zeros((2, 2, 2))})
    savemat(tmp_path / "none.mat", {"y": WANTED})
    with h5py.File(tmp_path / "group.mat", "w") as file:
        file.create_group("x")
    with h5py.File(tmp_path / "text73.mat", "w") as file:
        file["x"] = "text"
    for name, part in {"text": "not an array of numbers", "cell": "not an array of numbers",
                       "axes": "has shape (2, 2, 2)",
                       "none": "no variable 'x'", "group": "not the array expected",
                       "text73": "not the array expected"}.items():  # fmt: skip
        with pytest.raises(UserError) as refused:
            read(tmp_path / f"{name}.mat")
        assert part in str(refused.value)
    with pytest.raises(UserError, match="no variable 'metadata'"):
        load_structure(tmp_path / "none.mat", "metadata")


@pytest.mark.parametrize("version", ["5", "5 compressed", "7.3", "structure"])
def test_damage_anywhere_is_one_line_or_harmless(tmp_path: Path, version: str) -> None:
    path, rng = tmp_path / "x.mat", np.random.default_rng(3)
    if version == "7.3":
        makers.write_array73(path, "x", WANTED)
    elif version == "structure":
        savemat(path, {"x": makers.metadata(inner=True)}, do_compression=True)
    else:
        savemat(path, {"x": WANTED}, do_compression="compressed" in version)
    whole = path.read_bytes()
    for attempt in range(150):
        broken = bytearray(whole)
        if attempt % 3 == 0:
            del broken[int(rng.integers(1, len(broken))) :]
        for _ in range(int(rng.integers(1, 6))):
            broken[int(rng.integers(0, len(broken)))] = int(rng.integers(0, 256))
        path.write_bytes(broken)
        try:
            if version == "structure":
                load_structure(path, "x")
            else:
                with open_array(path, "x", 2) as array:
                    array[0:2, 0:2]
        except UserError as error:
            assert "x.mat" in str(error) and "\n" not in str(error)


def test_a_lying_length_inside_the_compressed_part(tmp_path: Path) -> None:
    """The element says that it holds 4 GiB; the stream ends at once."""
    inside = b"\x0e\x00\x00\x00\xff\xff\xff\xff" + bytes(64)
    body = zlib.compress(inside)
    header = b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM"
    tag = (15).to_bytes(4, "little") + len(body).to_bytes(4, "little")
    (tmp_path / "x.mat").write_bytes(header + tag + body)
    with pytest.raises(UserError, match=r"x.mat"):
        read(tmp_path / "x.mat")


@pytest.mark.parametrize("compressed", [False, True])
def test_structures_as_scipy_writes_them(tmp_path: Path, compressed: bool) -> None:
    cell = np.empty((1, 2), object)
    cell[0, 0], cell[0, 1] = WANTED, "Grün"
    tags = makers.structures([{"ID": 1.0, "Value": WANTED}, {"ID": 2.0, "Value": "two"}])
    made = {"one": 7, "text": "Pixel", "cell": cell, "tags": tags, "flag": True,
            "empty": np.empty((0, 0))}  # fmt: skip
    savemat(tmp_path / "x.mat", {"first": 1.0, "x": made}, do_compression=compressed)
    found = load_structure(tmp_path / "x.mat", "x")
    assert found["one"].item() == 7 and found["text"] == "Pixel" and found["flag"].item() == 1
    assert np.array_equal(found["cell"][0], WANTED) and found["cell"][1] == "Grün"
    assert [tag["ID"].item() for tag in found["tags"]] == [1, 2]
    assert np.array_equal(found["tags"][0]["Value"], WANTED)
    assert found["tags"][1]["Value"] == "two" and found["empty"].size == 0


@pytest.mark.parametrize("kind", ["f8", "f4", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8"])
@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (2, 3, 4), (2, 3, 4, 5)])
def test_numbers_as_scipy_writes_them(tmp_path: Path, kind: str, shape: tuple[int, ...]) -> None:
    array = np.arange(np.prod(shape)).reshape(shape).astype(kind)
    savemat(tmp_path / "x.mat", {"x": array}, do_compression=True)
    with open_array(tmp_path / "x.mat", "x", len(shape)) as found:
        whole = found[(slice(None),) * len(shape)]
    assert whole.dtype == array.dtype and np.array_equal(whole, array)
