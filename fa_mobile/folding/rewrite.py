"""Replacing modules by equal ones, from the leaves up."""

from __future__ import annotations

import copy
from collections.abc import Callable

from torch import nn

Rewrite = Callable[[nn.Module], nn.Module | None]
"""Takes a module, returns its replacement, or None to leave it as it is."""


def rewritten(module: nn.Module, *rewrites: Rewrite) -> nn.Module:
    """A deep copy of ``module`` in eval mode with each rewrite applied to every submodule.

    Rewrites run one after another, each over the whole tree, children before parents.
    """
    copied = copy.deepcopy(module).eval()
    # Rewrites that make layers without a model for their precision (pooling has no weights)
    # make them float32; the whole copy then gets the precision of the original.
    dtype = next((p.dtype for p in copied.parameters()), None)
    for rewrite in rewrites:
        copied = _apply(copied, rewrite)
    return copied if dtype is None else copied.to(dtype)


def _apply(module: nn.Module, rewrite: Rewrite) -> nn.Module:
    for name, child in module.named_children():
        setattr(module, name, _apply(child, rewrite))
    replacement = rewrite(module)
    return module if replacement is None else replacement
