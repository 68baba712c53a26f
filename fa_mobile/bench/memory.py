"""Resident memory of this process, from Linux's /proc: now, and at its highest.

``resource.getrusage`` gives the highest since the process began, which libraries may have set
while they were imported; the kernel's own mark can be set back first.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

STATUS: Final = Path("/proc/self/status")
CLEAR: Final = Path("/proc/self/clear_refs")
_RESET_PEAK: Final = "5"
"""proc(5): sets VmHWM to the present resident size."""


def parse_status(text: str, field: str) -> int | None:
    """Bytes of a field (VmRSS, VmHWM) of /proc/*/status; None where it is not listed."""
    found = re.search(rf"^{field}:\s+(\d+) kB$", text, re.MULTILINE)
    return int(found[1]) * 1024 if found else None


def reset_peak(status: Path = STATUS, clear: Path = CLEAR) -> int | None:
    """Set the peak back to the present resident size and return that in bytes.

    None where the system does not offer it (other systems, kernels without the file).
    """
    try:
        clear.write_text(_RESET_PEAK, encoding="ascii")
        return parse_status(status.read_text(encoding="ascii", errors="replace"), "VmRSS")
    except OSError:
        return None


def peak(status: Path = STATUS) -> int | None:
    """The highest resident size since :func:`reset_peak`, in bytes."""
    try:
        return parse_status(status.read_text(encoding="ascii", errors="replace"), "VmHWM")
    except OSError:
        return None
