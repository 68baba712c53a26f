"""The estimates against noise that is known: synthetic charts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fa_mobile.calibration.captures import Given
from fa_mobile.calibration.chart import find_chart
from fa_mobile.calibration.estimate import Estimate, estimate, moment_estimate
from fa_mobile.calibration.limits import limits_of
from fa_mobile.calibration.reading import Options
from fa_mobile.calibration.regions import planes_of
from fa_mobile.calibration.run import measure
from fa_mobile.calibration.samples import Sample, interval_counts, region_samples
from fa_mobile.errors import UserError
from fa_mobile.noise import NoiseParameters
from fa_mobile.raw_io import RawFrame
from tests.calibration.charts import SENSOR, chart_frame

SPAN = SENSOR.span[0]


def unseen(gain: float, seed: int) -> NoiseParameters:
    """A noise of the order of the sensor's that no code was tuned to."""
    rng = np.random.default_rng((seed, round(gain)))
    a, b = SENSOR.noise(gain)
    return NoiseParameters(a * rng.uniform(0.7, 1.4), b * rng.uniform(0.4, 2.0))


def samples_of(frame: RawFrame) -> list[Sample]:
    planes = planes_of(frame)
    limits = limits_of(planes, max(frame.black_level), frame.white_level)
    regions = find_chart(planes, frame.black_level, frame.white_level)
    found = [s for region in regions for s in region_samples(planes, region, frame, limits)]
    return [s for s in found if isinstance(s, Sample)]


def uncensored(samples: list[Sample]) -> NoiseParameters:
    """A line through the variances as they are, clipped or not."""
    points = [s.point for s in samples]
    return moment_estimate(
        np.array([p.mean for p in points]),
        np.array([max(p.variance, 0) for p in points]),
        np.array([float(p.samples) for p in points]),
    )


def censored(samples: list[Sample]) -> Estimate:
    return estimate(interval_counts(samples), uncensored(samples))


@pytest.mark.parametrize("clip_black", [False, True])
@pytest.mark.parametrize("gain", [1, 8, 64])
def test_the_noise_of_one_frame(gain: float, clip_black: bool) -> None:
    truth = unseen(gain, 1)
    frame = chart_frame(960, 1280, truth, gain, 5, exposure=1.15, clip_black=clip_black)
    found = censored(samples_of(frame))
    assert found.a.value == pytest.approx(truth.a, rel=0.02)
    # Four standard errors, which themselves must be small.
    assert abs(found.b.value - truth.b) < 4 * found.b.error
    assert found.b.error * SPAN**2 < max(0.08, 0.06 * truth.b * SPAN**2)
    assert found.strays == pytest.approx(0.001, rel=0.3)


@pytest.mark.parametrize("gain", [32, 64])
def test_without_the_censored_model_it_is_visibly_worse(gain: float) -> None:
    truth = unseen(gain, 2)
    frame = chart_frame(720, 960, truth, gain, 6, exposure=1.3, clip_black=True)
    samples = samples_of(frame)
    plain, found = uncensored(samples), censored(samples)
    off = abs(found.a.value / truth.a - 1), abs(found.b.value / truth.b - 1)
    worse = abs(plain.a / truth.a - 1), abs(plain.b / truth.b - 1)
    assert off[0] < 0.03 and off[1] < 0.1
    assert worse[0] > 0.05 and worse[0] > 4 * off[0]
    assert worse[1] > 0.3 and worse[1] > 4 * off[1]


def test_noise_below_the_rounding_step() -> None:
    """b of 0.04 DN^2, where whole DN hide it: within 0.3 DN^2, and a unharmed."""
    truth = NoiseParameters(3e-5, 0.04 / SPAN**2)
    frame = chart_frame(960, 1280, truth, 1, 7)
    found = censored(samples_of(frame))
    assert found.a.value == pytest.approx(truth.a, rel=0.02)
    assert abs(found.b.value - truth.b) * SPAN**2 < 0.1


