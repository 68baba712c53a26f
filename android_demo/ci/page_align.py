"""Align an APK's stored entries: ci/page_align.py IN.apk OUT.apk.

Native libraries start on 16 KB, as phones with such pages need to map them from the APK; Debian's
zipalign knows 4 KB only. Everything else that is stored starts on 4 bytes. The alignment is written
in the extra field that apksigner keeps to when it copies entries.
"""

import shutil
import struct
import sys
import zipfile
from pathlib import Path

PAGE = 16384
WORD = 4
LOCAL_HEADER = 30
ALIGNMENT_FIELD = 0xD935  # uint16 alignment, then padding


def align(source: Path, target: Path) -> None:
    """Write ``source`` anew with aligned entries, in the same order."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for entry in old.infolist():
            copy = zipfile.ZipInfo(entry.filename, (1981, 1, 1, 1, 1, 2))
            copy.compress_type = entry.compress_type
            copy.external_attr = entry.external_attr
            if entry.compress_type == zipfile.ZIP_STORED:
                wanted = PAGE if entry.filename.endswith(".so") else WORD
                assert new.fp is not None
                start = new.fp.tell() + LOCAL_HEADER + len(entry.filename.encode()) + 6
                padding = bytes(-start % wanted)
                copy.extra = (
                    struct.pack("<HHH", ALIGNMENT_FIELD, 2 + len(padding), wanted) + padding
                )
            with old.open(entry) as reader, new.open(copy, "w") as writer:
                shutil.copyfileobj(reader, writer)


if __name__ == "__main__":
    align(Path(sys.argv[1]), Path(sys.argv[2]))
