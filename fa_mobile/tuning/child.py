"""Tuning in a process of its own: one thread there, and a runtime that crashes ends only it.

The child takes a :class:`Request` as JSON on standard input and writes one JSON object per line:
``{"step": ...}`` for progress, at the end ``{"entry": ...}`` or ``{"error": ...}``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import warnings
from typing import Any

import torch

from fa_mobile.errors import UserError
from fa_mobile.hush import hush_exporters
from fa_mobile.targets.tuned import Entry
from fa_mobile.tuning.build import THREADS
from fa_mobile.tuning.search import Report
from fa_mobile.tuning.tune import Request, tune


def tune_apart(request: Request, report: Report) -> Entry:
    """:func:`fa_mobile.tuning.tune.tune` in a child process.

    Raises:
        UserError: that of the child, or when it ended without a result.
    """
    command = [sys.executable, "-m", "fa_mobile.tuning.child"]
    final: dict[str, Any] = {}
    with (
        tempfile.TemporaryFile() as log,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
        ) as child,
    ):
        assert child.stdin is not None and child.stdout is not None
        try:
            child.stdin.write(request.model_dump_json())
            child.stdin.close()
            for line in child.stdout:
                message: dict[str, Any] = json.loads(line)
                if "step" in message:
                    report(str(message["step"]))
                else:
                    final = message
            code = child.wait()
        finally:
            if child.poll() is None:
                child.kill()
    if "entry" in final:
        return Entry.model_validate_json(json.dumps(final["entry"]))
    cause = final.get("error") or (
        f"the process that tunes {request.target} {request.precision} {request.network} ended "
        f"with code {code}; give a smaller side, or leave this one out"
    )
    raise UserError(str(cause))


def main() -> int:
    """The child; 0 also for a UserError, which goes to the parent as a message."""
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as messages:
        os.dup2(2, 1)  # what exporters print must not stand between the messages

        def send(**message: Any) -> None:
            messages.write(json.dumps(message) + "\n")
            messages.flush()

        warnings.simplefilter("ignore")
        hush_exporters()
        torch.set_num_threads(THREADS)  # exporting in more is slower where other work runs
        try:
            request = Request.model_validate_json(sys.stdin.read())
            entry = tune(request, lambda line: send(step=line))
        except UserError as error:
            send(error=str(error))
            return 0
        send(entry=entry.model_dump(mode="json"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
