"""Files that the Swift package wrote: its own tests compare what it writes with these."""

from pathlib import Path

import numpy as np
import pytest

from fa_mobile.bench.schema import Report
from fa_mobile.raw_io import read_raw

DATA = Path(__file__).parent / "data"


def samples(count: int, white: int) -> np.ndarray:
    """The reproducible samples of the Swift tests."""
    state, found = 4208, []
    for _ in range(count):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        found.append((state >> 33) % (white + 1))
    return np.array(found, np.uint16)


def test_a_dng_of_the_app_opens_with_all_it_holds() -> None:
    frame = read_raw(DATA / "ios-demo.dng")
    np.testing.assert_array_equal(frame.mosaic, samples(24 * 32, 1023).reshape(24, 32))
    assert (frame.cfa, frame.white_level, frame.iso) == ("GBRG", 1023, 1600)
    assert frame.black_level == (64, 64, 64, 64)
    assert (frame.make, frame.model) == ("fa-mobile", "test")
    assert frame.noise == pytest.approx((0.00376, 5.67e-5))
    assert frame.as_shot_neutral == pytest.approx((0.4651, 1, 0.5882))
    assert frame.color_matrix is not None
    assert frame.color_matrix[0] == pytest.approx(0.6596)
    assert frame.color_matrix[1] == pytest.approx(-0.2079)


def test_a_report_of_the_apps_benchmark_mode_is_read() -> None:
    text = (DATA / "ios-benchmark.json").read_text(encoding="utf-8")
    report = Report.model_validate_json(text)
    assert report.device.kind == "phone"
    assert (report.entries[0].width, report.entries[0].height) == (128, 96)
    timing = report.entries[0].timing
    assert timing is not None
    assert timing.median_ms == 125
