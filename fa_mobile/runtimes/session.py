"""``open_bundle``: a bundle as a callable on mosaics of any size. Imports no torch itself."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from fa_mobile.bayer import CfaPattern, pad_to_phase
from fa_mobile.bundle import read_bundle
from fa_mobile.errors import UserError
from fa_mobile.manifest import Manifest
from fa_mobile.noise import NoiseParameters
from fa_mobile.runtimes.tiling import plan_frame
from fa_mobile.sensor import GainWarning

Mosaic = npt.NDArray[np.float32]


class Model(Protocol):
    """A loaded artifact."""

    def run(self, raw: Mosaic, *scalars: Mosaic) -> Mosaic:
        """``raw`` float32 [1, 1, H, W] and scalars float32 [1] to denoised [1, 1, H, W]."""


class Bundle:
    """A verified-by-hash bundle, ready to run.

    Calling it denoises one mosaic; see :meth:`__call__`.
    """

    def __init__(self, folder: Path, manifest: Manifest, model: Model) -> None:
        self.folder = folder
        self.manifest = manifest
        self._model = model

    def __call__(
        self,
        raw: npt.NDArray[np.generic],
        *,
        gain: float | None = None,
        noise: NoiseParameters | None = None,
        cfa: CfaPattern = "RGGB",
        progress: Callable[[int, int], None] | None = None,
    ) -> Mosaic:
        """Denoise a mosaic of any size.

        Args:
            raw: [H, W], at least 2 x 2, DN of the manifest's sensor, integers or floats.
            gain: the capture's gain, 1 = base gain; for bundles whose selector is ``gain``.
            noise: the capture's (a, b); for bundles whose selector is ``noise-profile``.
            cfa: the pattern at the origin of ``raw``.
            progress: called with (tiles done, tiles in all).

        Returns:
            float32 [H, W] in DN, between black and white.

        Raises:
            UserError: for a shape, DN, gain or noise that is not allowed.
        """
        scalars = self._scalars(gain, noise)
        m = self.manifest
        if raw.ndim != 2 or min(raw.shape) < 2:
            raise UserError(
                f"a mosaic of shape {raw.shape} was given; allowed is [H, W] from 2 x 2"
            )
        if not np.isfinite(raw).all():
            raise UserError("the mosaic holds NaN or infinite samples; give finite DN")
        minimum = m.tile if m.fixed_shape else m.min_side
        padded, (top, left) = pad_to_phase(raw, cfa, m.stride, minimum)
        frame = np.ascontiguousarray(padded, np.float32)
        out = np.empty_like(frame)
        tiles = plan_frame(frame.shape[0], frame.shape[1], m.tile, m.halo, m.stride)
        for done, tile in enumerate(tiles, start=1):
            rows, cols = tile.rows, tile.cols
            part = np.ascontiguousarray(frame[rows.start : rows.stop, cols.start : cols.stop])
            result = self._model.run(part[None, None], *scalars)[0, 0]
            out[rows.keep_start : rows.keep_stop, cols.keep_start : cols.keep_stop] = result[
                rows.keep_start - rows.start : rows.keep_stop - rows.start,
                cols.keep_start - cols.start : cols.keep_stop - cols.start,
            ]
            if progress is not None:
                progress(done, len(tiles))
        return out[top : top + raw.shape[0], left : left + raw.shape[1]]

    def _scalars(self, gain: float | None, noise: NoiseParameters | None) -> list[Mosaic]:
        m = self.manifest
        if m.selector == "gain":
            if gain is None:
                raise UserError(f"bundle {m.name} selects by gain and none was given; give a gain")
            check_gain(gain, m)
            return [np.array([gain], np.float32)]
        if noise is None:
            raise UserError(
                f"bundle {m.name} selects by noise profile and none was given; "
                "give (a, b), for example from the file's NoiseProfile tag"
            )
        if not (math.isfinite(noise.a) and math.isfinite(noise.b) and noise.a > 0 <= noise.b):
            raise UserError(f"noise {tuple(noise)} was given; allowed are a > 0 and b >= 0")
        return [np.array([value], np.float32) for value in noise]


def check_gain(gain: float, manifest: Manifest) -> None:
    """Refuse a gain that is no gain, warn of one beyond the profile.

    Raises:
        UserError: for zero, negative, NaN or infinite gains.
    """
    if not (math.isfinite(gain) and gain > 0):
        raise UserError(
            f"gain {gain} was given; allowed are finite numbers above 0, 1 being the base gain"
        )
    low, high = manifest.sensor.gain_range
    if not low <= gain <= high:
        warnings.warn(
            f"gain {gain:g} is beyond the profile's {low:g}..{high:g}; the model of the nearest "
            "end serves it",
            GainWarning,
            stacklevel=3,
        )


def open_bundle(folder: str | Path, *, threads: int = 0) -> Bundle:
    """Open a bundle for running.

    Args:
        folder: as ``fa-mobile export`` wrote it.
        threads: of the runtime; 0 leaves the choice to it.

    Raises:
        UserError: for a damaged bundle, an unknown schema, a missing runtime, or a target that
            does not run on this machine (Core ML).
    """
    folder = Path(folder)
    manifest = read_bundle(folder)
    return Bundle(folder, manifest, load_model(folder, manifest, threads=threads))


def load_model(folder: Path, manifest: Manifest, *, threads: int = 0) -> Model:
    """Load the artifact of a bundle into its real runtime; see :func:`open_bundle`."""
    path = folder / manifest.files[0]
    if manifest.target == "onnx":
        from fa_mobile.runtimes.onnx import OnnxModel

        return OnnxModel(path, threads=threads)
    if manifest.target == "executorch":
        from fa_mobile.runtimes.executorch import ExecutorchModel

        return ExecutorchModel(path, threads=threads)
    raise UserError(
        f"bundle {manifest.name} is a Core ML model, which runs on Apple systems only; "
        "run it in the iOS app, or take an ONNX or ExecuTorch bundle here"
    )
