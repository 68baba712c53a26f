"""From what the child processes measured of a bundle to its entry in the report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from fa_mobile.bench.jobs import ProfileResult, StartResult
from fa_mobile.bench.profile import kind_of
from fa_mobile.bench.request import Candidate
from fa_mobile.bench.roofline import roof
from fa_mobile.bench.schema import (
    Bandwidth,
    Ceiling,
    Counts,
    Entry,
    Memory,
    OperatorShare,
    Ratio,
    Roof,
    Start,
    Timing,
    Traffic,
)
from fa_mobile.bench.statistics import mann_whitney, p90, round_ratios
from fa_mobile.bench.subjects import tile_areas
from fa_mobile.manifest import Manifest
from fa_mobile.needs import require_torch

NO_INSTRUCTIONS = "not run: no instructions were counted on this machine"


@dataclass(frozen=True)
class Measured:
    """Of one bundle at one size. ``peer``: its label, its sums' hash and its samples."""

    samples_ms: Sequence[float]
    calls_per_sample: int
    started_s: Sequence[float]
    start: StartResult
    profile: ProfileResult
    peer: tuple[str, str, Sequence[float]] | None
    peer_reason: str


def entry(
    candidate: Candidate,
    size: tuple[int, int],
    gain: float,
    sums_sha256: str,
    measured: Measured,
    ceilings: Sequence[Ceiling],
    bandwidth: Bandwidth | None,
) -> Entry:
    """Put an entry together; what is missing gets its reason."""
    manifest = candidate.manifest
    width, height = size
    megapixels = width * height / 1e6
    areas = tile_areas(manifest, width, height)
    overlap = sum(areas) / (width * height)
    timing = _timing(measured, megapixels)
    missing = {"instructions_per_mp": NO_INSTRUCTIONS}
    counts = _counts(candidate, measured.profile)
    if counts.arena_bytes is None:
        missing["arena_bytes"] = "not available: the runtime does not state it"
    if measured.start.memory_reason is not None:
        missing["memory"] = measured.start.memory_reason
    if measured.profile.reason is not None:
        missing["operators"] = measured.profile.reason
    if measured.peer is None:
        missing["ratio"] = measured.peer_reason
    traffic = _traffic(manifest, gain, sum(areas) / len(areas), overlap)
    if isinstance(traffic, str):
        missing["traffic"] = traffic
    placed = _roof(manifest, timing, traffic, overlap, ceilings, bandwidth)
    if isinstance(placed, str):
        missing["roof"] = placed
    return Entry(
        bundle=candidate.label,
        sums_sha256=sums_sha256,
        target=manifest.target,
        precision=manifest.precision,
        network=manifest.network.name,
        weights="random" if candidate.random else "trained",
        width=width,
        height=height,
        tiles=len(areas),
        counts=counts,
        timing=timing,
        start=Start(load_ms=measured.start.load_ms, first_ms=measured.start.first_ms),
        memory=_memory(measured.start),
        operators=_operators(measured.profile),
        ratio=_ratio(measured),
        traffic=None if isinstance(traffic, str) else traffic,
        roof=None if isinstance(placed, str) else placed,
        missing=missing,
    )


def _timing(measured: Measured, megapixels: float) -> Timing:
    samples = tuple(measured.samples_ms)
    middle = median(samples)
    return Timing(
        samples_ms=samples,
        calls_per_sample=measured.calls_per_sample,
        started_s=tuple(measured.started_s),
        min_ms=min(samples),
        median_ms=middle,
        p90_ms=p90(samples),
        ms_per_mp=middle / megapixels,
    )


def _counts(candidate: Candidate, profile: ProfileResult) -> Counts:
    m = candidate.manifest
    planned = m.planned_memory_bytes if profile.arena_bytes is None else profile.arena_bytes
    return Counts(
        nominal_gmacs_per_mp=m.network.gmacs_per_mp,
        executed_gmacs_per_mp=m.network.executed_gmacs_per_mp,
        model_bytes=m.model_bytes,
        bundle_bytes=sum(p.stat().st_size for p in _files(candidate.folder)),
        arena_bytes=planned,
        delegated=sum(m.delegated.values()),
        undelegated=sum(m.undelegated.values()),
        instructions_per_mp={},
    )


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def _memory(start: StartResult) -> Memory | None:
    if start.base_bytes is None or start.peak_bytes is None:
        return None
    return Memory(base_bytes=start.base_bytes, peak_bytes=start.peak_bytes)


def _operators(profile: ProfileResult) -> tuple[OperatorShare, ...] | None:
    if profile.operators is None:
        return None
    total = sum(ms for _, _, ms in profile.operators) or 1.0
    return tuple(
        OperatorShare(operator=name, kind=kind_of(name), calls=calls, share=ms / total)
        for name, calls, ms in profile.operators
    )


def _ratio(measured: Measured) -> Ratio | None:
    if measured.peer is None:
        return None
    label, sha256, samples = measured.peer
    ratios = round_ratios(measured.samples_ms, samples)
    return Ratio(
        peer=label,
        peer_sha256=sha256,
        samples=tuple(ratios),
        median=median(ratios),
        of_minima=min(measured.samples_ms) / min(samples),
        p=mann_whitney(measured.samples_ms, samples),
    )


def _traffic(
    manifest: Manifest, gain: float, pixels_per_call: float, overlap: float
) -> Traffic | str:
    """Derived bytes per MP of the frame, or why there are none."""
    try:
        require_torch()
        from fa_mobile.bench.plans import candidate_plans
        from fa_mobile.bench.traffic import bundle_traffic

        found = bundle_traffic(manifest, gain, candidate_plans(manifest))
    except Exception as error:  # a network or fold of someone else's must not end the run
        return f"not available: the network's traffic could not be derived ({error})"
    if found is None:
        return "not available: no known fold of the network has the manifest's executed MACs"
    return Traffic(bytes_per_mp=found.per_mp(pixels_per_call) * overlap, source="derived")


def _roof(
    manifest: Manifest,
    timing: Timing,
    traffic: Traffic | str,
    overlap: float,
    ceilings: Sequence[Ceiling],
    bandwidth: Bandwidth | None,
) -> Roof | str:
    if isinstance(traffic, str):
        return "not available: it needs the traffic"
    speeds = [c.gmacs_per_s for c in ceilings if c.precision == manifest.precision]
    if bandwidth is None or not speeds:
        return "not run: no ceiling of this runtime and precision was measured"
    return roof(
        executed_gmacs_per_mp=manifest.network.executed_gmacs_per_mp * overlap,
        nominal_gmacs_per_mp=manifest.network.gmacs_per_mp,
        bytes_per_mp=traffic.bytes_per_mp,
        ms_per_mp=timing.ms_per_mp,
        ceiling_gmacs_per_s=max(speeds),
        bandwidth_gbytes_per_s=bandwidth.gbytes_per_s,
    )
