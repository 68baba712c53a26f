"""One phone through ``adb``: commands with a time limit, files, and a folder that does not stay.

On this machine everything is an argument list. What the phone's shell reads is quoted word by word
and made of names that are fixed here.
"""

from __future__ import annotations

import re
import secrets
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fa_mobile.errors import UserError

PLACE: Final = "/data/local/tmp"
"""The one folder of a phone that adb may both write to and run programs from, without root."""
QUERY_S: Final = 30.0
COPY_S: Final = 300.0
_STATES: Final = {
    "unauthorized": "unlock it and allow this computer's debugging, then start again",
    "authorizing": "unlock it and allow this computer's debugging, then start again",
    "offline": "plug it in again, or restart it",
    "no permissions": "this user may not open its USB device: see 'adb devices'",
    "recovery": "start Android on it",
    "sideload": "start Android on it",
    "bootloader": "start Android on it",
}
_GONE: Final = re.compile(
    r"device '[^']*' not found|device (still )?(offline|unauthorized)|no devices|"
    r"closed|connection reset|cannot connect to daemon",
    re.IGNORECASE,
)
_LOST: Final = 255
"""What ``adb shell`` exits with when the connection broke."""


@dataclass(frozen=True)
class Answer:
    """What a command on the phone left: exit code, output and complaint."""

    code: int
    output: str
    complaint: str


class Adb:
    """One phone; made by :func:`connect`."""

    def __init__(self, program: str, serial: str) -> None:
        self._program = program
        self.serial = serial

    def ask(self, *words: str, limit_s: float = QUERY_S) -> Answer:
        """Run a command on the phone; its exit code is the caller's to judge.

        Raises:
            UserError: when it takes longer than ``limit_s``, or the phone is gone.
        """
        command = " ".join(shlex.quote(word) for word in words)
        answer = _call([self._program, "-s", self.serial, "shell", command], limit_s)
        if answer.code == _LOST and _GONE.search(answer.complaint):
            raise self._gone(answer)
        return answer

    def shell(self, *words: str, limit_s: float = QUERY_S) -> str:
        """:meth:`ask` for what has to succeed; the output.

        Raises:
            UserError: also for an exit code that is not 0.
        """
        answer = self.ask(*words, limit_s=limit_s)
        if answer.code != 0:
            raise UserError(
                f"phone {self.serial}: '{words[0]}' ended with {answer.code} "
                f"({first_line(answer.complaint or answer.output)}); see that "
                f"'adb shell' may write to {PLACE}"
            )
        return answer.output

    def push(self, files: Sequence[Path], folder: str) -> None:
        """Copy files into a folder of the phone.

        Raises:
            UserError: when there is no space, the phone is gone, or the copy fails otherwise.
        """
        self._copy("push", [*map(str, files), folder])

    def pull(self, file: str, place: Path) -> None:
        """Copy one file of the phone to ``place``.

        Raises:
            UserError: see :meth:`push`.
        """
        self._copy("pull", [file, str(place)])

    @contextmanager
    def folder(self) -> Iterator[str]:
        """A new folder under ``PLACE`` that is removed whatever happens.

        Raises:
            UserError: when it cannot be made, or not be removed (with how to do it by hand).
        """
        name = f"{PLACE}/fa-mobile-{secrets.token_hex(8)}"
        try:
            self.shell("mkdir", "-p", name)
            yield name
        except UserError as error:
            left = self._remove(name)
            raise UserError(f"{error}{left and f'; {left}'}") from error
        except BaseException:
            self._remove(name)
            raise
        if left := self._remove(name):
            raise UserError(left)

    def _remove(self, name: str) -> str:
        """What the user has to be told, or nothing."""
        try:
            if self.ask("rm", "-rf", name).code == 0:
                return ""
        except UserError:
            pass
        return (
            f"{name} could not be removed from the phone: when it is back, run "
            f"'adb -s {self.serial} shell rm -rf {name}'"
        )

    def _copy(self, verb: str, names: list[str]) -> None:
        answer = _call([self._program, "-s", self.serial, verb, *names], COPY_S)
        if answer.code == 0:
            return
        said = f"{answer.complaint}\n{answer.output}"
        if "no space left" in said.lower():
            raise UserError(
                f"phone {self.serial} has no space left in {PLACE}; bundle, runner and ONNX "
                "Runtime need about 50 MB: free some"
            )
        if _GONE.search(said):
            raise self._gone(answer)
        raise UserError(f"phone {self.serial}: 'adb {verb}' failed: {first_line(said)}; try again")

    def _gone(self, answer: Answer) -> UserError:
        said = first_line(answer.complaint or answer.output)
        return UserError(f"phone {self.serial} went away ({said}); plug it in and start again")


def connect(serial: str | None = None) -> Adb:
    """The phone that adb sees.

    Args:
        serial: which one; may be left out where there is only one.

    Raises:
        UserError: without adb, without a phone, with several and no serial, and for one that is
            unauthorised, offline or not running Android.
    """
    program = shutil.which("adb")
    if program is None:
        raise UserError(
            "adb was not found; install Android's platform tools (Debian: apt install adb) and "
            "put it into PATH"
        )
    answer = _call([program, "devices"], QUERY_S)
    if answer.code != 0:
        raise UserError(
            f"'adb devices' failed: {first_line(answer.complaint)}; try 'adb kill-server'"
        )
    states = parse_devices(answer.output)
    chosen = _chosen(serial, states)
    state = states[chosen]
    if state != "device":
        advice = next((a for name, a in _STATES.items() if state.startswith(name)), "plug it again")
        raise UserError(f"phone {chosen} is '{first_line(state)}'; {advice}")
    return Adb(program, chosen)


def parse_devices(listing: str) -> dict[str, str]:
    """Serial to state in the output of ``adb devices``."""
    found = {}
    for line in listing.splitlines():
        serial, tab, state = line.partition("\t")
        if tab and serial.strip():
            found[serial.strip()] = state.strip()
    return found


def _chosen(serial: str | None, states: dict[str, str]) -> str:
    if not states:
        raise UserError(
            "adb sees no phone; plug one in, allow USB debugging in its developer options, and "
            "look at 'adb devices'"
        )
    if serial is None and len(states) > 1:
        raise UserError(
            f"adb sees {len(states)} phones: {', '.join(states)}; name one with --serial"
        )
    if serial is not None and serial not in states:
        raise UserError(f"--serial {serial} was given; adb sees {', '.join(states)}")
    return serial if serial is not None else next(iter(states))


def first_line(text: str, limit: int = 160) -> str:
    """The first line that says something, printable and short: it comes from a phone."""
    line = next((line.strip() for line in text.splitlines() if line.strip()), "no reason given")
    return "".join(c if c.isprintable() else "?" for c in line)[:limit]


def _call(arguments: list[str], limit_s: float) -> Answer:
    try:
        done = subprocess.run(
            arguments, stdin=subprocess.DEVNULL, capture_output=True, timeout=limit_s, check=False
        )
    except subprocess.TimeoutExpired as error:
        verb = next(w for w in arguments[1:] if w in ("devices", "shell", "push", "pull"))
        raise UserError(
            f"'adb {verb}' took longer than {limit_s:.0f} s; see that the phone is awake and "
            "plugged in, and start again"
        ) from error
    except OSError as error:
        raise UserError(f"{arguments[0]} cannot be run: {error.strerror or error}") from error
    return Answer(
        done.returncode,
        done.stdout.decode(errors="replace"),
        done.stderr.decode(errors="replace"),
    )
