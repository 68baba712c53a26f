"""Reports made of given numbers, for tests of the schema, the gate and the tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fa_mobile.bench.device import BrowserDevice, HostDevice, PhoneDevice
from fa_mobile.bench.schema import Counts, Entry, Ratio, Report, Settings, Timing
from fa_mobile.bench.statistics import mann_whitney, median, p90, round_ratios

HOST = HostDevice(
    cpu="Test CPU", cores=2, flags=("avx2",), os="Linux 1", kernel="6.1", python="3.12.0",
    runtimes={"onnx": "1.31.0"},
)  # fmt: skip
PHONE = PhoneDevice(
    kind="phone", maker="Maker", model="Model 1", soc="SoC 8", os="Android 15", cores=8,
    flags=("asimddp", "i8mm"), runtimes={"executorch": "1.4.1"}, app_version="1.0.0",
    governor="schedutil", charging=False, low_power_mode=False, temperature_start_c=31.5,
    temperature_end_c=38.0, thermal_start="none", thermal_end="light",
)  # fmt: skip
BROWSER = BrowserDevice(
    kind="browser", browser="Browser 1.2", os="Android 15", model="Model 1", architecture="arm",
    cores=8, flags=("wasm-simd", "wasm-threads"), runtimes={"onnxruntime-web": "1.30.0"},
    app_version="1.0.0",
)  # fmt: skip
SETTINGS = Settings(kind="burst", threads=1, rounds=15, warmup=1, seconds=0, gain=16)
COUNTS = Counts(
    nominal_gmacs_per_mp=2.67, executed_gmacs_per_mp=5.3, model_bytes=700_000,
    bundle_bytes=1_000_000, arena_bytes=16_000_000, delegated=400, undelegated=20,
    instructions_per_mp={"cortex-a76": 1e9},
)  # fmt: skip
_REASON = "not run: made for a test"
ABSENT = dict.fromkeys(("start", "memory", "operators", "traffic", "roof"), _REASON)
PEER = [100.0 + 0.1 * i for i in range(15)]


def timing_of(samples: Sequence[float]) -> Timing:
    return Timing(
        samples_ms=tuple(samples), calls_per_sample=1, started_s=(), min_ms=min(samples),
        median_ms=median(samples), p90_ms=p90(samples), ms_per_mp=median(samples) / 1.048576,
    )  # fmt: skip


def entry_of(samples: Sequence[float], peer: Sequence[float] = PEER, **changes: Any) -> Entry:
    ratios = round_ratios(samples, peer)
    fields = {
        "bundle": "bundle",
        "sums_sha256": "a" * 64,
        "target": "onnx",
        "precision": "int8",
        "network": "paper",
        "weights": "trained",
        "width": 1024,
        "height": 1024,
        "tiles": 1,
        "counts": COUNTS,
        "timing": timing_of(samples),
        "start": None,
        "memory": None,
        "operators": None,
        "ratio": Ratio(
            peer="peer", peer_sha256="b" * 64, samples=tuple(ratios), median=median(ratios),
            of_minima=min(samples) / min(peer), p=mann_whitney(samples, peer),
        ),
        "traffic": None,
        "roof": None,
        "missing": ABSENT,
    }  # fmt: skip
    return Entry.model_validate(fields | changes)


def report_of(*entries: Entry, **changes: Any) -> Report:
    fields = {
        "device": HOST,
        "settings": SETTINGS,
        "ceilings": (),
        "bandwidth": None,
        "entries": entries,
        "missing": dict.fromkeys(("ceilings", "bandwidth"), _REASON),
    }
    return Report.model_validate(fields | changes)
