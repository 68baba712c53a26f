"""``open_bundle``: a bundle as a callable on mosaics of any size. Imports no torch itself."""

from __future__ import annotations

import contextlib
import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from fa_mobile.bayer import CfaPattern
from fa_mobile.bundle import read_bundle
from fa_mobile.errors import UserError
from fa_mobile.manifest import Manifest
from fa_mobile.noise import NoiseParameters
from fa_mobile.runtimes.reading import MirroredMosaic
from fa_mobile.runtimes.tiling import Tile, plan_frame
from fa_mobile.sensor import GainWarning

Mosaic = npt.NDArray[np.float32]
Buffers = tuple[Mosaic, Mosaic]


class Model(Protocol):
    """A loaded artifact."""

    def run(self, raw: Mosaic, *scalars: Mosaic) -> Mosaic:
        """``raw`` float32 [1, 1, H, W] and scalars float32 [1] to denoised [1, 1, H, W].

        The result may be the runtime's own memory, good until the next call.
        """


class Bundle:
    """A verified-by-hash bundle, ready to run.

    Calling it denoises one mosaic; see :meth:`__call__`.
    """

    def __init__(self, folder: Path, manifest: Manifest, model: Model) -> None:
        self.folder = folder
        self.manifest = manifest
        self._model = model
        self._buffers: Buffers | None = None

    def __call__(
        self,
        raw: npt.NDArray[np.generic],
        *,
        gain: float | None = None,
        noise: NoiseParameters | None = None,
        cfa: CfaPattern = "RGGB",
        progress: Callable[[int, int], None] | None = None,
        out: npt.NDArray[Any] | None = None,
    ) -> npt.NDArray[Any]:
        """Denoise a mosaic of any size, tile by tile.

        The next tile is read while one runs, into two buffers that are used in turn, so memory
        does not grow with the frame but for the result.

        Args:
            raw: [H, W], at least 2 x 2, DN of the manifest's sensor, integers or floats.
            gain: the capture's gain, 1 = base gain; for bundles whose selector is ``gain``.
            noise: the capture's (a, b); for bundles whose selector is ``noise-profile``.
            cfa: the pattern at the origin of ``raw``.
            progress: called with (tiles done, tiles in all).
            out: [H, W], receives the result, rounded where its type is an integer's; it may not
                share memory with ``raw``, whose tiles overlap.

        Returns:
            ``out``, or float32 [H, W]: DN between black and white.

        Raises:
            UserError: for a shape, DN, gain or noise that is not allowed.
        """
        scalars = self._scalars(gain, noise)
        m = self.manifest
        if raw.ndim != 2 or min(raw.shape) < 2:
            raise UserError(
                f"a mosaic of shape {raw.shape} was given; allowed is [H, W] from 2 x 2"
            )
        out = _output(raw, out)
        minimum = m.tile if m.fixed_shape else (m.min_side, m.min_side)
        frame = MirroredMosaic(raw, cfa, m.stride, minimum)
        tiles = plan_frame(*frame.shape, m.tile, m.halo, m.stride)
        with self._tile_buffers(tiles[0]) as buffers:
            for done, (tile, part) in enumerate(_prefetched(frame, tiles, buffers), start=1):
                frame.keep(tile, self._model.run(part[None, None], *scalars)[0, 0], out)
                if progress is not None:
                    progress(done, len(tiles))
        return out

    @contextlib.contextmanager
    def _tile_buffers(self, tile: Tile) -> Iterator[Buffers]:
        """Two for the samples of a tile, those of the call before where they fit.

        The pages of new ones would cost several per cent of a frame's time, measured. Taken and
        given back, so that calls within each other do not share them.
        """
        shape = tile.rows.size, tile.cols.size
        buffers, self._buffers = self._buffers, None
        if buffers is None or buffers[0].shape != shape:
            buffers = np.empty(shape, np.float32), np.empty(shape, np.float32)
        yield buffers
        self._buffers = buffers

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


def _output(raw: npt.NDArray[np.generic], out: npt.NDArray[Any] | None) -> npt.NDArray[Any]:
    if out is None:
        return np.empty(raw.shape, np.float32)
    if out.shape != raw.shape or np.shares_memory(raw, out):
        raise UserError(
            f"an output of shape {out.shape} was given for a mosaic of {raw.shape}; give an array "
            "of that shape that shares no memory with it"
        )
    return out


def _prefetched(
    frame: MirroredMosaic, tiles: Sequence[Tile], buffers: Buffers
) -> Iterator[tuple[Tile, Mosaic]]:
    """Each tile with its samples; while the caller works on one, the next is read.

    Raises:
        UserError: for samples that are not finite.
    """
    exact = np.issubdtype(frame.dtype, np.integer)  # no sample of integers can be NaN

    def read(index: int) -> Mosaic:
        buffer = buffers[index % 2]
        frame.read(tiles[index], buffer)
        if not (exact or np.isfinite(buffer).all()):
            raise UserError("the mosaic holds NaN or infinite samples; give finite DN")
        return buffer

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(read, 0)
        for index, tile in enumerate(tiles):
            part = waiting.result()
            if index + 1 < len(tiles):
                waiting = pool.submit(read, index + 1)
            yield tile, part


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
    """Load the artifact of a bundle into its real runtime; see :func:`open_bundle`.

    What its ``run`` returns is good until the next call.
    """
    path = folder / manifest.files[0]
    if manifest.target == "onnx":
        from fa_mobile.runtimes.onnx import OnnxModel

        return OnnxModel(path, threads=threads)
    if manifest.target == "executorch":
        from fa_mobile.runtimes.executorch import ExecutorchModel

        return ExecutorchModel(path, threads=threads, lends=True)
    raise UserError(
        f"bundle {manifest.name} is a Core ML model, which runs on Apple systems only; "
        "run it in the iOS app, or take an ONNX or ExecuTorch bundle here"
    )
