"""``fa-mobile bench --device adb``: bundles verified and timed on a phone, burst and sustained.

Nothing of the phone is changed: no governor, no core, no screen setting, no root. What the kernel
and Android decide is recorded beside the times.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path
from typing import Final

from fa_mobile.bench.adb import Adb, connect
from fa_mobile.bench.phone_report import phone_device, phone_entries
from fa_mobile.bench.phone_runner import PhoneModel, PhoneRunner
from fa_mobile.bench.phone_state import (
    PhoneFacts,
    check_awake,
    check_ready,
    read_facts,
    read_state,
)
from fa_mobile.bench.request import Candidate, Request, Size, resolve
from fa_mobile.bench.runner_file import find_runner
from fa_mobile.bench.runner_output import RunnerOutput
from fa_mobile.bench.schema import Entry, Report, Settings
from fa_mobile.bench.subjects import frame, is_one_call, scalars
from fa_mobile.bundle import read_bundle
from fa_mobile.child import Say
from fa_mobile.errors import UserError
from fa_mobile.runtimes.session import Bundle
from fa_mobile.verify import replay_all

SUSTAINED_S: Final = 60.0
"""Of a phone's sustained run unless asked otherwise: long enough for most to slow down."""
_ELSEWHERE: Final = {
    "coreml": "a Core ML bundle runs on Apple systems: use the iOS app's benchmark mode",
    "executorch": "the command-line runner holds ONNX Runtime only: time an ExecuTorch bundle by "
    "the app's benchmark mode, which writes the same report",
}
_NO_CEILING: Final = "not run: a phone's ceiling is not timed"
_FIRST_CALLS: Final = 2
"""Calls after the first in the process that memory is read in, as in bench/start.py."""


@dataclass
class _Visit:
    """What stays the same while a phone is at hand."""

    request: Request
    candidates: list[Candidate]
    peer: str | None
    adb: Adb
    facts: PhoneFacts
    runner: PhoneRunner
    starts: dict[Size, list[RunnerOutput]]
    say: Say


def bench_phone(
    request: Request, report: Say, *, serial: str | None = None, runner: Path | None = None
) -> list[Report]:
    """Replay the golden vectors on the phone, then time every bundle at every size, interleaved.

    Args:
        request: what to time; ``seconds`` above 0 asks for a sustained run after the burst.
        report: called with each step.
        serial: of the phone; may be left out where adb sees one.
        runner: the program; see :func:`fa_mobile.bench.runner_file.find_runner`.

    Returns:
        The burst's report and, if asked for, the sustained run's.

    Raises:
        UserError: for bundles, sizes, runners and phones that will not do, and for a bundle whose
            golden vectors do not come out on the phone: nothing is timed then.
    """
    _check_targets(request)
    candidates, peer = resolve(request, report)
    rows, columns = candidates[0].manifest.tile
    request = replace(
        request, sizes=request.sizes or ((columns, rows),), seconds=float(ceil(request.seconds))
    )
    _check_sizes(request, candidates)
    adb = connect(serial)
    facts = read_facts(adb)
    if request.threads > facts.cores:
        raise UserError(
            f"threads={request.threads} was given; the phone has {facts.cores} cores: allowed are "
            f"1 to {facts.cores}, or 0 for the runtime's own choice"
        )
    check_ready(read_state(adb), adb.serial)
    files = find_runner(runner, facts.abis)
    with adb.folder() as folder:
        report(f"{facts.maker} {facts.model}: copying the runner")
        at_work = PhoneRunner(adb, folder, files)
        visit = _Visit(request, candidates, peer, adb, facts, at_work, {}, report)
        _install(visit)
        found = [_measure(visit, 0.0)]
        if request.seconds:
            found.append(_measure(visit, request.seconds))
    return found


