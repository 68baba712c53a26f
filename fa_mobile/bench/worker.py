"""The child process of the benchmark: one job (see :mod:`fa_mobile.child`)."""

from __future__ import annotations

import sys
from typing import Any

from pydantic import BaseModel

from fa_mobile.bench.jobs import JOB, ProfileJob, RaceJob, RaceResult, StartJob
from fa_mobile.child import Say, serve


def main() -> int:
    """Do the job that standard input describes."""

    def done(request: str, say: Say) -> Any:
        return work(JOB.validate_json(request), say).model_dump(mode="json")

    return serve(done)


def work(job: RaceJob | StartJob | ProfileJob, say: Say) -> BaseModel:
    """Do one job in this process.

    Raises:
        UserError: for a bundle that cannot be loaded or run, or threads that cannot be set.
    """
    from fa_mobile.bench import profile, start, threads

    threads.limit(job.threads)
    if isinstance(job, StartJob):
        return start.first_use(job)
    if isinstance(job, ProfileJob):
        return profile.profile(job)
    return _race(job, say)


def _race(job: RaceJob, say: Say) -> RaceResult:
    from fa_mobile.bench.bandwidth import copy_rates
    from fa_mobile.bench.subjects import ready
    from fa_mobile.bench.timing import race, repeats_for

    calls = {subject.key: ready(subject, job.threads) for subject in job.subjects}
    # The ceiling is the fastest single call; bundles are judged by all of their samples.
    bundles = [subject.key for subject in job.subjects if subject.kind == "bundle"]
    repeats = {key: repeats_for(calls[key]) for key in bundles}
    done = race(
        calls,
        rounds=job.rounds,
        seconds=job.seconds,
        warmup=job.warmup,
        repeats=repeats,
        progress=lambda n: say(f"round {n} of {max(job.rounds, n)}"),
    )
    return RaceResult(
        samples_ms={name: tuple(samples) for name, samples in done.samples_ms.items()},
        calls_per_sample=repeats,
        started_s=tuple(done.started_s),
        copies=copy_rates(job.copies, job.threads) if job.copies else None,
    )


if __name__ == "__main__":
    sys.exit(main())
