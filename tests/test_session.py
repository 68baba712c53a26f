"""Running a bundle on frames of any size, pattern and level, around any model."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fa_mobile.bayer import CFA_PATTERNS, CfaPattern
from fa_mobile.dng import cell_order
from fa_mobile.errors import UserError
from fa_mobile.noise import NoiseParameters
from fa_mobile.raw_io import RawFrame
from fa_mobile.runtimes.frames import denoise_frame
from fa_mobile.sensor import GainWarning
from tests.fakes import fake_bundle

Array = npt.NDArray[np.float32]


def identity(raw: Array, *_scalars: Array) -> Array:
    return raw


def reds_up(raw: Array, *_scalars: Array) -> Array:
    """Adds 100 to what the model takes for red: shows whether the phase is right."""
    out = raw.copy()
    out[..., ::2, ::2] += 100
    return out


@settings(deadline=None)
@given(
    height=st.integers(2, 150), width=st.integers(2, 150), cfa=st.sampled_from(CFA_PATTERNS),
    fixed=st.booleans(),
)  # fmt: skip
def test_any_size_and_pattern(height: int, width: int, cfa: CfaPattern, fixed: bool) -> None:
    bundle, model = fake_bundle(reds_up, fixed_shape=fixed)
    raw = np.random.default_rng(0).integers(64, 900, (height, width)).astype(np.uint16)
    out = bundle(raw, gain=4, cfa=cfa)
    assert out.shape == raw.shape and out.dtype == np.float32
    row, col = cfa.index("R") // 2, cfa.index("R") % 2
    expected = raw.astype(np.float32)
    expected[row::2, col::2] += 100
    assert np.array_equal(out, expected)
    for shape, scalars in model.calls:
        assert scalars == [4.0]
        assert shape[2] % 8 == 0 and shape[3] % 8 == 0 and max(shape) <= 64
        assert shape == (1, 1, 64, 64) or not fixed


def test_progress_counts_tiles() -> None:
    bundle, model = fake_bundle(identity)
    seen: list[tuple[int, int]] = []
    bundle(np.zeros((200, 100)), gain=1, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(i, len(model.calls)) for i in range(1, len(model.calls) + 1)]
    assert len(seen) > 1


def test_buffers_are_reused_but_not_by_a_call_within_a_call() -> None:
    places: list[int] = []

    def model(raw: Array, *_scalars: Array) -> Array:
        places.append(raw.ctypes.data)
        return raw

    bundle, _ = fake_bundle(model)
    outer, inner = (np.full((200, 100), level, np.uint16) for level in (300, 700))
    assert (bundle(outer, gain=1) == 300).all()
    first = set(places)
    places.clear()
    assert (bundle(outer, gain=1) == 300).all()
    assert set(places) == first and len(first) == 2

    def within(_done: int, _total: int) -> None:
        assert (bundle(inner, gain=1) == 700).all()

    assert (bundle(outer, gain=1, progress=within) == 300).all()


@pytest.mark.parametrize("gain", [0, -1, math.nan, math.inf])
def test_gain_that_is_none(gain: float) -> None:
    bundle, model = fake_bundle(identity)
    with pytest.raises(UserError, match=f"gain {gain} was given; allowed are finite"):
        bundle(np.zeros((16, 16)), gain=gain)
    assert not model.calls


@pytest.mark.parametrize("gain", [0.25, 200])
def test_gain_beyond_the_profile_warns_and_runs(gain: float) -> None:
    bundle, model = fake_bundle(identity)
    with pytest.warns(GainWarning, match=r"beyond the profile's 1\.\.64"):
        bundle(np.zeros((16, 16)), gain=gain)
    assert model.calls[0][1] == [gain]


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (np.zeros((2, 2, 2)), "shape"),
        (np.zeros((1, 9)), "shape"),
        (np.full((8, 8), np.nan), "NaN"),
    ],
)
def test_mosaic_that_is_none(raw: npt.NDArray[np.generic], message: str) -> None:
    bundle, _ = fake_bundle(identity)
    with pytest.raises(UserError, match=message):
        bundle(raw, gain=1)


def test_selectors_ask_for_their_own_input() -> None:
    with pytest.raises(UserError, match="selects by gain and none was given"):
        fake_bundle(identity)[0](np.zeros((16, 16)))
    by_noise, model = fake_bundle(identity, selector="noise-profile")
    with pytest.raises(UserError, match="selects by noise profile and none was given"):
        by_noise(np.zeros((16, 16)), gain=1)
    with pytest.raises(UserError, match="allowed are a > 0"):
        by_noise(np.zeros((16, 16)), noise=NoiseParameters(0, 1))
    by_noise(np.zeros((16, 16)), noise=NoiseParameters(0.5, 0.25))
    assert model.calls[0][1] == [0.5, 0.25]


def frame(**changes: object) -> RawFrame:
    rng = np.random.default_rng(2)
    base = RawFrame(
        mosaic=rng.integers(300, 4000, (33, 47)).astype(np.uint16), cfa="GRBG",
        black_level=(100.0, 110.0, 120.0, 130.0), white_level=4095.0, iso=800,
        noise=NoiseParameters(1e-3, 1e-5),
    )  # fmt: skip
    return replace(base, **changes)  # type: ignore[arg-type]


def test_frame_of_other_levels_comes_back_in_its_own() -> None:
    bundle, model = fake_bundle(identity)
    given = frame()
    out = denoise_frame(bundle, given)
    assert np.array_equal(out.mosaic, given.mosaic)
    assert (out.cfa, out.black_level, out.white_level) == ("GRBG", given.black_level, 4095.0)
    assert out.noise is None  # the file's noise is not the denoised frame's
    assert model.calls[0][1] == [8.0]


def test_frame_of_other_levels_meets_the_sensors_dn() -> None:
    low, high = [], []

    def watch(raw: Array, *_scalars: Array) -> Array:
        low.append(float(raw.min()))
        high.append(float(raw.max()))
        return raw

    bundle, _ = fake_bundle(watch)
    black = np.array(cell_order(frame().black_level, "GRBG")).reshape(2, 2)
    levels = np.tile(black, (4, 4)).astype(np.uint16)
    levels[0, 0] = 4095
    denoise_frame(bundle, frame(mosaic=levels))
    assert low == [64.0]
    assert high == [1023.0]


def test_frame_without_iso_needs_a_gain() -> None:
    bundle, model = fake_bundle(identity)
    with pytest.raises(UserError, match="--gain"):
        denoise_frame(bundle, frame(iso=None))
    denoise_frame(bundle, frame(iso=None), gain=3)
    assert model.calls[0][1] == [3.0]


def test_noise_profile_of_the_frame_is_used() -> None:
    bundle, model = fake_bundle(identity, selector="noise-profile")
    denoise_frame(bundle, frame())
    denoise_frame(bundle, frame(), noise=NoiseParameters(0.5, 0.25))
    denoise_frame(bundle, frame(noise=None))  # from ISO 800 by the bundle's sensor
    sensor = bundle.manifest.sensor
    calls = [scalars for _, scalars in model.calls]
    assert calls[0] == pytest.approx([1e-3, 1e-5])
    assert calls[1] == [0.5, 0.25]
    assert calls[2] == pytest.approx(list(sensor.noise(8)))
    with pytest.raises(UserError, match="NoiseProfile.*--noise"):
        denoise_frame(bundle, frame(noise=None, iso=None))
