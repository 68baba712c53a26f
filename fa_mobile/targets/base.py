"""What every export target takes and gives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from fa_mobile.folding import FoldPlan
from fa_mobile.nsma import NoiseSubrangeModelArray

Precision = Literal["fp32", "fp16", "int8"]
SelectorKind = Literal["gain", "noise-profile"]


class CalibrationSample(NamedTuple):
    """One simulated capture for a member: ``raw`` and the noise-free ``truth`` it was made of.

    Both float32 [1, 1, H, W] in DN; (a, b) is the capture's noise.
    """

    raw: npt.NDArray[np.float32]
    a: float
    b: float
    truth: npt.NDArray[np.float32]


@dataclass(frozen=True)
class ExportJob:
    """One artifact to make.

    ``tile`` is the side, or (rows, columns), in mosaic pixels that the artifact is made for: the
    largest input where shapes are dynamic, the only one where they are fixed. ``calibration``
    holds the samples of each member, drawn from its own subrange; empty where nothing is
    quantized. ``folder`` exists and receives the model file(s). ``report`` takes one line per step
    of the work, ``progress`` how far a long one is (done, in all).

    Two are for comparisons only. ``folds``: other rewrites than the target's own (None);
    ``UNFOLDED`` gives the naive export. ``all_int8``: int8 leaves nothing in float, whatever
    quality that costs.
    """

    array: NoiseSubrangeModelArray
    precision: Precision
    selector: SelectorKind
    tile: int | tuple[int, int]
    calibration: Sequence[Sequence[CalibrationSample]]
    folder: Path
    report: Callable[[str], None]
    progress: Callable[[int, int], None] | None = None
    folds: FoldPlan | None = None
    all_int8: bool = False

    @property
    def sides(self) -> tuple[int, int]:
        """Rows and columns of the tile."""
        return (self.tile, self.tile) if isinstance(self.tile, int) else self.tile


@dataclass(frozen=True)
class Exported:
    """What an export made, as far as the manifest tells it.

    ``files`` are names in the job's folder, the model first. ``inputs`` are the call's inputs in
    order. ``fixed_shape``: H and W are exactly the tile's. ``delegated`` and ``undelegated``
    count operators by name: those that run inside the networks' accelerated kernels, and the rest
    (selection, plumbing). ``float_islands`` name what stays float in int8. ``notes`` say how to
    call what is not one plain call (Core ML functions by operating system, ...).
    """

    files: tuple[str, ...]
    inputs: tuple[str, ...]
    fixed_shape: bool
    fold_plan: FoldPlan
    delegated: dict[str, int]
    undelegated: dict[str, int]
    float_islands: tuple[str, ...] = ()
    planned_memory_bytes: int | None = None
    notes: dict[str, str] = field(default_factory=dict)


class ExportError(Exception):
    """An export that did not give what was asked; names the operator or step in the way."""


def check_job(job: ExportJob, precisions: Sequence[str]) -> None:
    """What every target asks of a job before it starts.

    Raises:
        ExportError: for a precision that is not among ``precisions``, or an int8 job without
            calibration samples for every member.
    """
    if job.precision not in precisions:
        raise ExportError(
            f"precision {job.precision!r} was asked of a target that has {', '.join(precisions)}"
        )
    members = job.array.spec.members
    if job.precision == "int8" and (len(job.calibration) != members or not all(job.calibration)):
        raise ExportError(
            f"int8 needs calibration samples for each of the {members} members, got "
            f"{[len(samples) for samples in job.calibration]}"
        )