def _check_targets(request: Request) -> None:
    """Before :func:`resolve`, which would export a peer first."""
    given = [*request.bundles, *([] if request.versus is None else [request.versus])]
    for name in given:
        if Path(name).is_dir():  # anything else is a peer, or refused by resolve
            manifest = read_bundle(Path(name))
            if manifest.target in _ELSEWHERE:
                raise UserError(
                    f"bundle {manifest.name} was given with --device adb; "
                    f"{_ELSEWHERE[manifest.target]}"
                )


def _check_sizes(request: Request, candidates: Sequence[Candidate]) -> None:
    for candidate in candidates:
        m = candidate.manifest
        for width, height in request.sizes:
            if not is_one_call(m, width, height):
                largest = f"{m.tile[1]} x {m.tile[0]}"
                raise UserError(
                    f"{width} x {height} was asked for; the phone's runner makes the model's own "
                    f"call, for which bundle {m.name} allows "
                    + (largest if m.fixed_shape else f"multiples of {m.stride} from {m.min_side}")
                    + ("" if m.fixed_shape else f" up to {largest}")
                    + ": give another --side and no --frame"
                )


def _install(visit: _Visit) -> None:
    """Copy every model and let it prove itself.

    Raises:
        UserError: for one that does not do on this phone what it does in its verification.
    """
    for number, candidate in enumerate(visit.candidates):
        visit.say(f"{candidate.label}: replaying its golden vectors on the phone")
        visit.runner.put_model(number, candidate.folder / candidate.manifest.files[0])
        model = PhoneModel(visit.runner, number, visit.request.threads)
        result = replay_all(Bundle(candidate.folder, candidate.manifest, model))
        if result.status != "verified":
            raise UserError(
                f"bundle {candidate.label} was not timed, on the phone its verification says "
                f"{result.status}: {'; '.join(result.problems)}; export it again, or try another "
                "version of ONNX Runtime"
            )


def _measure(visit: _Visit, seconds: float) -> Report:
    """One report: the burst without ``seconds``, else the sustained run."""
    request = replace(visit.request, seconds=seconds)
    entries: list[Entry] = []
    outputs: list[RunnerOutput] = []
    before = read_state(visit.adb)
    for size in request.sizes:
        _put_frames(visit, size)
        starts = visit.starts.get(size) or _first_uses(visit, size)
        visit.starts[size] = starts
        visit.say(f"{size[0]} x {size[1]}: {f'{seconds:.0f} s' if seconds else 'burst'}")
        once_s = sum(start.subjects[0].first_ms for start in starts) / 1000
        raced = visit.runner.run(
            range(len(visit.candidates)), size, threads=request.threads, runs=request.rounds,
            warmup=request.warmup, seconds=int(seconds),
            limit_s=int(120 + 2 * seconds + 5 * once_s * (request.rounds + request.warmup + 1)),
        )  # fmt: skip
        outputs.append(raced)
        entries += phone_entries(visit.candidates, visit.peer, size, request.gain, starts, raced)
    after = read_state(visit.adb)
    check_awake(after, visit.adb.serial)
    return Report(
        device=phone_device(visit.facts, before, after, outputs),
        settings=Settings(
            kind="sustained" if seconds else "burst", threads=request.threads,
            rounds=request.rounds, warmup=request.warmup, seconds=seconds, gain=request.gain,
        ),
        ceilings=(),
        bandwidth=None,
        entries=tuple(entries),
        missing={"ceilings": _NO_CEILING, "bandwidth": _NO_CEILING},
    )  # fmt: skip


def _put_frames(visit: _Visit, size: Size) -> None:
    for number, candidate in enumerate(visit.candidates):
        raw = frame(candidate.manifest, *size)
        visit.runner.put_inputs(number, raw, scalars(candidate.manifest, visit.request.gain))


def _first_uses(visit: _Visit, size: Size) -> list[RunnerOutput]:
    """Each bundle in a process of its own, for time to load, first call and memory."""
    found = []
    for number, candidate in enumerate(visit.candidates):
        visit.say(f"{candidate.label} at {size[0]} x {size[1]}: first use, memory")
        found.append(
            visit.runner.run([number], size, threads=visit.request.threads, runs=_FIRST_CALLS)
        )
    return found
