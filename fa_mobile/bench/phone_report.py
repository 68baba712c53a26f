"""From what Android and the runner told to the entries and the device of a report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from fa_mobile.bench.device import PhoneDevice
from fa_mobile.bench.entry import Measured, entry
from fa_mobile.bench.jobs import ProfileResult, StartResult
from fa_mobile.bench.phone_state import PhoneFacts, PhoneState
from fa_mobile.bench.request import Candidate
from fa_mobile.bench.runner_output import RunnerOutput
from fa_mobile.bench.schema import Entry
from fa_mobile.bundle import SUMS_FILE, file_sha256

_NO_PROFILE: Final = ProfileResult(
    operators=None, reason="not run: the phone's runner takes no profile", arena_bytes=None
)


def phone_entries(
    candidates: Sequence[Candidate],
    peer: str | None,
    size: tuple[int, int],
    gain: float,
    starts: Sequence[RunnerOutput],
    raced: RunnerOutput,
) -> list[Entry]:
    """An entry for each bundle: first use from its own process, times from the common one.

    Args:
        candidates: in the order of ``starts`` and of the subjects of ``raced``.
        peer: label of the one that ratios are given to.
        size: (width, height) of what they were run on.
        gain: what they were run with.
        starts: first use of each.
        raced: all of them in interleaved rounds.
    """
    rival = None
    if peer is not None:
        index = [candidate.label for candidate in candidates].index(peer)
        rival = (peer, _sums(candidates[index]), raced.subjects[index].samples_ms)
    found = []
    for candidate, start, subject in zip(candidates, starts, raced.subjects, strict=True):
        measured = Measured(
            samples_ms=subject.samples_ms,
            calls_per_sample=1,
            started_s=raced.started_s,
            start=_start(start),
            profile=_NO_PROFILE,
            peer=rival if candidate.label != peer else None,
            peer_reason="not run: this is the peer" if rival else "not run: no --vs was given",
        )
        found.append(entry(candidate, size, gain, _sums(candidate), measured, (), None))
    return found


def _start(output: RunnerOutput) -> StartResult:
    known = output.base_bytes >= 0 and output.peak_bytes >= 0
    return StartResult(
        load_ms=output.subjects[0].load_ms,
        first_ms=output.subjects[0].first_ms,
        base_bytes=output.base_bytes if known else None,
        peak_bytes=max(0, output.peak_bytes - output.base_bytes) if known else None,
        memory_reason=None if known else "not available: the phone does not show it",
    )


def phone_device(
    facts: PhoneFacts, before: PhoneState, after: PhoneState, outputs: Sequence[RunnerOutput]
) -> PhoneDevice:
    """The phone and its condition around the runs, whose outputs are in their order."""
    first, last = outputs[0], outputs[-1]
    governors = ", ".join(f"{name} {word}" for name, word in sorted(first.start.governors.items()))
    return PhoneDevice(
        kind="phone",
        maker=facts.maker,
        model=facts.model,
        soc=facts.soc,
        os=facts.os,
        cores=facts.cores,
        flags=facts.flags,
        runtimes={"onnx": first.runtime},
        app_version=first.runner,
        governor=governors[:200] or None,
        charging=before.charging,
        low_power_mode=before.low_power_mode,
        temperature_start_c=before.battery_c,
        temperature_end_c=after.battery_c,
        thermal_start=before.thermal,
        thermal_end=after.thermal,
        abi=first.abi,
        battery_percent=before.battery_percent,
        zones_start_c=first.start.zones_c,
        zones_end_c=last.end.zones_c,
    )


def _sums(candidate: Candidate) -> str:
    return file_sha256(candidate.folder / SUMS_FILE)
