"""Work in a process of its own: a runtime's pool of threads, its memory and its crashes stay there.

The parent writes one JSON document to the child's standard input. The child answers with one JSON
object per line: ``{"step": ...}`` for progress, at the end ``{"result": ...}`` or
``{"error": ...}``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Mapping
from typing import IO, Any

from fa_mobile.errors import UserError

Say = Callable[[str], None]


def run_module(module: str, request: str, progress: Say, *, doing: str, advice: str) -> Any:
    """Run ``python -m module`` on a request; returns its result, parsed from JSON.

    Args:
        module: one whose main calls :func:`serve`.
        request: JSON.
        progress: receives the child's steps.
        doing: what the child does, for the message when it ends without a result.
        advice: what to do then.

    Raises:
        UserError: that of the child, or when it ended without a result (killed for memory).
    """
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as log,
        subprocess.Popen(
            [sys.executable, "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as child,
    ):
        assert child.stdin is not None and child.stdout is not None
        try:
            child.stdin.write(request)
            child.stdin.close()
            final = _last_message(child.stdout, progress)
            code = child.wait()
        finally:
            if child.poll() is None:
                child.kill()
        if final is None:
            raise UserError(f"the process that {doing} ended with {_cause(code, log)}; {advice}")
    if "error" in final:
        raise UserError(str(final["error"]))
    return final["result"]


def _last_message(stream: IO[str], progress: Say) -> Mapping[str, object] | None:
    final: Mapping[str, object] | None = None
    for line in stream:
        message: Mapping[str, object] = json.loads(line)
        if "step" in message:
            progress(str(message["step"]))
        else:
            final = message
    return final


def _cause(code: int, log: IO[str]) -> str:
    log.seek(0)
    lines = [line.strip() for line in log if line.strip()]
    cause = f"signal {-code}" if code < 0 else f"exit code {code}"
    return f"{cause}: {lines[-1][:200]}" if lines else cause


def serve(work: Callable[[str, Say], object]) -> int:
    """The child's main: ``work(request, say)`` to a result that JSON can hold.

    Returns:
        0, also for a UserError, which goes to the parent as a message.
    """
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as messages:
        os.dup2(2, 1)  # what runtimes and exporters print must not stand between the messages

        def send(**message: object) -> None:
            messages.write(json.dumps(message) + "\n")
            messages.flush()

        warnings.simplefilter("ignore")
        try:
            result = work(sys.stdin.read(), lambda line: send(step=line))
        except UserError as error:
            send(error=str(error))
        else:
            send(result=result)
    return 0
