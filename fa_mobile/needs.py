"""Optional parts of the installation, asked for in words instead of an ImportError."""

from __future__ import annotations

import importlib.util

from fa_mobile.errors import UserError


def _require(extra: str, *modules: str) -> None:
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if missing:
        raise UserError(
            f"this needs {', '.join(missing)}, which the small install leaves out; "
            f"run: pip install 'fa-mobile[{extra}]'"
        )


def require_export() -> None:
    """Raise UserError unless the ``export`` extra is installed."""
    _require("export", "torch", "safetensors", "executorch", "torchao", "onnx", "coremltools")


def require_torch() -> None:
    """Raise UserError unless networks can be built."""
    _require("export", "torch", "safetensors")


def require_measures() -> None:
    """Raise UserError unless SSIM can be computed and RGB be rendered."""
    _require("train", "cv2", "skimage")


def require_classical() -> None:
    """Raise UserError unless the library of the classical denoiser is installed."""
    _require("export", "skimage")


def require_train() -> None:
    """Raise UserError unless the ``train`` extra is installed."""
    # With int8's rounding, training uses the quantizer of an export target.
    require_export()
    _require("train", "cv2", "skimage")


def require_calibrate() -> None:
    """Raise UserError unless the ``calibrate`` extra is installed."""
    _require("calibrate", "cv2", "jinja2", "matplotlib", "scipy", "skimage")


def require_datasets() -> None:
    """Raise UserError unless the ``datasets`` extra is installed."""
    _require("datasets", "h5py", "jinja2", "scipy", "skimage")
