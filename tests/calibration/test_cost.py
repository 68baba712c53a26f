"""What a whole frame costs: a process of its own, so that its memory is its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from fa_mobile.raw_io import write_dng
from tests.calibration.charts import SENSOR, chart_frame

_MEASURED = """
import json, resource, sys, time
from pathlib import Path
from fa_mobile.calibration.captures import Given
from fa_mobile.calibration.reading import Options
from fa_mobile.calibration.run import measure
start = time.perf_counter()
found = measure([Given(Path(sys.argv[1]), None)], Options(), base_iso=100)
seconds = time.perf_counter() - start
memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(json.dumps([seconds, memory, len(found.gains)]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("gain", [1, 64])
def test_a_frame_of_13_mp_takes_seconds(tmp_path: Path, gain: float) -> None:
    path = tmp_path / "frame.dng"
    write_dng(path, chart_frame(3120, 4208, SENSOR.noise(gain), gain, 1, exposure=1.15))
    done = subprocess.run(
        [sys.executable, "-c", _MEASURED, str(path)], capture_output=True, text=True, check=True
    )
    seconds, memory, gains = json.loads(done.stdout)
    assert gains == 1
    assert seconds < 10 and memory < 2e9, (seconds, memory)
