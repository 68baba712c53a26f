"""Surfaces, limits and the patches of charts."""

from __future__ import annotations

import numpy as np
import pytest

from fa_mobile.bayer import PlaneWindow
from fa_mobile.calibration.chart import chart_by_corners, find_chart
from fa_mobile.calibration.limits import limits_of
from fa_mobile.calibration.regions import grid_regions, planes_of
from fa_mobile.calibration.samples import Sample, region_samples
from fa_mobile.calibration.surface import fit_surface, whole_blocks
from fa_mobile.errors import UserError
from tests.calibration.charts import SENSOR, Image, captured, chart_scene, lit
from tests.raw_files import frame as any_frame


def test_the_surface_follows_vignetting_and_ignores_hot_pixels() -> None:
    rng = np.random.default_rng(4)
    rows, cols = np.mgrid[0:60, 0:75] / 60
    truth = 400 - 30 * rows**2 + 20 * cols - 10 * rows * cols
    ratios = []
    for _ in range(40):
        data = truth + 6 * rng.standard_normal(truth.shape)
        data.flat[rng.choice(data.size, 9, replace=False)] = 1023
        found = fit_surface(np.round(data).astype(np.uint16))
        assert np.abs(found.values - truth).max() < 1.5
        assert (~found.inside).sum() >= 9
        ratios.append((found.spread**2 - 1 / 12) / 36)
    # Unbiased: five standard errors of the mean of 40 variances of 4500 samples.
    assert abs(np.mean(ratios) - 1) < 5 * np.sqrt(2 / 4500 / 40)


def test_a_texture_is_uneven() -> None:
    rng = np.random.default_rng(4)
    noise = 200 + 6 * rng.standard_normal((50, 50))
    flat, edge = noise.copy(), noise.copy()
    edge[:, 25:] += 8
    # Five standard deviations of a variance of 100 block means.
    assert fit_surface(flat.astype(np.uint16)).unevenness < 1 + 5 * np.sqrt(2 / 100)
    assert fit_surface(edge.astype(np.uint16)).unevenness > 3
    assert whole_blocks(noise.astype(np.uint16)[:, :33]).shape == (50, 30)


@pytest.mark.parametrize(
    ("low", "high", "wanted"), [(0, 1023, (0, 1023)), (64, 1023, (64, 1023)), (0, 980, (0, 980))]
)
def test_limits(low: int, high: int, wanted: tuple[int, int]) -> None:
    rng = np.random.default_rng(1)
    signal = np.concatenate([np.full(9000, 66), np.full(9000, 500), np.full(9000, 1005)])
    planes = np.clip(np.round(signal + 12 * rng.standard_normal(27000)), low, high)
    planes[::3000] = 1023  # hot pixels
    planes[1::3000] = low
    shaped = planes.astype(np.uint16).reshape(4, 75, 90)
    assert limits_of(shaped, 64, 1023) == wanted


def test_a_dark_tail_that_stops_at_black_is_clipped_there() -> None:
    """Three deviations above black few samples reach it, and dead pixels lie underneath."""
    rng = np.random.default_rng(1)
    signal = 64 + 18 + 6 * rng.standard_normal((4, 200, 200))
    planes = np.clip(np.round(signal), 64, 1023).astype(np.uint16)
    planes[:, ::20, ::20] = 0
    assert limits_of(planes, 64, 1023) == (64, 1023)
    kept = np.round(signal).astype(np.uint16)
    assert limits_of(kept, 64, 1023) == (0, 1023)


def test_limits_of_a_frame_that_reaches_neither_end() -> None:
    rng = np.random.default_rng(1)
    planes = (400 + 5 * rng.standard_normal((4, 40, 40))).astype(np.uint16)
    assert limits_of(planes, 64, 1023) == (0, 1023)


def test_planes_of_any_pattern() -> None:
    frame = any_frame(33, 47, "BGGR")
    planes = planes_of(frame)
    assert planes.shape == (4, 16, 23)
    assert planes[0, 0, 0] == frame.mosaic[1, 1] and planes[3, 0, 0] == frame.mosaic[2, 2]
    with pytest.raises(UserError, match="allowed are frames"):
        planes_of(any_frame(2, 9, "BGGR"))


