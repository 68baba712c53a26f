"""A benchmark report: one schema for this machine, phones, browsers and the apps' benchmark mode.

Times are milliseconds, sizes bytes, 1 MP is 10^6 mosaic pixels. What was not measured is null and
its reason stands in ``missing`` under the field's name, "not run: ..." or "not available: ...":
a report in which one of the two is absent is refused.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from fa_mobile.bench.device import Count, Device, Positive, Strict, Text
from fa_mobile.bench.statistics import median, p90

REPORT_SCHEMA: Final = 1

Amount = Annotated[float, Field(ge=0)]
Above = Annotated[float, Field(gt=0)]
Samples = Annotated[tuple[Above, ...], Field(min_length=1)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Precision = Literal["fp32", "fp16", "int8"]
Target = Literal["executorch", "onnx", "coreml"]
Reasons = dict[str, Annotated[str, Field(pattern=r"^not (run|available): .+$")]]

_AGREE: Final = 1e-3
"""How far a stated median or percentile may be from the one of the samples, relative."""


class Settings(Strict):
    """How the measurement was made; runs with other settings are not compared."""

    kind: Literal["burst", "sustained"]
    """burst: a fixed number of rounds. sustained: rounds until ``seconds`` are over."""
    threads: Count
    """Of the runtime; 0 left the number to it."""
    rounds: Positive
    warmup: Count
    seconds: Amount
    gain: Above


class Counts(Strict):
    """What does not vary from run to run, and so can be compared without statistics."""

    nominal_gmacs_per_mp: Amount
    executed_gmacs_per_mp: Amount
    """After groups were merged for the runtime's kernels."""
    model_bytes: Count
    bundle_bytes: Count
    arena_bytes: Count | None
    """The runtime's own planned or pooled memory for one call, without a delegate's workspace."""
    delegated: Count
    undelegated: Count
    instructions_per_mp: dict[str, Above]
    """By CPU name (a QEMU model, or the host's): instructions of one call over its MP."""


class Timing(Strict):
    """Sample i is round i of the run, the same round for every entry of one size."""

    samples_ms: Samples
    calls_per_sample: Positive
    """Above 1 for what is too short to time alone; the sample is then their mean."""
    started_s: tuple[Amount, ...]
    """When each round began; a sustained run shows its throttling with it. Empty: not recorded."""
    min_ms: Above
    median_ms: Above
    p90_ms: Above
    """Linear between the two nearest order statistics."""
    ms_per_mp: Above
    """Of the median."""

    @model_validator(mode="after")
    def _summarises_its_samples(self) -> Self:
        wanted = {
            "min_ms": min(self.samples_ms),
            "median_ms": median(self.samples_ms),
            "p90_ms": p90(self.samples_ms),
        }
        for name, value in wanted.items():
            if abs(getattr(self, name) - value) > _AGREE * value:
                raise ValueError(f"{name} is not that of samples_ms, which is {value:g}")
        if self.started_s and len(self.started_s) != len(self.samples_ms):
            raise ValueError("started_s must be empty or have a value for every sample")
        return self


class Start(Strict):
    """The first use in a process of its own, the runtime's library already loaded."""

    load_ms: Above
    first_ms: Above


class Memory(Strict):
    """Resident memory in a process of its own: before the model was loaded, and the most above."""

    base_bytes: Count
    peak_bytes: Count


class OperatorShare(Strict):
    """One operator of the runtime, its kind, how often a call runs it and its share of the time."""

    operator: Text
    kind: Text
    calls: Positive
    share: Annotated[float, Field(ge=0, le=1)]


class Ratio(Strict):
    """To the named peer of the same run and size, round by round."""

    peer: Text
    peer_sha256: Sha256
    samples: Samples
    """This entry's time over the peer's, in the same round."""
    median: Above
    of_minima: Above
    p: Annotated[float, Field(ge=0, le=1)]
    """Two-sided Mann-Whitney, this entry's times against the peer's."""


class Traffic(Strict):
    """Bytes that the operators read and write per MP, and how they are known."""

    bytes_per_mp: Above
    source: Literal["derived"]
    """derived: counted over the folded network's operators, each tensor once per operator."""


class Roof(Strict):
    """What was attained beside what the machine allows at this arithmetic intensity."""

    executed_gmacs_per_s: Above
    nominal_gmacs_per_s: Above
    macs_per_byte: Above
    gbytes_per_s: Above
    allowed_gmacs_per_s: Above
    share: Above
    """Attained over allowed; above 1 where caches serve what the derived bytes count as memory."""
    bound: Literal["compute", "memory"]


