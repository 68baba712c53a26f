"""The few statistics that a benchmark needs, without scipy: a bundle is timed in the small install.

Tested against scipy.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from statistics import NormalDist, median
from typing import Final

_EXACT_UP_TO: Final = 25
"""Largest sample for which the exact distribution is counted out; above it the normal
approximation is good to far below any p that a gate uses."""


def p90(samples: Sequence[float]) -> float:
    """The 90th percentile, linear between the two nearest order statistics (numpy's default).

    Raises:
        ValueError: without samples.
    """
    if not samples:
        raise ValueError("no samples were given")
    ordered = sorted(samples)
    position = 0.9 * (len(ordered) - 1)
    low = math.floor(position)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (position - low) * (ordered[high] - ordered[low])


def round_ratios(samples: Sequence[float], peer: Sequence[float]) -> list[float]:
    """Each round's time over the peer's time of the same round.

    What slows a whole round (another process, a lower clock) is in both and cancels.

    Raises:
        ValueError: for different numbers of rounds.
    """
    return [own / other for own, other in zip(samples, peer, strict=True)]


def mann_whitney(x: Sequence[float], y: Sequence[float]) -> float:
    """Two-sided p of the Mann-Whitney U test: could ``x`` and ``y`` come from one distribution?

    Exact for small samples without ties, otherwise the normal approximation with corrections for
    ties and continuity, like ``scipy.stats.mannwhitneyu``.

    Raises:
        ValueError: when one of the samples is empty.
    """
    if not x or not y:
        raise ValueError("both samples need at least one value")
    ranks = _ranks([*x, *y])
    n, m = len(x), len(y)
    u = sum(ranks[:n]) - n * (n + 1) / 2
    larger = max(u, n * m - u)
    ties = Counter(ranks)
    if max(ties.values()) == 1 and max(n, m) <= _EXACT_UP_TO:
        ways = _ways(n, m)
        tail = sum(ways[math.ceil(larger) :])
        return min(1.0, 2 * tail / math.comb(n + m, n))
    total = n + m
    correction = sum(t**3 - t for t in ties.values()) / (total * (total - 1))
    variance = n * m / 12 * (total + 1 - correction)
    if variance <= 0:
        return 1.0  # every value is the same
    z = (larger - n * m / 2 - 0.5) / math.sqrt(variance)
    return min(1.0, 2 * NormalDist().cdf(-z))


def smallest_p(n: int, m: int) -> float:
    """The least p that samples of ``n`` and ``m`` values can reach, when all of one are larger."""
    return 2 / math.comb(n + m, n)


def _ranks(values: Sequence[float]) -> list[float]:
    """Rank of each value from 1; equal values share their mean rank."""
    order = sorted(range(len(values)), key=values.__getitem__)
    ranks = [0.0] * len(values)
    start = 0
    while start < len(order):
        end = start
        while end + 1 < len(order) and values[order[end + 1]] == values[order[start]]:
            end += 1
        for position in range(start, end + 1):
            ranks[order[position]] = (start + end) / 2 + 1
        start = end + 1
    return ranks


def _ways(n: int, m: int) -> list[int]:
    """How many of the C(n + m, n) orders give each value of U, 0 .. n m (Mann and Whitney 1947).

    The largest value belongs to x and lies above all m of y (U of n - 1, m, plus m), or belongs
    to y (U of n, m - 1).
    """
    table: dict[tuple[int, int], list[int]] = {}
    for i in range(n + 1):
        for j in range(m + 1):
            if i == 0 or j == 0:
                table[i, j] = [1]
                continue
            counts = [0] * (i * j + 1)
            for u, ways in enumerate(table[i - 1, j]):
                counts[u + j] += ways
            for u, ways in enumerate(table[i, j - 1]):
                counts[u] += ways
            table[i, j] = counts
    return table[n, m]


__all__ = ["mann_whitney", "median", "p90", "round_ratios", "smallest_p"]
