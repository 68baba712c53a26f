"""DNG files byte by byte, of every kind that the page has to read or refuse."""

from __future__ import annotations

import struct
from typing import Final

import numpy as np
import numpy.typing as npt

BYTE: Final = 1
SHORT: Final = 3
LONG: Final = 4
RATIONAL: Final = 5


def plain_dng(
    mosaic: npt.NDArray[np.uint16],
    bits: int,
    order: str,
    tags: dict[int, tuple[int, list[float]]] | None = None,
    *,
    rows_per_strip: int | None = None,
    below_preview: bool = False,
    without: tuple[int, ...] = (),
) -> bytes:
    """A DNG byte by byte, as a camera might write it: any depth and byte order."""
    height, width = mosaic.shape
    step = rows_per_strip or height
    strips = [_packed(mosaic[top : top + step], bits, order) for top in range(0, height, step)]
    body = b"".join(strips)
    starts = np.cumsum([8, *map(len, strips)])[:-1].tolist()
    page: dict[int, tuple[int, list[float]]] = {
        254: (LONG, [0]), 256: (LONG, [width]), 257: (LONG, [height]), 258: (SHORT, [bits]),
        259: (SHORT, [1]), 262: (SHORT, [32803]), 273: (LONG, starts), 277: (SHORT, [1]),
        278: (LONG, [step]), 279: (LONG, [len(strip) for strip in strips]),
        33421: (SHORT, [2, 2]), 33422: (BYTE, [0, 1, 1, 2]), 50717: (LONG, [2**bits - 1]),
    }  # fmt: skip
    page |= tags or {}
    main: dict[int, tuple[int, list[float]]] = {50706: (BYTE, [1, 4, 0, 0])}
    for code in without:
        page.pop(code, None)
        main.pop(code, None)
    at = 8 + len(body) + len(body) % 2
    head = {"<": b"II", ">": b"MM"}[order] + struct.pack(f"{order}HI", 42, at)
    body = (head + body).ljust(at, b"\0")
    if not below_preview:
        return body + _ifd(page | main, at, order)
    preview: dict[int, tuple[int, list[float]]] = {
        254: (LONG, [1]), 256: (LONG, [2]), 257: (LONG, [2]), 258: (SHORT, [8, 8, 8]),
        259: (SHORT, [1]), 262: (SHORT, [2]), 273: (LONG, [8]), 277: (SHORT, [3]),
        278: (LONG, [2]), 279: (LONG, [12]), 330: (LONG, [0]),
    }  # fmt: skip
    size = len(_ifd(preview | main, at, order))
    preview[330] = (LONG, [at + size])
    return body + _ifd(preview | main, at, order) + _ifd(page, at + size, order)


def _packed(rows: npt.NDArray[np.uint16], bits: int, order: str) -> bytes:
    if bits == 16:
        return rows.astype(f"{order}u2").tobytes()
    shifts = np.arange(bits)[::-1]
    return b"".join(
        np.packbits(((row[:, None] >> shifts) & 1).astype(np.uint8).ravel()).tobytes()
        for row in rows
    )


def _ifd(tags: dict[int, tuple[int, list[float]]], at: int, order: str) -> bytes:
    formats = {BYTE: "B", SHORT: "H", LONG: "I"}
    entries, values = b"", b""
    free = at + 6 + 12 * len(tags)
    for code, (kind, numbers) in sorted(tags.items()):
        if kind == RATIONAL:
            packed = b"".join(struct.pack(f"{order}II", round(n * 1000), 1000) for n in numbers)
        else:
            packed = struct.pack(f"{order}{len(numbers)}{formats[kind]}", *map(int, numbers))
        entries += struct.pack(f"{order}HHI", code, kind, len(numbers))
        if len(packed) <= 4:
            entries += packed.ljust(4, b"\0")
        else:
            entries += struct.pack(f"{order}I", free + len(values))
            values += packed + b"\0" * (len(packed) % 2)
    return struct.pack(f"{order}H", len(tags)) + entries + b"\0\0\0\0" + values
