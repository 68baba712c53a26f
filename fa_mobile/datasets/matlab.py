"""Arrays and structures in MATLAB files of both generations, read as if they were hostile.

Version 5 is MATLAB's own binary format (:mod:`fa_mobile.datasets.matlab5`), version 7.3 is HDF5
(h5py reads it). HDF5 knows no column-major order: MATLAB's [H, W] is stored there as [W, H]. Shapes
and indices here are always MATLAB's. Nothing is unpickled; links out of the file, unknown filters
and sizes beyond what the formats need are refused before anything is allocated.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Protocol

import h5py
import numpy as np
import numpy.typing as npt

from fa_mobile.datasets.matlab5 import read_variable
from fa_mobile.errors import UserError

MAX_ARRAY: Final = 1 << 30
"""Bytes of one array; the largest that a format here has is a third of this."""
MAX_STRUCTURE: Final = 64 << 20
"""Bytes of a file of structures, unpacked."""
_BROKEN: Final = (
    OSError, ValueError, TypeError, KeyError, IndexError, AttributeError, RuntimeError,
    OverflowError, EOFError, MemoryError, zlib.error, NotImplementedError,
)  # fmt: skip
"""What damaged files raise, depending on where the damage is."""
_FILTERS: Final = frozenset({h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE,
                             h5py.h5z.FILTER_FLETCHER32})  # fmt: skip
_AGAIN: Final = "get the file again from its source"


class Array(Protocol):
    """An array whose parts are read when they are indexed."""

    @property
    def shape(self) -> tuple[int, ...]:
        """MATLAB's."""

    def __getitem__(self, index: tuple[int | slice, ...]) -> npt.NDArray[Any]:
        """``index`` has one entry for each axis."""


