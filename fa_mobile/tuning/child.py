"""Tuning in a process of its own (see :mod:`fa_mobile.child`): ExecuTorch has one pool of threads
for a process, and a runtime that crashes ends only this one."""

from __future__ import annotations

import json
import sys
from typing import Any

import torch

from fa_mobile.child import Say, run_module, serve
from fa_mobile.hush import hush_exporters
from fa_mobile.targets.tuned import Entry
from fa_mobile.tuning.build import THREADS
from fa_mobile.tuning.tune import Request, tune


def tune_apart(request: Request, report: Say) -> Entry:
    """:func:`fa_mobile.tuning.tune.tune` in a child process.

    Raises:
        UserError: that of the child, or when it ended without a result.
    """
    found = run_module(
        "fa_mobile.tuning.child",
        request.model_dump_json(),
        report,
        doing=f"tunes {request.target} {request.precision} {request.network}",
        advice="give a smaller side, or leave this one out",
    )
    return Entry.model_validate_json(json.dumps(found))  # strict: from JSON, lists are tuples


def main() -> int:
    """Tune what standard input describes."""

    def done(request: str, say: Say) -> Any:
        hush_exporters()
        torch.set_num_threads(THREADS)  # exporting in more is slower where other work runs
        return tune(Request.model_validate_json(request), say).model_dump(mode="json")

    return serve(done)


if __name__ == "__main__":
    sys.exit(main())
