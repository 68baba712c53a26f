"""``make tune``: measure, and with ``--write`` keep the results in the repository's table.

The table is the one beside the targets of this package: run it from a checkout.
"""

from __future__ import annotations

import argparse
import sys
from typing import Final

from fa_mobile.cli import show
from fa_mobile.cli.show_tuning import show_entries
from fa_mobile.errors import UserError
from fa_mobile.files import replace_file
from fa_mobile.needs import require_export
from fa_mobile.networks import NETWORK_NAMES
from fa_mobile.targets.table import TARGETS
from fa_mobile.targets.tuned import TUNED_FILE, Entry, Table, parse_table
from fa_mobile.tuning.child import tune_apart
from fa_mobile.tuning.search import Report
from fa_mobile.tuning.tune import BUDGET_S, ROUNDS, SIDE, Request

_NETWORKS: Final = ("paper", "mobile")
_TARGETS: Final = tuple(target.name for target in TARGETS if target.runs_here)
_PRECISIONS: Final = ("fp32", "int8")


def main() -> int:
    """Exit code 0, or 2 for a UserError."""
    given = _arguments()
    entries = []
    try:
        require_export()
        with show.steps() as report:
            for request in _requests(given):
                entries.append(_tuned(request, report))
                if given.write:  # after each, so that a long run can be cut short
                    write_entry(entries[-1])
    except UserError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    show_entries(entries)
    return 0


def write_entry(entry: Entry) -> None:
    """Put ``entry`` into the table's file.

    Raises:
        UserError: when the file is damaged or cannot be written.
    """
    table = Table()
    if TUNED_FILE.is_file():
        table = parse_table(TUNED_FILE.read_text(encoding="utf-8"), source=TUNED_FILE.name)
    with replace_file(TUNED_FILE) as partial:
        text = table.with_entry(entry).model_dump_json(indent=1) + "\n"
        partial.write_text(text, encoding="utf-8")


def _tuned(request: Request, report: Report) -> Entry:
    name = f"{request.target} {request.precision} {request.network}"
    return tune_apart(request, lambda line: report(f"{name}: {line}"))


def _requests(given: argparse.Namespace) -> list[Request]:
    return [
        Request(
            target=target,
            precision=precision,
            network=network,
            side=given.side,
            rounds=given.rounds,
            budget_s=given.seconds,
        )
        for network in given.network or _NETWORKS
        for target in given.target or _TARGETS
        for precision in given.precision or _PRECISIONS
    ]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m fa_mobile.tuning", description=__doc__)
    parser.add_argument("--write", action="store_true", help="keep the results in the table")
    parser.add_argument("--network", action="append", choices=NETWORK_NAMES)
    parser.add_argument("--target", action="append", choices=_TARGETS)
    parser.add_argument("--precision", action="append", choices=_PRECISIONS)
    parser.add_argument("--side", type=int, default=SIDE, help="of the mosaic, pixels")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--seconds", type=float, default=BUDGET_S, help="of one search")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