class _Stored:
    """An HDF5 dataset in MATLAB's order."""

    def __init__(self, dataset: h5py.Dataset) -> None:
        self._dataset = dataset
        self.shape = tuple(int(side) for side in reversed(dataset.shape))

    def __getitem__(self, index: tuple[int | slice, ...]) -> npt.NDArray[Any]:
        return np.asarray(self._dataset[tuple(reversed(index))]).T


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn what the libraries raise over a damaged ``path`` into one line.

    Raises:
        UserError: instead of any of theirs.
    """
    try:
        yield
    except UserError:
        raise
    except _BROKEN as error:
        reason = " ".join(str(error).split())[:160] or type(error).__name__
        raise UserError(f"{path} is damaged or no MATLAB file ({reason}); {_AGAIN}") from error


@contextmanager
def open_array(path: Path, name: str, axes: int) -> Iterator[Array]:
    """The numeric variable ``name`` of a file of either version, good until the block ends.

    Version 7.3 is read part by part, version 5 (whose arrays are one compressed piece) whole.

    Raises:
        UserError: when the file is missing, damaged or too large, or has no such variable.
    """
    if not _is_hdf5(path):
        yield _loaded(path, name, axes)
        return
    with open_hdf5(path) as file:
        yield stored(file, name, path, axes)


def load_structure(path: Path, name: str) -> dict[str, Any]:
    """The fields of the structure ``name`` in a version 5 file.

    Raises:
        UserError: when the file is missing, damaged or too large, or has no such structure.
    """
    _check_there(path)
    with reading(path):
        value = read_variable(path, name, MAX_STRUCTURE)
    if not isinstance(value, list) or len(value) != 1 or not isinstance(value[0], dict):
        raise UserError(f"{path}: {name!r} is no structure; {_AGAIN}")
    return value[0]


@contextmanager
def open_hdf5(path: Path) -> Iterator[h5py.File]:
    """A version 7.3 file.

    Raises:
        UserError: when it is missing or damaged.
    """
    if not _is_hdf5(path):
        raise UserError(f"{path} is not a MATLAB 7.3 (HDF5) file; {_AGAIN}")
    with reading(path), h5py.File(path, "r") as file:
        yield file


def member(group: h5py.Group, name: str, path: Path) -> Any:
    """What ``group`` itself holds under ``name``: no link to elsewhere.

    Raises:
        UserError: when there is nothing of that name, or a soft or external link.
    """
    if not isinstance(group, h5py.Group) or name not in group:
        raise UserError(f"{path} has no variable or field {name!r}; {_AGAIN}")
    if not isinstance(group.get(name, getlink=True), h5py.HardLink):
        raise UserError(f"{path}: {name!r} is a link to elsewhere, which is not followed; {_AGAIN}")
    return group[name]


def stored(group: h5py.Group, name: str, path: Path, axes: int) -> Array:
    """The numeric dataset ``name`` of ``group``.

    Raises:
        UserError: when it is no array of ``axes`` axes inside this file, or too large.
    """
    dataset = member(group, name, path)
    return _Stored(_checked(dataset, name, path, axes, kinds="fiub"))


def numbers(dataset: Any, path: Path, shape: tuple[int, int]) -> npt.NDArray[np.float64]:
    """A small matrix of finite numbers, such as a reference leads to.

    Raises:
        UserError: when it is another thing or of another shape.
    """
    array = _Stored(_checked(dataset, "an element", path, 2, kinds="fiub"))
    if array.shape != shape:
        raise UserError(f"{path} holds {list(array.shape)} where {list(shape)} is due; {_AGAIN}")
    values = np.asarray(array[:, :], np.float64)
    if not np.isfinite(values).all():
        raise UserError(f"{path} holds numbers that are not finite; {_AGAIN}")
    return values


def references(group: h5py.Group, name: str, path: Path) -> list[Any]:
    """What a cell array or a field of a structure array refers to, one object per element.

    Raises:
        UserError: when it holds no references into this file.
    """
    dataset = _checked(member(group, name, path), name, path, 2, kinds="O")
    if h5py.check_ref_dtype(dataset.dtype) is not h5py.Reference:
        raise UserError(f"{path}: {name!r} is no cell array; {_AGAIN}")
    return [group.file[reference] for reference in dataset[()].ravel()]


def _checked(dataset: Any, name: str, path: Path, axes: int, *, kinds: str) -> h5py.Dataset:
    if not isinstance(dataset, h5py.Dataset) or dataset.dtype.kind not in kinds:
        raise UserError(f"{path}: {name!r} is not the array expected; {_AGAIN}")
    if dataset.is_virtual or dataset.external:
        raise UserError(f"{path}: {name!r} is kept in another file, which is not read; {_AGAIN}")
    created = dataset.id.get_create_plist()
    filters = {created.get_filter(index)[0] for index in range(created.get_nfilters())}
    if not filters <= _FILTERS:
        raise UserError(f"{path}: {name!r} is compressed in an unknown way; {_AGAIN}")
    _check_shape(path, name, dataset.shape, axes, dataset.dtype.itemsize)
    return dataset


def _check_shape(path: Path, name: str, shape: tuple[int, ...], axes: int, item: int) -> None:
    size = item
    for side in shape:
        size *= int(side)
    if len(shape) != axes or not 0 < size <= MAX_ARRAY:
        raise _wrong_shape(path, name, shape[::-1], axes)


def _wrong_shape(path: Path, name: str, shape: tuple[int, ...], axes: int) -> UserError:
    return UserError(
        f"{path}: {name!r} has shape {shape}; allowed are {axes} axes and {MAX_ARRAY >> 20} MiB; "
        f"{_AGAIN}"
    )


def _is_hdf5(path: Path) -> bool:
    _check_there(path)
    with reading(path):
        return bool(h5py.is_hdf5(path))


def _check_there(path: Path) -> None:
    if not path.is_file():
        raise UserError(f"{path} was not found (or is no file); check the dataset's folder")


def _loaded(path: Path, name: str, axes: int) -> npt.NDArray[Any]:
    with reading(path):
        array = read_variable(path, name, MAX_ARRAY)
    if not isinstance(array, np.ndarray):
        raise UserError(f"{path}: {name!r} is not an array of numbers; {_AGAIN}")
    if array.ndim != axes or not array.size:
        raise _wrong_shape(path, name, array.shape, axes)
    return array
