"""`leak`: report a text that should not be visible; for leads, the reports that wait."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from app.cli.opening import line_desk
from app.cli.output import emit, iso, narrate, say


def register(commands: Any, common: argparse.ArgumentParser) -> None:
    """Adds the command."""
    leak = commands.add_parser("leak", parents=[common], help="report a text that should not be visible in a case")
    leak.add_argument("id", metavar="ID", nargs="?")
    leak.add_argument("--queue", metavar="Q")
    leak.add_argument("--json", action="store_true")
    what = leak.add_mutually_exclusive_group()
    what.add_argument("--text", metavar="T", help="what to mask (default: one line of standard input)")
    what.add_argument("--list", action="store_true", help="a lead sees the reports that wait")
    what.add_argument("--dismiss", action="store_true", help="a lead forgets what was reported of the case")
    leak.set_defaults(run=_leak)


def _leak(arguments: argparse.Namespace) -> int:
    from app.model.errors import BadInput

    if arguments.list:
        return _list(arguments)
    if arguments.id is None:
        raise BadInput("Name the case: `secondlook leak ID`. Nothing was reported.")
    if arguments.dismiss:
        with line_desk(arguments) as desk:
            desk.dismiss_leaks(desk.find(arguments.id, arguments.queue))
        return _done(arguments, "dismissed", f"Forgotten what was reported of {arguments.id}.")
    # From standard input it does not end up in the shell's history.
    text = arguments.text if arguments.text is not None else sys.stdin.readline()
    with line_desk(arguments) as desk:
        desk.report_leak(desk.find(arguments.id, arguments.queue), text)
    return _done(
        arguments, "reported", "Reported. It is masked where the case is yours to change; a lead sees the rest."
    )


def _done(arguments: argparse.Namespace, what: str, said: str) -> int:
    if arguments.json:
        emit({"id": arguments.id, what: True})
    else:
        narrate(said)
    return 0


def _list(arguments: argparse.Namespace) -> int:
    with line_desk(arguments) as desk:
        wanted = (arguments.id, arguments.queue)
        found = [r for r in desk.leak_reports() if wanted[0] in (None, r.id) and wanted[1] in (None, r.queue)]
    for report in found:
        if arguments.json:
            emit(
                {"id": report.id, "queue": report.queue, "person": report.person, "text": report.text}
                | {"at": iso(report.at)}
            )
        else:
            say(f"{iso(report.at)}  {report.queue}  {report.id}  {report.person}: {report.text}")
    return 0
