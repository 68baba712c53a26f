"""What the command-line runner (benchmarks/runner/) writes on the phone, validated."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, ValidationError

from fa_mobile.bench.device import Count, Positive, Strict, Text
from fa_mobile.bench.schema import Above, Amount
from fa_mobile.errors import UserError, describe_validation


class Conditions(Strict):
    """Of the processor, where the kernel lets the shell read it."""

    governors: dict[str, Text]
    """By cpufreq policy: one for each cluster of cores."""
    zones_c: dict[str, float]
    """The hottest thermal zone of each type."""


class SubjectOutput(Strict):
    """One model; ``samples_ms`` has one value for each round."""

    folder: Text
    load_ms: Above
    first_ms: Above
    samples_ms: tuple[Above, ...]


class RunnerOutput(Strict):
    """One run of the runner."""

    schema_version: Literal[1]
    runner: Text
    abi: Text
    runtime: Text
    """ONNX Runtime's version."""
    width: Positive
    height: Positive
    threads: Count
    warmup: Count
    runs: Count
    seconds: Count
    start: Conditions
    end: Conditions
    base_bytes: Annotated[int, Field(ge=-1)]
    """Peak of resident memory before the first model was loaded; -1 where it is not shown."""
    peak_bytes: Annotated[int, Field(ge=-1)]
    started_s: tuple[Amount, ...]
    subjects: tuple[SubjectOutput, ...]


def parse_output(data: bytes) -> RunnerOutput:
    """Read what the runner wrote.

    Raises:
        UserError: for what another runner wrote, or rounds that do not fit together.
    """
    try:
        found = RunnerOutput.model_validate_json(data, strict=True)
    except ValidationError as error:
        raise UserError(
            f"the runner's output is not as expected ({describe_validation(error)}); build the "
            "runner from the same version of fa-mobile"
        ) from error
    if any(len(s.samples_ms) != len(found.started_s) for s in found.subjects):
        raise UserError("the runner's output has rounds without samples; run it again")
    return found
