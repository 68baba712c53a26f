"""What the tuner tries: the values of each field of a plan."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Final

from fa_mobile.folding import FoldPlan
from fa_mobile.targets.tuned import Value

CANDIDATES: Final[dict[str, tuple[Value, ...]]] = {
    "dense_heads": (False, True),
    "group_width": (0, 8, 16, 32, None),
    "fuse_heads": (False, True),
    "mosaic": ("planes", "shuffle", "columns", "convolution", "stem"),
    "upsample": ("own", "transposed", "shuffle"),
    "merge": (False, True),
    "pooling": (False, True),
    "skips": (False, True),
    "modulation": ("product", "residual"),
}
"""In the order in which they are tried: what was seen to change most comes first, and the heads
before the other groups, whose dense form takes the heads along and would hide them."""


def with_value(plan: FoldPlan, name: str, value: Value) -> FoldPlan:
    """``plan`` with one field changed."""
    return replace(plan, **{name: value})  # type: ignore[arg-type]


def untried_fields() -> set[str]:
    """Fields of a plan that the tuner knows no values for."""
    return {item.name for item in fields(FoldPlan)} - CANDIDATES.keys()
