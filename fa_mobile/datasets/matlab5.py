"""MATLAB's version 5 files, read strictly: numbers, texts, cells and structures.

The format is the published one ("MAT-File Format", The MathWorks): elements of an 8-byte tag
(type, size) and data padded to 8 bytes, data of up to 4 bytes inside the tag, and a compressed
element around each variable. scipy reads these files too, but takes lengths and types as they come
and brings the interpreter down over damaged ones, which a dataset from the net may be. Here every
length is checked against what encloses it, and what is not needed (sparse, function handles,
objects) reads as None.
"""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple

import numpy as np
import numpy.typing as npt

Value = npt.NDArray[Any] | str | list[Any] | None
"""Numbers [dimensions]; a text; the elements (dicts: structures) of an array, columns first."""

SIGNATURE: Final = b"MATLAB 5.0 MAT-file"
_MATRIX: Final = 14
_COMPRESSED: Final = 15
_TYPES: Final = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8",
                 13: "u8"}  # fmt: skip
_TEXTS: Final = {1: "latin-1", 2: "latin-1", 4: "utf-16", 16: "utf-8", 17: "utf-16", 18: "utf-32"}
_CLASSES: Final = {6: "f8", 7: "f4", 8: "i1", 9: "u1", 10: "i2", 11: "u2", 12: "i4", 13: "u4",
                   14: "i8", 15: "u8"}  # fmt: skip
_CELL: Final = 1
_STRUCTURE: Final = 2
_CHARACTERS: Final = 4
_DEEPEST: Final = 16
_LONGEST_NAME: Final = 64


class _Element(NamedTuple):
    kind: int
    data: memoryview


class _Cursor:
    """Elements one after the other, none of which may leave the bytes given."""

    def __init__(self, data: memoryview, order: str) -> None:
        self._data = data
        self.order = order

    def __bool__(self) -> bool:
        return len(self._data) > 0

    def __len__(self) -> int:
        return len(self._data)

    def next(self) -> _Element:
        """The next element, its padding skipped.

        Raises:
            ValueError: when it does not fit.
        """
        if len(self._data) < 8:
            raise ValueError("an element is cut off")
        first, size = np.frombuffer(self._data[:8], f"{self.order}u4").tolist()
        if first >> 16:  # up to 4 bytes inside the tag
            kind, size, begin, end = first & 0xFFFF, first >> 16, 4, 8
            if size > 4:
                raise ValueError(f"a short element of {size} bytes")
        else:
            kind, begin, end = first, 8, 8 + size + -size % 8
        if begin + size > len(self._data):
            raise ValueError(f"an element of {size} bytes leaves what encloses it")
        element = _Element(kind, self._data[begin : begin + size])
        self._data = self._data[end:]
        return element

    def numbers(self) -> npt.NDArray[Any]:
        """The next element as numbers of its own type."""
        kind, data = self.next()
        if kind not in _TYPES:
            raise ValueError(f"data of type {kind} where numbers are due")
        dtype = np.dtype(self.order + _TYPES[kind])
        if len(data) % dtype.itemsize:
            raise ValueError("numbers are cut off")
        return np.frombuffer(data, dtype)


def read_variable(path: Path, name: str, limit: int) -> Value:
    """The variable ``name`` of a file that unpacks to no more than ``limit`` bytes.

    Raises:
        ValueError: when the file is damaged, too large, of another version, or has no such
            variable (then the message ends with its name).
        OSError, zlib.error: as reading and inflating raise them.
    """
    with path.open("rb") as file:
        header = file.read(128)
        if not header.startswith(SIGNATURE) or header[126:] not in (b"IM", b"MI"):
            raise ValueError("no file of version 5")
        order = "<" if header[126:] == b"IM" else ">"
        while tag := file.read(8):
            if len(tag) < 8:
                raise ValueError("an element is cut off")
            kind, size = np.frombuffer(tag, f"{order}u4").tolist()
            body = _body(file, kind, size, limit, order)
            limit -= len(body)
            cursor = _Cursor(memoryview(body), order)
            found, start = _header(cursor)
            if found == name:
                return _value(start, cursor, limit, 0)
    raise ValueError(f"no variable {name!r}")


