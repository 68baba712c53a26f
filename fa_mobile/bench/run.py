"""``fa-mobile bench``: from a request to a report."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from fa_mobile.bench.arm import count_instructions, find_arm_environment
from fa_mobile.bench.ceiling import ceilings, chain_subjects
from fa_mobile.bench.device import host_device
from fa_mobile.bench.entry import Measured, entry
from fa_mobile.bench.instructions import with_instructions
from fa_mobile.bench.jobs import (
    BundleSubject,
    ProfileJob,
    ProfileResult,
    RaceJob,
    RaceResult,
    StartJob,
    StartResult,
    run_child,
)
from fa_mobile.bench.request import Candidate, Request, Size, resolve
from fa_mobile.bench.schema import Bandwidth, Ceiling, Entry, Report, Settings
from fa_mobile.bench.threads import check
from fa_mobile.child import Say
from fa_mobile.errors import UserError
from fa_mobile.verify import verify_bundle

_COPIES: Final = 10
_PROFILED_RUNS: Final = 5
_PACKAGES: Final = {"onnx": "onnxruntime", "executorch": "executorch"}
_NOT_ASKED: Final = "not run: --no-ceiling was given"


def bench(request: Request, report: Say) -> Report:
    """Verify, then time every bundle at every size, interleaved.

    Raises:
        UserError: for bundles or settings that are not allowed, and for a bundle that fails its
            verification: nothing is timed then.
    """
    check(request.threads)
    candidates, peer = resolve(request, report)
    _verify(candidates, report)
    targets = list(dict.fromkeys(c.manifest.target for c in candidates))
    device = host_device({target: _version(target) for target in targets})
    chains = chain_subjects(targets, request.peers / "ceilings", report) if request.ceilings else {}
    entries: list[Entry] = []
    roofs: tuple[Ceiling, ...] = ()
    bandwidth: Bandwidth | None = None
    rows, columns = candidates[0].manifest.tile
    sizes = request.sizes or ((columns, rows),)
    for number, size in enumerate(sizes):
        raced = _race(request, candidates, size, chains if number == 0 else {}, report)
        if number == 0 and chains:
            roofs = ceilings(chains, raced.samples_ms)
            bandwidth = _bandwidth(raced)
        entries += _entries(request, candidates, peer, size, raced, roofs, bandwidth, report)
    made = Report(
        device=device,
        settings=settings_of(request),
        ceilings=roofs,
        bandwidth=bandwidth,
        entries=tuple(entries),
        missing={} if chains else {"ceilings": _NOT_ASKED, "bandwidth": _NOT_ASKED},
    )
    if not request.arm:
        return made
    return with_instructions(made, _counted(request, candidates, sizes[0], report))


def _counted(
    request: Request, candidates: Sequence[Candidate], size: Size, report: Say
) -> dict[str, dict[str, float]]:
    """Instructions per MP of each bundle on each CPU asked for; none where QEMU is missing."""
    try:
        environment = find_arm_environment()
    except UserError as error:
        report(f"not run under QEMU: {error}")
        return {}
    found: dict[str, dict[str, float]] = {}
    for candidate in candidates:
        found[candidate.label] = {}
        for cpu in request.arm:
            report(f"{candidate.label}: counting instructions on {cpu}")
            counted = count_instructions(
                environment,
                candidate.folder,
                cpu,
                gain=request.gain,
                width=size[0],
                height=size[1],
            )
            found[candidate.label][cpu] = counted.per_mp
    return found


def _verify(candidates: Sequence[Candidate], report: Say) -> None:
    for candidate in candidates:
        report(f"{candidate.label}: verifying")
        result = verify_bundle(candidate.folder)
        if result.status != "verified":
            raise UserError(
                f"bundle {candidate.label} was not timed, its verification says "
                f"{result.status}: {'; '.join(result.problems)}; export it again"
            )


def _version(target: str) -> str:
    try:
        return importlib.metadata.version(_PACKAGES[target])
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


def settings_of(request: Request) -> Settings:
    """What the report of a request will state of it."""
    return Settings(
        kind="sustained" if request.seconds else "burst",
        threads=request.threads,
        rounds=request.rounds,
        warmup=request.warmup,
        seconds=request.seconds,
        gain=request.gain,
    )


def _subject(candidate: Candidate, size: Size, gain: float) -> BundleSubject:
    return BundleSubject(
        key=candidate.label,
        folder=str(candidate.folder),
        target=candidate.manifest.target,
        width=size[0],
        height=size[1],
        gain=gain,
    )


def _race(
    request: Request,
    candidates: Sequence[Candidate],
    size: Size,
    chains: Mapping[str, tuple[object, ...]],
    report: Say,
) -> RaceResult:
    bundles = [_subject(candidate, size, request.gain) for candidate in candidates]
    job = RaceJob.model_validate(
        {
            "subjects": [*bundles, *(subject for subject, *_ in chains.values())],
            "rounds": request.rounds,
            "warmup": request.warmup,
            "seconds": request.seconds,
            "threads": request.threads,
            "copies": _COPIES if chains else 0,
        }
    )
    return run_child(job, RaceResult, lambda line: report(f"{size[0]} x {size[1]}: {line}"))


def _bandwidth(raced: RaceResult) -> Bandwidth | None:
    copies = raced.copies
    if copies is None:
        return None
    return Bandwidth(
        buffer_bytes=copies.buffer_bytes,
        threads=copies.threads,
        samples_gbytes_per_s=copies.gbytes_per_s,
        gbytes_per_s=max(copies.gbytes_per_s),
    )


def _entries(
    request: Request,
    candidates: Sequence[Candidate],
    peer: str | None,
    size: Size,
    raced: RaceResult,
    roofs: Sequence[Ceiling],
    bandwidth: Bandwidth | None,
    report: Say,
) -> list[Entry]:
    """One entry for each bundle at this size; start and profile in processes of their own."""
    found = []
    folders = {candidate.label: candidate.folder for candidate in candidates}
    for candidate in candidates:
        report(f"{candidate.label} at {size[0]} x {size[1]}: first use, memory, operators")
        subject = _subject(candidate, size, request.gain)
        start = run_child(StartJob(subject=subject, threads=request.threads), StartResult, report)
        profile = run_child(
            ProfileJob(subject=subject, threads=request.threads, runs=_PROFILED_RUNS),
            ProfileResult,
            report,
        )
        rival = None if peer is None else (peer, _sums(folders[peer]), raced.samples_ms[peer])
        measured = Measured(
            samples_ms=raced.samples_ms[candidate.label],
            calls_per_sample=raced.calls_per_sample[candidate.label],
            started_s=raced.started_s,
            start=start,
            profile=profile,
            peer=rival if peer != candidate.label else None,
            peer_reason="not run: this is the peer" if peer else "not run: no --vs was given",
        )
        found.append(
            entry(
                candidate, size, request.gain, _sums(candidate.folder), measured,
                [c for c in roofs if c.target == candidate.manifest.target], bandwidth,
            )
        )  # fmt: skip
    return found


def _sums(folder: Path) -> str:
    from fa_mobile.bundle import SUMS_FILE, file_sha256

    return file_sha256(folder / SUMS_FILE)
