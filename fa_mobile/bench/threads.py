"""Holding a child process to a number of cores, before any runtime is loaded in it."""

from __future__ import annotations

import os

from fa_mobile.bench.device import available_cores
from fa_mobile.errors import UserError


def check(threads: int) -> None:
    """Refuse a number of threads that this machine has no cores for; 0 is the runtime's choice.

    Raises:
        UserError: for fewer than 0, or more threads than cores.
    """
    cores = len(available_cores())
    if not 0 <= threads <= cores:
        raise UserError(
            f"threads={threads} was given; this machine lends {cores} cores: allowed are "
            f"1 to {cores}, or 0 for the runtime's own choice"
        )


def limit(threads: int) -> None:
    """Let this process use ``threads`` cores only (0: all).

    The runtimes are told the number as well when a model is loaded; the affinity keeps what else
    they start (and numpy around them) off the other cores.

    Raises:
        UserError: see :func:`check`.
    """
    check(threads)
    if threads and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, available_cores()[:threads])
