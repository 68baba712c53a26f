"""One entry of the table, measured in this process."""

from __future__ import annotations

import datetime
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from fa_mobile.bench.device import host_device
from fa_mobile.bench.timing import race, repeats_for
from fa_mobile.errors import UserError
from fa_mobile.exporting import tool_versions
from fa_mobile.folding import FoldPlan
from fa_mobile.targets.tuned import Conditions, Entry, shipped_table
from fa_mobile.tuning.build import THREADS, Workbench
from fa_mobile.tuning.search import Call, Refused, Report, Search

SIDE: Final = 1024
ROUNDS: Final = 11
BUDGET_S: Final = 300.0


class Request(BaseModel):
    """What to tune: a target that runs here, its precision, a network's name; and how."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    target: str
    precision: str
    network: str
    side: Annotated[int, Field(gt=0)] = SIDE
    rounds: Annotated[int, Field(gt=0)] = ROUNDS
    budget_s: Annotated[float, Field(gt=0)] = BUDGET_S


def tune(request: Request, report: Report) -> Entry:
    """Search for the fastest plan from the present one.

    ExecuTorch's pool of threads belongs to the process and is set to one: call this in a process
    of its own (:func:`fa_mobile.tuning.child.tune_apart`).

    Raises:
        UserError: when the present plan itself cannot be exported or run.
    """
    start = present_plan(request)

    def measure(calls: Mapping[str, Call]) -> Mapping[str, Sequence[float]]:
        repeats = {key: repeats_for(call) for key, call in calls.items()}
        return race(calls, rounds=request.rounds, repeats=repeats).samples_ms

    with tempfile.TemporaryDirectory(prefix="fa-mobile-") as folder:
        bench = Workbench(
            request.target, request.precision, request.network, request.side, Path(folder)
        )
        search = Search(start, bench.build, bench.shape, measure, report, budget_s=request.budget_s)
        try:
            found = search.run()
        except Refused as error:
            raise UserError(
                f"{request.target} {request.precision} {request.network}: the plan in use cannot "
                f"be measured ({error}); tune another network or target"
            ) from error
    return Entry(
        target=request.target,
        precision=request.precision,
        network=request.network,
        start=start,
        plan=found.plan,
        ratio=found.ratio,
        conditions=Conditions(
            date=datetime.date.today(),
            cpu=host_device({}).cpu,
            versions=tool_versions(request.target),
            side=request.side,
            threads=THREADS,
            rounds=request.rounds,
        ),
        trials=found.trials,
    )


def present_plan(request: Request) -> FoldPlan:
    """What an export would use now: the shipped table's plan, else the target's guess."""
    entry = shipped_table().entry(request.target, request.precision, request.network)
    return entry.plan if entry else guessed_plan(request.target, request.precision)


def guessed_plan(target: str, precision: str) -> FoldPlan:
    """The target's own constant, for where nothing was measured."""
    if target == "onnx":
        from fa_mobile.targets.onnx import PLANS

        return PLANS[precision]
    from fa_mobile.targets.executorch import FOLD_PLAN

    return FOLD_PLAN
