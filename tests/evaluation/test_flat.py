"""Flat gray: what has no cast is found to have none, and a planted one is found."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from fa_mobile.bayer import pack
from fa_mobile.errors import UserError
from fa_mobile.evaluation.captures import NoiseScale
from fa_mobile.evaluation.flat import (
    Channel,
    Flatness,
    controlled_mean,
    evaluate_flat,
    gray,
)
from fa_mobile.evaluation.subjects import Denoise, Subject
from fa_mobile.noise import NoiseParameters, clipped_mean
from fa_mobile.sensor import SensorProfile


def smoothed(raw: npt.NDArray[np.generic], gain: float) -> npt.NDArray[np.float32]:
    """Every sample the mean of its colour over 32 x 32 of the mosaic: an honest denoiser."""
    cells = raw.astype(np.float64).reshape(raw.shape[0] // 32, 16, 2, raw.shape[1] // 32, 16, 2)
    means = np.broadcast_to(cells.mean(axis=(1, 4), keepdims=True), cells.shape)
    return means.reshape(raw.shape).astype(np.float32)


def identity(raw: npt.NDArray[np.generic], gain: float) -> npt.NDArray[np.float32]:
    return raw.astype(np.float32)


def tinted(raw: npt.NDArray[np.generic], gain: float) -> npt.NDArray[np.float32]:
    """Red half a per cent too strong."""
    out = smoothed(raw, gain)
    out[0::2, 0::2] = 64 + 1.005 * (out[0::2, 0::2] - 64)
    return out


def flatness(
    profile: SensorProfile, *denoise: Denoise, gain: float = 16, level: float = 0.18
) -> list[tuple[Channel, ...]]:
    subjects = [Subject(str(k), function, profile) for k, function in enumerate(denoise)]
    found = evaluate_flat(subjects, profile, gains=(gain,), levels=(level,), side=256, frames=2)
    return [one.patches[0].channels for one in found]


@pytest.mark.parametrize("gain", [1, 64])
@pytest.mark.parametrize("level", [0.01, 0.5])
def test_identity_has_no_bias_but_the_clipping(
    profile: SensorProfile, gain: float, level: float
) -> None:
    for channel in flatness(profile, identity, gain=gain, level=level)[0]:
        assert channel.error == pytest.approx(channel.clipping, abs=1e-9)
        assert channel.standard_error < 1e-9
    # The dark channels of gain 64 do lose the end of their noise to DN 0.
    clipping = flatness(profile, identity, gain=64, level=0.01)[0][0].clipping
    assert clipping > 0.01


def test_planted_cast_is_found(profile: SensorProfile) -> None:
    honest, cast = flatness(profile, smoothed, tinted)
    assert [c.verdict for c in honest] == ["within"] * 4
    assert [c.verdict for c in cast] == ["beyond", "within", "within", "within"]
    assert cast[0].error - cast[0].clipping == pytest.approx(0.005, abs=2e-4)


def test_bias_of_a_nonlinear_denoiser_is_found_within_its_error(profile: SensorProfile) -> None:
    """A root loses brightness by a known part; the capture's own noise does not hide it."""

    def root(raw: npt.NDArray[np.generic], gain: float) -> npt.NDArray[np.float32]:
        signal = (raw.astype(np.float64) + 936) / 959  # far from 0, so that a series is enough
        small = np.sqrt(signal)
        cells = small.reshape(raw.shape[0] // 32, 16, 2, raw.shape[1] // 32, 16, 2)
        means = np.broadcast_to(cells.mean(axis=(1, 4), keepdims=True), cells.shape)
        return (means.reshape(raw.shape) ** 2 * 959 - 936).astype(np.float32)

    channel = flatness(profile, root, gain=32, level=0.5)[0][1]
    a, b = profile.noise(32)
    lost = (a * 0.5 + b) / (4 * (0.5 + 1000 / 959)) / 0.5 * (1 - 1 / 256)
    assert channel.error == pytest.approx(-lost, abs=4 * channel.standard_error + 2e-5)
    assert lost > 8 * channel.standard_error


def test_clipped_mean_is_the_mean_of_captures(profile: SensorProfile) -> None:
    rng = np.random.default_rng(0)
    noise = profile.noise(64)
    for x in (0.0, 0.01, 0.5, 0.95):
        sigma = np.sqrt(noise.a * x + noise.b)
        drawn = np.clip(x + sigma * rng.standard_normal(1_000_000), -0.0667, 1)
        assert clipped_mean(x, noise, -0.0667) == pytest.approx(drawn.mean(), abs=5e-3 * sigma)
    assert clipped_mean(0.3, NoiseParameters(1e-6, 1e-9), -0.06) == pytest.approx(0.3, abs=1e-12)


def test_standard_error_is_honest() -> None:
    """Over many repetitions the error spreads as stated, and less than without the control."""
    rng = np.random.default_rng(8)
    errors, stated = [], []
    for _ in range(400):
        control = rng.normal(1, 0.1, 40)
        values = 0.7 * control + rng.normal(0.5, 0.02, 40)
        mean, error = controlled_mean(values, control, 1.0)
        errors.append(mean - 1.2)
        stated.append(error)
    assert np.std(errors) == pytest.approx(np.mean(stated), rel=0.12)
    assert abs(np.mean(errors)) < 4 * np.mean(stated) / 20
    assert np.mean(stated) < 0.3 * 0.07 / np.sqrt(40) / 0.7


def test_gray_is_neutral(profile: SensorProfile) -> None:
    planes = pack(gray(0.5, 64, profile))
    red, green, blue = (profile.as_shot_neutral[k] for k in range(3))
    assert green == 1
    expected = [0.5 * red, 0.5, 0.5, 0.5 * blue]
    assert planes.reshape(4, -1).max(axis=1) == pytest.approx(expected, abs=1e-6)


def test_noise_off_the_profile_reaches_the_captures(profile: SensorProfile) -> None:
    seen = []

    def watch(raw: npt.NDArray[np.generic], gain: float) -> npt.NDArray[np.float32]:
        seen.append(float(np.var(raw[0::2, 1::2].astype(float))))
        return raw.astype(np.float32)

    for scale in (NoiseScale(), NoiseScale(1.3, 1.3)):
        evaluate_flat(
            [Subject("watch", watch, profile)], profile, gains=(16,), levels=(0.5,), side=256,
            frames=1, noise_scale=scale,
        )  # fmt: skip
    assert seen[1] / seen[0] == pytest.approx(1.3, rel=0.03)


def test_verdicts_and_json(profile: SensorProfile) -> None:
    assert Channel(0.1, 0.0005, 0.0002, 0).verdict == "within"
    assert Channel(0.1, -0.0015, 0.0002, 0).verdict == "beyond"
    assert Channel(0.1, 0.0009, 0.0002, 0).verdict == "undecided"
    found = evaluate_flat(
        [Subject("one", identity, profile)], profile, gains=(4,), levels=(0.2,), side=128, frames=1
    )
    assert isinstance(found[0], Flatness)
    data = found[0].to_dict()
    assert data["subject"] == "one"
    row = data["patches"][0]  # type: ignore[index]
    assert (row["gain"], row["level"]) == (4, 0.2)
    assert list(row["channels"]) == ["R", "Gr", "Gb", "B"]
    assert {"error_percent", "standard_error_percent", "verdict"} <= set(row["channels"]["R"])


def test_refusals(profile: SensorProfile) -> None:
    subject = Subject("one", identity, profile)
    with pytest.raises(UserError, match="gain -1"):
        evaluate_flat([subject], profile, gains=(-1,))


def test_flat_captures_are_rggb_whatever_the_sensors_pattern(profile: SensorProfile) -> None:
    """As simulated photos are: what is denoised here begins at red."""
    subject = Subject("one", identity, profile)
    grbg = profile.model_copy(update={"cfa": "GRBG"})
    given = {"gains": (4.0,), "levels": (0.2,), "side": 128, "frames": 2}
    (ours,), (theirs,) = (evaluate_flat([subject], one, **given) for one in (profile, grbg))
    assert ours.to_dict() == theirs.to_dict()