def test_cells_of_a_flat_field_lie_inside() -> None:
    cells = grid_regions(121, 300)
    assert len(cells) == 40
    for cell in cells:
        assert min(cell.height, cell.width) >= 30
        assert cell.top + cell.height <= 121 and cell.left + cell.width <= 300
    with pytest.raises(UserError, match="flat field of 30 x 400"):
        grid_regions(200, 15)


def painted(regions: list[PlaneWindow], scene: Image) -> set[tuple[float, ...]]:
    """The colours of the scene within the regions; each must have one."""
    found = set()
    for top, left, height, width in regions:
        inside = scene[2 * top : 2 * (top + height), 2 * left : 2 * (left + width)]
        assert np.ptp(inside, axis=(0, 1)).max() == 0, (top, left)
        found.add(tuple(inside[0, 0].tolist()))
    return found


@pytest.mark.parametrize(("gain", "degrees", "cover"), [(1, -7, 0.35), (16, 4, 0.8), (64, 0, 0.45)])
@pytest.mark.parametrize("background", [0.02, 0.25, 0.8])
def test_all_patches_are_found(
    gain: float, degrees: float, cover: float, background: float
) -> None:
    scene = chart_scene(480, 640, cover=cover, degrees=degrees, background=background)
    clean = lit(scene, exposure=1.1, vignetting=0.1)
    rng = np.random.default_rng(round(gain))
    frame = captured(clean, SENSOR.noise(gain), gain, rng, clip_black=True)
    regions = find_chart(planes_of(frame), frame.black_level, frame.white_level)
    assert len(regions) == 24
    assert len(painted(regions, scene)) == 24


def test_a_chart_before_clutter_is_found() -> None:
    rng = np.random.default_rng(8)
    scene = chart_scene(480, 640, cover=0.4)
    clutter = np.zeros_like(scene)
    for _ in range(400):
        top, left, height, width = rng.integers((0, 0, 5, 5), (480, 640, 60, 60))
        clutter[top : top + height, left : left + width] = rng.uniform(0, 0.9, 3)
    wall = np.all(scene == scene[0, 0], axis=-1, keepdims=True)
    scene = np.where(wall, clutter, scene)
    frame = captured(lit(scene, exposure=1, vignetting=0.1), SENSOR.noise(4), 4, rng)
    regions = find_chart(planes_of(frame), frame.black_level, frame.white_level)
    assert len(painted(regions, scene)) == 24


def test_no_chart() -> None:
    rng = np.random.default_rng(8)
    flat = lit(np.full((300, 400, 3), 0.4, np.float32), exposure=1, vignetting=0.1)
    frame = captured(flat, SENSOR.noise(4), 4, rng)
    with pytest.raises(UserError, match="patches of a chart were found.*--corners"):
        find_chart(planes_of(frame), frame.black_level, frame.white_level)


def test_corners() -> None:
    scene = chart_scene(480, 640, degrees=0)
    pitch = np.sqrt(0.45 * 480 * 640 / (6.4 * 4.4))
    left, right = 320 - 3 * pitch, 320 + 3 * pitch
    top, bottom = 240 - 2 * pitch, 240 + 2 * pitch
    corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
    regions = chart_by_corners(corners, (6, 4), 240, 320)
    assert len(painted(regions, scene)) == len(regions) == 24
    with pytest.raises(UserError, match="inside the frame of 640 x 480"):
        chart_by_corners([(0, 0), (900, 0), (900, 480), (0, 480)], (6, 4), 240, 320)
    with pytest.raises(UserError, match="around the chart in turn"):
        chart_by_corners([corners[0], corners[2], corners[1], corners[3]], (6, 4), 240, 320)
    with pytest.raises(UserError, match="of 1200 patches"):
        chart_by_corners(corners, (40, 30), 240, 320)


def test_patches_that_tell_nothing_are_named() -> None:
    rng = np.random.default_rng(6)
    scene = np.full((120, 360, 3), 0.4, np.float32)
    scene[:, 120:240] = 5.0
    scene[:, 240:300] = 0.6
    frame = captured(lit(scene, exposure=0.8, vignetting=0), SENSOR.noise(2), 2, rng)
    planes = planes_of(frame)
    limits = limits_of(planes, 64, 1023)
    found = [region_samples(planes, PlaneWindow(5, x, 50, 50), frame, limits) for x in (5, 65, 125)]
    assert all(isinstance(sample, Sample) for sample in found[0])
    assert found[1] == ["saturated"] * 4
    assert found[2] == ["uneven"] * 4
