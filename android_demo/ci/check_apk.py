"""What an APK of this app must be: ci/check_apk.py APK. Raises for what it is not."""

import hashlib
import json
import struct
import sys
import zipfile
from pathlib import Path

MOST_BYTES = 40_000_000
PAGE = 16384
PT_LOAD = 1


def data_offset(apk: bytes, entry: zipfile.ZipInfo) -> int:
    """Where the contents of an entry begin in the file."""
    name, extra = struct.unpack_from("<HH", apk, entry.header_offset + 26)
    return entry.header_offset + 30 + int(name) + int(extra)


def load_alignments(library: bytes) -> list[int]:
    """Alignment of every segment of a 64-bit ELF that is mapped."""
    (table,) = struct.unpack_from("<Q", library, 0x20)
    size, count = struct.unpack_from("<HH", library, 0x36)
    headers = [struct.unpack_from("<IIQQQQQQ", library, table + i * size) for i in range(count)]
    return [header[7] for header in headers if header[0] == PT_LOAD]


def check(path: Path) -> str:
    """What was found, in a sentence."""
    apk = path.read_bytes()
    assert len(apk) < MOST_BYTES, f"{len(apk)} bytes are more than {MOST_BYTES}"
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        libraries = [name for name in names if name.startswith("lib/")]
        assert "lib/arm64-v8a/libonnxruntime.so" in libraries, libraries
        assert "lib/arm64-v8a/libonnxruntime4j_jni.so" in libraries, libraries
        for name in libraries:
            entry, library = archive.getinfo(name), archive.read(name)
            assert library[:5] == b"\x7fELF\x02" and library[0x12] == 183, (
                f"{name} is not for arm64"
            )
            assert entry.compress_type == zipfile.ZIP_STORED, f"{name} is compressed"
            assert data_offset(apk, entry) % PAGE == 0, f"{name} does not start on {PAGE} bytes"
            assert min(load_alignments(library)) >= PAGE, f"{name} has segments below {PAGE} bytes"
        manifest = json.loads(archive.read("assets/bundle/manifest.json"))
        assert manifest["precision"] == "int8", manifest["precision"]
        for line in archive.read("assets/bundle/SHA256SUMS").decode().splitlines():
            digest, name = line.split("  ")
            found = hashlib.sha256(archive.read(f"assets/bundle/{name}")).hexdigest()
            assert found == digest, f"assets/bundle/{name} is not what SHA256SUMS says"
        assert "classes.dex" in names
    return (
        f"{len(apk)} bytes, {len(libraries)} libraries on {PAGE} bytes, bundle {manifest['name']}"
    )


if __name__ == "__main__":
    sys.stdout.write(check(Path(sys.argv[1])) + "\n")