def test_hot_pixels_change_nothing() -> None:
    truth = unseen(4, 3)
    clean, hot = (
        censored(samples_of(chart_frame(720, 960, truth, 4, 9, hot=share))) for share in (0, 0.005)
    )
    assert clean.strays < 3e-4 and hot.strays == pytest.approx(0.005, rel=0.2)
    assert hot.a.value == pytest.approx(clean.a.value, rel=0.01)
    assert abs(hot.b.value - clean.b.value) < 2 * clean.b.error


def test_the_interval_shrinks_with_the_frame_and_holds_the_value() -> None:
    truth = unseen(8, 4)
    small, large = (
        censored(samples_of(chart_frame(h, w, truth, 8, 3))) for h, w in ((480, 640), (960, 1280))
    )
    assert small.a.low < small.a.value < small.a.high
    assert large.a.error < 0.7 * small.a.error
    assert small.b.low >= 0


def test_too_little_to_tell() -> None:
    samples = samples_of(chart_frame(480, 640, unseen(4, 5), 4, 9))
    with pytest.raises(UserError, match="3 flat regions .* are usable; needed are at least 6"):
        censored(samples[:3])
    alike = [s for s in samples if 0.1 < s.point.mean < 0.17]
    assert len(alike) >= 6
    with pytest.raises(UserError, match="times the darkest; needed is at least"):
        censored(alike)


@pytest.mark.slow
@pytest.mark.parametrize("gain", [1, 2, 4, 8, 16, 32, 64])
def test_whole_frames_are_within_the_goals(gain: float) -> None:
    """Three of 13 MP: a within 2 %, b within 10 % (0.3 DN^2 where rounding hides it)."""
    truth = unseen(gain, 10)
    samples = []
    for seed in range(3):
        frame = chart_frame(
            3120, 4208, truth, gain, 10 * round(gain) + seed, exposure=1.15, clip_black=seed == 2
        )
        own = samples_of(frame)
        assert censored(own).a.value == pytest.approx(truth.a, rel=0.02)
        samples += own
    found = censored(samples)
    assert found.a.value == pytest.approx(truth.a, rel=0.02)
    hidden = 0.3 / SPAN**2 if truth.b * SPAN**2 < 1 / 12 else 0
    assert found.b.value == pytest.approx(truth.b, rel=0.1, abs=hidden)


@pytest.mark.slow
def test_the_intervals_hold_the_truth() -> None:
    """At least 90 % of the 95 % intervals, of a and of b."""
    inside = np.zeros(2)
    gains, seeds = (1, 2, 4, 8, 16, 32, 64), range(30)
    for gain in gains:
        for seed in seeds:
            truth = unseen(gain, 100 + seed)
            frame = chart_frame(
                480, 640, truth, gain, seed, exposure=1.15, clip_black=bool(seed % 2)
            )
            found = censored(samples_of(frame))
            inside += [
                found.a.low <= truth.a <= found.a.high, found.b.low <= truth.b <= found.b.high
            ]  # fmt: skip
    share = inside / (len(gains) * len(seeds))
    assert np.all(share >= 0.9), share


def test_frames_are_measured_alone_and_together(tmp_path: Path) -> None:
    from fa_mobile.raw_io import write_dng

    files = []
    for number in range(2):
        path = tmp_path / f"{number}.dng"
        write_dng(path, chart_frame(480, 640, SENSOR.noise(4), 4, number))
        files.append(Given(path, None))
    found = measure(files, Options(), base_iso=100)
    (gain,) = found.gains
    assert gain.gain == 4 and gain.frames == 2 and len(found.frames) == 2
    alone = [frame.estimate for frame in found.frames]
    assert all(one is not None and one.a.error > gain.estimate.a.error for one in alone)
    assert set(gain.colors) == {"red", "green", "blue"}
    assert found.preview is not None and len(found.preview.regions) == 24