class Entry(Strict):
    """One bundle at one size."""

    bundle: Text
    sums_sha256: Sha256
    """Of the bundle's SHA256SUMS, and so of all of it."""
    target: Target
    precision: Precision
    network: Text
    weights: Literal["trained", "random"]
    """random: a peer whose time is meant, not its quality."""
    width: Positive
    height: Positive
    tiles: Positive
    """Calls of the model per frame; 1 is the model's own call without the tiling around it."""
    counts: Counts
    timing: Timing | None
    start: Start | None
    memory: Memory | None
    operators: tuple[OperatorShare, ...] | None
    ratio: Ratio | None
    traffic: Traffic | None
    roof: Roof | None
    missing: Reasons

    @property
    def megapixels(self) -> float:
        """Of the frame, in 10^6 mosaic pixels."""
        return self.width * self.height / 1e6

    @property
    def key(self) -> tuple[str, int, int]:
        """(bundle, width, height)."""
        return self.bundle, self.width, self.height

    @property
    def title(self) -> str:
        """For messages: name and size."""
        return f"{self.bundle} at {self.width} x {self.height}"

    @model_validator(mode="after")
    def _says_what_is_missing(self) -> Self:
        parts = ("timing", "start", "memory", "operators", "ratio", "traffic", "roof")
        absent = {name for name in parts if getattr(self, name) is None}
        if self.counts.arena_bytes is None:
            absent.add("arena_bytes")
        if not self.counts.instructions_per_mp:
            absent.add("instructions_per_mp")
        _check_reasons(absent, self.missing)
        return self


class Ceiling(Strict):
    """The runtime's speed in a chain of dense convolutions made for nothing but speed."""

    target: Target
    precision: Precision
    kernel: Positive
    channels: Positive
    side: Positive
    gmacs: Above
    """Of one run of the chain."""
    samples_ms: Samples
    gmacs_per_s: Above
    """In the fastest round."""


class Bandwidth(Strict):
    """Copying a buffer far larger than the last cache; bytes read plus bytes written."""

    buffer_bytes: Positive
    threads: Positive
    samples_gbytes_per_s: Samples
    gbytes_per_s: Above
    """The best of them."""


class Report(Strict):
    """Everything that one run found."""

    schema_version: Literal[1] = REPORT_SCHEMA
    device: Device
    settings: Settings
    ceilings: tuple[Ceiling, ...]
    bandwidth: Bandwidth | None
    entries: Annotated[tuple[Entry, ...], Field(min_length=1)]
    missing: Reasons

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        keys = [entry.key for entry in self.entries]
        if twice := {key for key in keys if keys.count(key) > 1}:
            raise ValueError(f"entries appear twice: {sorted(twice)}")
        absent = {name for name in ("ceilings", "bandwidth") if not getattr(self, name)}
        _check_reasons(absent, self.missing)
        rounds = {len(entry.timing.samples_ms) for entry in self.entries if entry.timing}
        rounds |= {len(ceiling.samples_ms) for ceiling in self.ceilings}
        if self.ceilings and len(rounds) > 1:
            raise ValueError(f"bundles and ceilings have {sorted(rounds)} rounds; they share them")
        return self

    def best_ceiling(self, target: str, precision: str) -> Ceiling | None:
        """The fastest convolution of that runtime and precision."""
        found = [c for c in self.ceilings if (c.target, c.precision) == (target, precision)]
        return max(found, key=lambda c: c.gmacs_per_s, default=None)

    def share_of_ceiling(self, entry: Entry) -> float | None:
        """What an entry attains of the best convolution's speed: the median of the rounds' ratios.

        What disturbed a round disturbed both. None where one of them was not measured.
        """
        ceiling = self.best_ceiling(entry.target, entry.precision)
        if ceiling is None or entry.timing is None or entry.roof is None:
            return None
        rounds = zip(ceiling.samples_ms, entry.timing.samples_ms, strict=True)
        of_times = median([chain_ms / ms for chain_ms, ms in rounds])
        gmacs = entry.roof.executed_gmacs_per_s * entry.timing.median_ms / 1000
        return of_times * gmacs / ceiling.gmacs


def _check_reasons(absent: set[str], reasons: Reasons) -> None:
    if silent := absent - reasons.keys():
        raise ValueError(f"{', '.join(sorted(silent))}: absent, and 'missing' gives no reason")
    if idle := reasons.keys() - absent:
        raise ValueError(f"{', '.join(sorted(idle))}: in 'missing', but present or unknown")
