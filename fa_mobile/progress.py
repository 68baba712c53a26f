"""How far long work is, for whoever shows it."""

from __future__ import annotations

from collections.abc import Callable


def counter(progress: Callable[[int, int], None] | None, total: int) -> Callable[[], None]:
    """What is called after each of ``total`` parts, and tells ``progress`` (done, in all)."""
    done = 0

    def count() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, total)

    return count
