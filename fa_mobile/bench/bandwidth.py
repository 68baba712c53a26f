"""The memory's bandwidth: copying a buffer far above the last cache."""

from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import numpy as np

from fa_mobile.bench.device import available_cores
from fa_mobile.bench.jobs import CopyResult

_CACHES: Final = Path("/sys/devices/system/cpu/cpu0/cache")
_TIMES_CACHE: Final = 8
_LEAST: Final = 256 * 2**20
_UNITS: Final = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30}


def largest_cache(folder: Path = _CACHES) -> int:
    """Bytes of the largest cache that the system lists; 0 where it lists none."""
    sizes = [0]
    for path in folder.glob("index*/size"):
        if found := re.fullmatch(r"(\d+)([KMG]?)", path.read_text(encoding="ascii").strip()):
            sizes.append(int(found[1]) * _UNITS[found[2]])
    return max(sizes)


def copy_rates(copies: int, threads: int) -> CopyResult:
    """Copy a buffer ``copies`` times on so many threads (0: one per core).

    Both directions count: 10^9 bytes read plus written per second. What a cache reads before it
    overwrites a line is not counted, so the memory itself moves up to half as much again.
    """
    workers = threads or len(available_cores())
    size = max(_LEAST, _TIMES_CACHE * largest_cache())
    size -= size % (8 * workers)
    source = np.ones(size // 8)
    target = np.zeros(size // 8)
    parts = list(zip(np.array_split(source, workers), np.array_split(target, workers), strict=True))
    rates = []
    with ThreadPoolExecutor(workers) as pool:
        for _ in range(copies):
            begin = time.perf_counter()
            list(pool.map(lambda part: np.copyto(part[1], part[0]), parts))  # numpy frees the GIL
            rates.append(2 * size / (time.perf_counter() - begin) / 1e9)
    return CopyResult(buffer_bytes=size, threads=workers, gbytes_per_s=tuple(rates))
