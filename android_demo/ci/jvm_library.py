"""Make ONNX Runtime's Android JNI library loadable by a JVM on Linux.

It was linked against bionic: its libraries have other names there, its symbols carry the version
"LIBC", which glibc does not define, and it asks for NNAPI's function, which Linux's ONNX Runtime
does not have and nothing here calls. patchelf renames the libraries; this drops the table of
versions, after which any definition serves, and makes that one symbol weak. What else it calls
(malloc, memcpy, dlclose, ...) glibc has as well.
"""

import struct
import sys
from collections.abc import Iterator
from pathlib import Path

VERSYM, VERNEED, VERNEEDNUM = 0x6FFFFFF0, 0x6FFFFFFE, 0x6FFFFFFF
IGNORED = 0x6FFFFDF8  # DT_CHECKSUM, which loaders do not look at
SHT_DYNAMIC, SHT_DYNSYM = 6, 11
STB_WEAK = 2
ABSENT = b"OrtSessionOptionsAppendExecutionProvider_Nnapi"


def sections(data: bytearray) -> list[tuple[int, int, int, int]]:
    """(type, offset, size, link) of each section of a little-endian ELF64 file."""
    if data[:6] != b"\x7fELF\x02\x01":
        raise SystemExit("not a little-endian 64-bit ELF file")
    (table,) = struct.unpack_from("<Q", data, 0x28)
    size, count = struct.unpack_from("<HH", data, 0x3A)
    found = []
    for index in range(count):
        fields = struct.unpack_from("<IIQQQQI", data, table + index * size)
        found.append((fields[1], fields[4], fields[5], fields[6]))
    return found


def entries(data: bytearray, wanted: int, size: int) -> Iterator[tuple[int, int]]:
    """(place of the entry, offset of the linked string table) in the sections of a type."""
    every = sections(data)
    for kind, offset, length, link in every:
        if kind == wanted:
            for at in range(offset, offset + length, size):
                yield at, every[link][1]


def drop_versions(data: bytearray) -> int:
    """How many entries for versions the dynamic section had."""
    dropped = 0
    for at, _ in entries(data, SHT_DYNAMIC, 16):
        if struct.unpack_from("<Q", data, at)[0] in (VERSYM, VERNEED, VERNEEDNUM):
            struct.pack_into("<Q", data, at, IGNORED)
            dropped += 1
    return dropped


def weaken(data: bytearray, name: bytes) -> int:
    """How many symbols have that name."""
    found = 0
    for at, strings in entries(data, SHT_DYNSYM, 24):
        start = strings + struct.unpack_from("<I", data, at)[0]
        if data[start : start + len(name) + 1] == name + b"\0":
            data[at + 4] = STB_WEAK << 4 | data[at + 4] & 0xF
            found += 1
    return found


if __name__ == "__main__":
    path = Path(sys.argv[1])
    contents = bytearray(path.read_bytes())
    if (drop_versions(contents), weaken(contents, ABSENT)) != (3, 1):
        raise SystemExit(f"{path} is not the library that was expected; see ci/downloads.sh")
    path.write_bytes(contents)
