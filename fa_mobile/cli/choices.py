"""Options that take one of a few names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from fa_mobile.errors import UserError

T = TypeVar("T")


def one_of(option: str, given: str, allowed: Sequence[T]) -> T:
    """The allowed value that was given.

    Raises:
        UserError: when it is none of them.
    """
    for value in allowed:
        if given == value:
            return value
    raise UserError(f"{option} {given!r} was given; allowed are {', '.join(map(str, allowed))}")
