"""What is timed, ready to be called: a bundle on a frame, or a chain of convolutions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fa_mobile.bench.jobs import BundleSubject, ChainSubject
from fa_mobile.bundle import read_bundle
from fa_mobile.errors import UserError
from fa_mobile.manifest import Manifest
from fa_mobile.noise import NoiseParameters
from fa_mobile.runtimes.session import Bundle, load_model
from fa_mobile.runtimes.tiling import plan_frame

Array = npt.NDArray[np.float32]
Call = Callable[[], object]
_SEED = 13


def frame(manifest: Manifest, width: int, height: int) -> Array:
    """Random whole DN between black and white, float32 [height, width]; always the same."""
    low, high = min(manifest.sensor.black_level), manifest.sensor.white_level
    rng = np.random.default_rng(_SEED)
    return rng.integers(int(low), int(high) + 1, (height, width)).astype(np.float32)


class Buffers(NamedTuple):
    """What the caller of a bundle holds: the mosaic, and where a frame's result goes."""

    raw: npt.NDArray[Any]
    out: npt.NDArray[np.uint16] | None
    """None for one call of the model, which makes its own result."""


def buffers(manifest: Manifest, width: int, height: int) -> Buffers:
    """Random DN as the bundle takes them: float32 for one call, 16 bits for a frame, as cameras."""
    raw = frame(manifest, width, height)
    if is_one_call(manifest, width, height):
        return Buffers(raw, None)
    # Filled, because pages that nobody wrote are no memory yet.
    return Buffers(raw.astype(np.uint16), np.full(raw.shape, 0, np.uint16))


def is_one_call(manifest: Manifest, width: int, height: int) -> bool:
    """Whether a frame is just what the model takes, with no padding or tiles around it."""
    if manifest.fixed_shape:
        return (height, width) == manifest.tile
    return all(
        manifest.min_side <= side <= most and side % manifest.stride == 0
        for side, most in zip((height, width), manifest.tile, strict=True)
    )


def tile_areas(manifest: Manifest, width: int, height: int) -> list[int]:
    """Mosaic pixels of each call that a frame takes; overlap makes their sum exceed the frame."""
    if is_one_call(manifest, width, height):
        return [width * height]
    m = manifest
    rows, columns = (side + -side % m.stride for side in (height, width))
    tiles = plan_frame(rows, columns, m.tile, m.halo, m.stride)
    spans = ((tile.rows, tile.cols) for tile in tiles)
    return [(r.stop - r.start) * (c.stop - c.start) for r, c in spans]


def scalars(manifest: Manifest, gain: float) -> list[Array]:
    """The inputs beside ``raw``: the gain, or its noise, float32 [1] each."""
    values = [gain] if manifest.selector == "gain" else list(manifest.sensor.noise(gain))
    return [np.array([value], np.float32) for value in values]


def bundle_call(subject: BundleSubject, manifest: Manifest, held: Buffers, threads: int) -> Call:
    """Load the bundle; the call denoises what is held, by the model alone where possible.

    Raises:
        UserError: when the bundle's runtime is missing or refuses it.
    """
    model = load_model(Path(subject.folder), manifest, threads=threads)
    raw, out = held
    if out is None:
        given = [raw[None, None], *scalars(manifest, subject.gain)]
        return lambda: model.run(*given)
    bundle = Bundle(Path(subject.folder), manifest, model)
    if manifest.selector == "gain":
        return lambda: bundle(raw, gain=subject.gain, out=out)
    noise = NoiseParameters(*manifest.sensor.noise(subject.gain))
    return lambda: bundle(raw, noise=noise, out=out)


def ready(subject: BundleSubject | ChainSubject, threads: int) -> Call:
    """A subject as a call without arguments.

    Raises:
        UserError: when it cannot be loaded.
    """
    if isinstance(subject, BundleSubject):
        manifest = read_bundle(Path(subject.folder))
        held = buffers(manifest, subject.width, subject.height)
        return bundle_call(subject, manifest, held, threads)
    shape = (1, subject.channels, subject.side, subject.side)
    x = np.random.default_rng(_SEED).random(shape, np.float32)
    if subject.target == "executorch":
        from fa_mobile.runtimes.executorch import load_methods

        forward = load_methods(Path(subject.file), threads=threads)["forward"]
        return lambda: forward([x])
    session = onnx_session(Path(subject.file), threads)
    name = session.get_inputs()[0].name
    return lambda: session.run(None, {name: x})


def onnx_session(path: Path, threads: int, profile: Path | None = None) -> Any:
    """A session with the options that bundles run with; ``profile``: prefix of the trace.

    Raises:
        UserError: when onnxruntime refuses the file.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 4
    if profile is not None:
        options.enable_profiling = True
        options.profile_file_prefix = str(profile)
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises classes of its own C++ module
        raise UserError(f"{path} cannot be loaded by onnxruntime: {error}") from error