def _body(file: BinaryIO, kind: int, size: int, limit: int, order: str) -> bytes:
    """The bytes of a variable, unpacked."""
    if kind == _MATRIX and size <= limit:
        body = file.read(size)
        if len(body) != size:
            raise ValueError("a variable is cut off")
        return body
    if kind != _COMPRESSED:
        raise ValueError(f"an element of type {kind} and {size} bytes where a variable is due")
    inflate, begin = zlib.decompressobj(), file.tell()
    parts, total = [], 0
    while not inflate.eof and (left := begin + size - file.tell()) > 0:
        chunk = file.read(min(1 << 20, left))
        if not chunk:
            raise ValueError("a variable is cut off")
        while chunk and not inflate.eof:
            parts.append(inflate.decompress(chunk, 1 << 22))
            total += len(parts[-1])
            if total > limit:
                raise ValueError(f"it unpacks to more than {limit >> 20} MiB")
            chunk = inflate.unconsumed_tail
    file.seek(begin + size)
    element = _Cursor(memoryview(b"".join(parts)), order).next()
    if element.kind != _MATRIX:
        raise ValueError(f"an element of type {element.kind} where a variable is due")
    return bytes(element.data)


class _Start(NamedTuple):
    """What every array begins with."""

    kind: int
    shape: tuple[int, ...]
    size: int


def _header(cursor: _Cursor) -> tuple[str, _Start]:
    """(name, class and dimensions) of the array at ``cursor``."""
    flags = cursor.numbers()
    if len(flags) != 2:
        raise ValueError("array flags are damaged")
    sides = [int(side) for side in cursor.numbers()]
    if not 2 <= len(sides) <= 8 or min(sides) < 0:
        raise ValueError(f"dimensions {sides[:8]}")
    name = bytes(cursor.next().data)
    if len(name) > _LONGEST_NAME:
        raise ValueError("a name is too long")
    count = 1
    for side in sides:
        count *= side
    return name.decode("latin-1"), _Start(int(flags[0]) & 0xFF, tuple(sides), count)


def _value(start: _Start, cursor: _Cursor, limit: int, depth: int) -> Value:
    if start.kind in _CLASSES:
        return _array(start, cursor, limit)
    if start.kind == _CHARACTERS:
        return _text(cursor)
    if start.kind == _CELL:
        return [_nested(cursor, limit, depth) for _ in range(_fitting(start.size, cursor))]
    if start.kind == _STRUCTURE:
        return _structures(start, cursor, limit, depth)
    return None


def _array(start: _Start, cursor: _Cursor, limit: int) -> npt.NDArray[Any]:
    """Numbers are stored in the smallest type that holds them; an imaginary part is left out."""
    dtype = np.dtype(_CLASSES[start.kind])
    if start.size * dtype.itemsize > limit + (1 << 20):
        raise ValueError(f"an array of {start.shape} is larger than {limit >> 20} MiB")
    stored = cursor.numbers()
    if len(stored) != start.size:
        raise ValueError(f"{len(stored)} numbers in an array of {start.shape}")
    return stored.astype(dtype).reshape(start.shape, order="F")


def _text(cursor: _Cursor) -> str:
    kind, data = cursor.next()
    if kind not in _TEXTS:
        raise ValueError(f"data of type {kind} where a text is due")
    encoding = _TEXTS[kind]
    if encoding != "utf-8" and encoding != "latin-1":
        encoding += "-le" if cursor.order == "<" else "-be"
    return bytes(data).decode(encoding, "replace")


def _structures(start: _Start, cursor: _Cursor, limit: int, depth: int) -> list[dict[str, Any]]:
    length = cursor.numbers()
    names = bytes(cursor.next().data)
    if len(length) != 1 or not 0 < length[0] <= _LONGEST_NAME or len(names) % int(length[0]):
        raise ValueError("names of fields are damaged")
    step = int(length[0])
    fields = [
        names[at : at + step].split(b"\0", 1)[0].decode("latin-1")
        for at in range(0, len(names), step)
    ]
    _fitting(start.size * max(len(fields), 1), cursor)
    return [{field: _nested(cursor, limit, depth) for field in fields} for _ in range(start.size)]


def _fitting(count: int, cursor: _Cursor) -> int:
    """``count`` if so many elements, of 8 bytes at least, can follow."""
    if 8 * count > len(cursor):
        raise ValueError(f"{count} elements in {len(cursor)} bytes")
    return count


def _nested(cursor: _Cursor, limit: int, depth: int) -> Value:
    if depth >= _DEEPEST:
        raise ValueError(f"structures are nested deeper than {_DEEPEST}")
    kind, data = cursor.next()
    if kind != _MATRIX:
        raise ValueError(f"an element of type {kind} where an array is due")
    if not data:
        return np.empty((0, 0))
    inside = _Cursor(data, cursor.order)
    _, start = _header(inside)
    return _value(start, inside, limit, depth + 1)
