"""Work for child processes: what to measure, as data that goes through a pipe.

Runtimes are loaded in children only, so that the number of threads can be set before a runtime
makes its pool, and bundles do not see each other's memory.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from fa_mobile.child import run_module

Report = Callable[[str], None]


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class BundleSubject(_Data):
    """A bundle on a frame of its own sensor, filled with random DN."""

    kind: Literal["bundle"] = "bundle"
    key: str
    folder: str
    target: str
    width: int
    height: int
    gain: float


class ChainSubject(_Data):
    """A chain of convolutions on float32 [1, channels, side, side]."""

    kind: Literal["chain"] = "chain"
    key: str
    file: str
    target: str
    channels: int
    side: int


Subject = Annotated[BundleSubject | ChainSubject, Field(discriminator="kind")]


class RaceJob(_Data):
    """Time the subjects in interleaved rounds; ``copies``: also the memory's bandwidth."""

    kind: Literal["race"] = "race"
    subjects: tuple[Subject, ...]
    rounds: int
    warmup: int
    seconds: float
    threads: int
    copies: int


class StartJob(_Data):
    """Load a bundle and run it once, watching time and memory."""

    kind: Literal["start"] = "start"
    subject: BundleSubject
    threads: int


class ProfileJob(_Data):
    """Run a bundle under its runtime's profiler."""

    kind: Literal["profile"] = "profile"
    subject: BundleSubject
    threads: int
    runs: int


Job = Annotated[RaceJob | StartJob | ProfileJob, Field(discriminator="kind")]
JOB: TypeAdapter[RaceJob | StartJob | ProfileJob] = TypeAdapter(Job)


class CopyResult(_Data):
    """Of :func:`fa_mobile.bench.bandwidth.copy_rates`."""

    buffer_bytes: int
    threads: int
    gbytes_per_s: tuple[float, ...]


class RaceResult(_Data):
    """Samples by key, calls in each, when each round began, and the copies where asked for."""

    samples_ms: dict[str, tuple[float, ...]]
    calls_per_sample: dict[str, int]
    started_s: tuple[float, ...]
    copies: CopyResult | None


class StartResult(_Data):
    """Times of the first use; memory is null where the system does not show it."""

    load_ms: float
    first_ms: float
    base_bytes: int | None
    peak_bytes: int | None
    memory_reason: str | None


class ProfileResult(_Data):
    """Operators as (operator, calls, milliseconds of one call of the model), or why there are none.

    ``arena_bytes``: peak of the runtime's pool during one call, where it tells.
    """

    operators: tuple[tuple[str, int, float], ...] | None
    reason: str | None
    arena_bytes: int | None


Result = TypeVar("Result", bound=BaseModel)


def run_child(
    job: RaceJob | StartJob | ProfileJob, result: type[Result], progress: Report
) -> Result:
    """Run a job in a process of its own.

    Raises:
        UserError: that of the child, or when it ended without a result (killed for memory).
    """
    found = run_module(
        "fa_mobile.bench.worker",
        job.model_dump_json(),
        progress,
        doing=f"did the {job.kind}",
        advice="if memory ran out, give a smaller size or fewer bundles",
    )
    return result.model_validate(found)
