"""fa-mobile: RAW denoising for phones, from a trained model array to bundles that ship.

``open_bundle(folder)`` gives a callable ``(raw, gain=...) -> denoised`` without importing torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fa_mobile.errors import UserError
    from fa_mobile.runtimes.session import Bundle, open_bundle

__version__ = "0.1.0"
__all__ = ["Bundle", "UserError", "open_bundle"]

_HOMES = {
    "Bundle": "fa_mobile.runtimes.session",
    "UserError": "fa_mobile.errors",
    "open_bundle": "fa_mobile.runtimes.session",
}


def __getattr__(name: str) -> Any:
    # Imported on first use, so that the command line starts fast.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_HOMES[name]), name)
