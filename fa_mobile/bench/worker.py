"""The child process: one job from standard input, messages as JSON lines on standard output."""

from __future__ import annotations

import json
import os
import sys
import warnings
from typing import IO, Any

from pydantic import BaseModel

from fa_mobile.bench.jobs import JOB, ProfileJob, RaceJob, RaceResult, StartJob
from fa_mobile.errors import UserError


def main() -> int:
    """Do the job; 0 also for a UserError, which goes to the parent as a message."""
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as messages:
        os.dup2(2, 1)  # what runtimes print must not stand between the messages
        warnings.simplefilter("ignore")
        try:
            result = work(JOB.validate_json(sys.stdin.read()), messages)
        except UserError as error:
            _send(messages, error=str(error))
            return 0
        _send(messages, result=result.model_dump(mode="json"))
    return 0


def work(job: RaceJob | StartJob | ProfileJob, messages: IO[str]) -> BaseModel:
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
    return _race(job, messages)


def _race(job: RaceJob, messages: IO[str]) -> RaceResult:
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
        progress=lambda n: _send(messages, step=f"round {n} of {max(job.rounds, n)}"),
    )
    return RaceResult(
        samples_ms={name: tuple(samples) for name, samples in done.samples_ms.items()},
        calls_per_sample=repeats,
        started_s=tuple(done.started_s),
        copies=copy_rates(job.copies, job.threads) if job.copies else None,
    )


def _send(messages: IO[str], **message: Any) -> None:
    messages.write(json.dumps(message) + "\n")
    messages.flush()


if __name__ == "__main__":
    sys.exit(main())
