"""Golden vectors and the golden table of selector decisions, made from the float reference."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from fa_mobile.bayer import pad_to_phase
from fa_mobile.bundle import write_golden
from fa_mobile.denoiser import RawDenoiser
from fa_mobile.manifest import GoldenVector
from fa_mobile.noise import NoiseParameters
from fa_mobile.nsma import ArraySpec
from fa_mobile.patches import Patches, capture, to_dn
from fa_mobile.selection import select
from fa_mobile.sensor import SensorProfile

SIDE: Final = 96
_SEED: Final = 4208


class _Case(NamedTuple):
    """One input capture and the (gain, a, b) at which it is denoised."""

    noise: NoiseParameters
    calls: Sequence[tuple[float | None, np.float32, np.float32]]


def edge_gain(profile: SensorProfile, edge: float) -> np.float32:
    """The smallest float32 gain whose a(gain), in the artifact's own steps, reaches ``edge``."""
    gain = np.float32(profile.gain_at(edge))
    while profile.a_float32(gain) >= np.float32(edge):
        gain = np.nextafter(gain, np.float32(0))
    while profile.a_float32(gain) < np.float32(edge):
        gain = np.nextafter(gain, np.float32(np.inf))
    return gain


def _spread_gains(profile: SensorProfile) -> list[float]:
    """Both ends, octave pairs between them, and one gain beyond either end."""
    low, high = profile.gain_range
    inner = [low * 4**i for i in range(16) if low * 4**i < high]
    return [low / 2, *inner, high, high * 1.5]


def _cases(spec: ArraySpec, selector: str) -> list[_Case]:
    profile = spec.profile
    cases = []
    for gain in _spread_gains(profile):
        cases.append(_Case(profile.noise(gain), [_call(profile, np.float32(gain), selector)]))
    for edge in spec.edges:
        if selector == "gain":
            at = edge_gain(profile, edge)
            pair = [_call(profile, g, selector) for g in (at, np.nextafter(at, np.float32(0)))]
        else:
            b = np.float32(profile.line_b(edge))
            above = np.float32(edge)
            pair = [(None, above, b), (None, np.nextafter(above, np.float32(0)), b)]
        cases.append(_Case(NoiseParameters(edge, profile.line_b(edge)), pair))
    return cases


def _call(
    profile: SensorProfile, gain: np.float32, selector: str
) -> tuple[float | None, np.float32, np.float32]:
    a, b = profile.a_float32(gain), np.float32(profile.noise(float(gain)).b)
    return (float(gain) if selector == "gain" else None), a, b


def selection_table(spec: ArraySpec, selector: str) -> tuple[tuple[float, int], ...]:
    """(gain or a, member) at every edge, its float32 neighbours, and the extremes."""
    profile = spec.profile
    values: list[np.float32] = [np.float32(v) for v in (1e-30, 1e30)]
    if selector == "gain":
        centres = [edge_gain(profile, edge) for edge in spec.edges]
        values += [np.float32(g) for g in _spread_gains(profile)]
    else:
        centres = [np.float32(edge) for edge in spec.edges]
    for centre in centres:
        below = np.nextafter(centre, np.float32(0))
        values += [below, centre, np.nextafter(centre, np.float32(np.inf))]
    rows = []
    for value in sorted(set(values)):
        a = profile.a_float32(value) if selector == "gain" else value
        rows.append((float(value), select(a, spec.edges)))
    return tuple(rows)


@torch.no_grad()
def write_golden_vectors(
    denoiser: RawDenoiser,
    patches: Patches,
    folder: Path,
    *,
    selector: str,
    minimum: tuple[int, int],
) -> tuple[GoldenVector, ...]:
    """Write golden inputs, float reference outputs and ground truth below ``folder``/golden.

    ``minimum`` is (rows, columns) to which the runtime mirrors smaller inputs before the network
    sees them (the tile of a fixed-shape artifact); the reference sees the same.
    """
    spec = denoiser.spec
    rng = np.random.default_rng(_SEED)
    vectors = []
    for number, case in enumerate(_cases(spec, selector)):
        clean = patches[number % len(patches)][:SIDE, :SIDE]
        raw = capture(clean, case.noise, spec.profile, rng)
        stem = f"golden/{number:02d}"
        write_golden(folder, f"{stem}.raw.u16", raw.astype(np.uint16))
        write_golden(folder, f"{stem}.truth.f32", to_dn(clean, spec.profile))
        for which, (gain, a, b) in enumerate(case.calls):
            reference = run_reference(denoiser, raw, a, b, minimum)
            name = f"{stem}.{which}.reference.f32"
            write_golden(folder, name, reference)
            vectors.append(
                GoldenVector(
                    name=f"{number:02d}.{which}", height=SIDE, width=SIDE,
                    gain=gain, a=float(a), b=float(b), member=select(a, spec.edges),
                    raw=f"{stem}.raw.u16", reference=name, truth=f"{stem}.truth.f32",
                )
            )  # fmt: skip
    return tuple(vectors)


@torch.no_grad()
def run_reference(
    denoiser: RawDenoiser,
    raw: npt.NDArray[np.float32],
    a: float | np.float32,
    b: float | np.float32,
    minimum: tuple[int, int],
) -> npt.NDArray[np.float32]:
    """The float reference on ``raw`` [H, W] RGGB DN, mirrored like the runtimes do."""
    padded, (top, left) = pad_to_phase(raw, "RGGB", denoiser.stride, minimum)
    tensor = torch.from_numpy(np.ascontiguousarray(padded, np.float32))[None, None]
    noise = (torch.tensor([v], dtype=torch.float32) for v in (float(a), float(b)))
    out = denoiser.denoise_with_profile(tensor, *noise)[0, 0].numpy()
    return np.asarray(out[top : top + raw.shape[0], left : left + raw.shape[1]], np.float32)
