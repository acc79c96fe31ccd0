"""`reveal`: withheld values shown again, for a stated reason."""

from __future__ import annotations

import argparse
import select
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from app.cli.opening import line_desk
from app.cli.output import emit, iso, narrate, say, table

if TYPE_CHECKING:
    from app.model.reveal import RevealRequest


def register(commands: Any, common: argparse.ArgumentParser) -> None:
    """Adds the commands."""
    reveal = commands.add_parser("reveal", help="see withheld values again, for a stated reason (officers)")
    acts = reveal.add_subparsers(metavar="ACT", required=True)
    fields = acts.add_parser("fields", parents=[common], help="which withheld fields of a case are kept")
    ask = acts.add_parser("ask", parents=[common], help="ask to see fields of a case")
    for command in (fields, ask):
        command.add_argument("id", metavar="ID")
        command.add_argument("--queue", metavar="Q")
        command.add_argument("--json", action="store_true")
    fields.set_defaults(run=_fields)
    ask.add_argument("--fields", required=True, metavar="F,G", help="fields, separated by commas")
    ask.add_argument("--reason", required=True, metavar="TEXT", help="why; it is kept in the log's record")
    ask.set_defaults(run=_ask)
    for name, about, run in (
        ("approve", "say yes to another officer's request", _approve),
        ("decline", "say no to a request", _decline),
        ("open", "see the fields of your approved request, once", _open),
    ):
        command = acts.add_parser(name, parents=[common], help=about)
        command.add_argument("request", type=int, metavar="N")
        command.add_argument("--json", action="store_true")
        command.set_defaults(run=run)
    listed = acts.add_parser("list", parents=[common], help="requests of the last 30 days")
    listed.add_argument("--json", action="store_true")
    listed.set_defaults(run=_list)


def _fields(arguments: argparse.Namespace) -> int:
    with line_desk(arguments) as desk:
        found = desk.sealed_fields(desk.find(arguments.id, arguments.queue))
    if arguments.json:
        emit(list(found))
        return 0
    for field in found:
        say(field)
    if not found:
        narrate("Nothing is sealed of this case. It came in before there was an officer, or nothing was withheld.")
    return 0


def _ask(arguments: argparse.Namespace) -> int:
    with line_desk(arguments) as desk:
        case_id = desk.find(arguments.id, arguments.queue)
        wanted = _fields_in(arguments.fields, desk.sealed_fields(case_id))
        request = desk.ask_reveal(case_id, wanted, arguments.reason)
    if arguments.json:
        emit(_as_dict(request))
        return 0
    say(str(request.reveal_id))
    if request.state == "asked":
        narrate(f"Asked. Another officer approves it with `secondlook reveal approve {request.reveal_id}`;")
        narrate(f"then `secondlook reveal open {request.reveal_id}` shows the fields, once.")
    else:
        narrate(f"`secondlook reveal open {request.reveal_id}` shows the fields, once.")
    return 0


def _fields_in(text: str, known: Sequence[str]) -> list[str]:
    """Fields separated by commas; a field's own name may hold some."""
    pieces = [piece.strip() for piece in text.split(",")]
    found: list[str] = []
    while pieces:
        size = next((n for n in range(len(pieces), 1, -1) if ", ".join(pieces[:n]) in known), 1)
        found.append(", ".join(pieces[:size]))
        pieces = pieces[size:]
    return [field for field in found if field]


def _approve(arguments: argparse.Namespace) -> int:
    from app import officer_key
    from app.desk.revealing import approval_purpose
    from app.protect.envelope import answer

    number = arguments.request
    with line_desk(arguments) as desk:
        key_id, closed = desk.approval_challenge(number)
        private = officer_key.load(key_id, officer_key.ask_passphrase)
        request = desk.approve_reveal(number, answer(private, closed, approval_purpose(number)))
    if arguments.json:
        emit(_as_dict(request))
    else:
        narrate(f"Approved: {request.person} may see {', '.join(request.fields)} of {request.id}, once.")
    return 0


def _decline(arguments: argparse.Namespace) -> int:
    with line_desk(arguments) as desk:
        desk.decline_reveal(arguments.request)
    if arguments.json:
        emit({"reveal_id": arguments.request, "state": "declined"})
    else:
        narrate(f"Declined request {arguments.request}.")
    return 0


def _open(arguments: argparse.Namespace) -> int:
    from app import officer_key
    from app.desk.base import wall_clock
    from app.model.errors import BadInput
    from app.protect.envelope import open_values

    with line_desk(arguments) as desk:
        request = next((r for r in desk.reveals() if r.reveal_id == arguments.request), None)
        if request is None:
            raise BadInput(f"There is no request {arguments.request} to reveal.")
        # The key is tried before the request is used up: a mistyped passphrase costs nothing.
        private = officer_key.load(desk.reveal_key(request.case_id), officer_key.ask_passphrase)
        handed = desk.open_reveal(request.reveal_id)
        values = open_values(private, handed.key, handed.values, handed.place)
    if arguments.json:
        emit({"id": request.id, "fields": values, "until": iso(handed.until)})
        return 0
    _show(request.id, values, (handed.until - wall_clock()) / 1000)
    return 0


def _show(name: str, values: dict[str, Any], seconds: float) -> None:
    """Prints the values; on a terminal they vanish on enter, or when their time is over."""
    lines = [f"{field:24} {value if isinstance(value, str) else repr(value)}" for field, value in values.items()]
    if not (sys.stdout.isatty() and sys.stdin.isatty()):
        for text in lines:
            say(text)
        narrate("What was written here is not masked again: delete it yourself.")
        return
    # The alternate screen keeps no history, so that nothing can be scrolled back to.
    sys.stdout.write("\x1b[?1049h\x1b[H")
    try:
        say(f"{name}: masked again on enter, or in {seconds / 60:.0f} min\n")
        for text in lines:
            say(text)
        sys.stdout.flush()
        select.select([sys.stdin], [], [], max(0.0, seconds))
    finally:
        sys.stdout.write("\x1b[?1049l")
    narrate(f"The fields of {name} are masked again.")


def _list(arguments: argparse.Namespace) -> int:
    with line_desk(arguments) as desk:
        found = desk.reveals()
    if arguments.json:
        emit([_as_dict(request) for request in found])
        return 0
    if not found:
        narrate("Nobody asked to see withheld values within 30 days.")
        return 0
    table(
        ("n", "asked", "who", "case", "fields", "state", "approver", "reason"),
        [(r.reveal_id, iso(r.asked_at), r.person, r.id or "(erased)", ", ".join(r.fields), r.state, r.approver,
          r.reason) for r in found],
    )  # fmt: skip
    return 0


def _as_dict(request: RevealRequest) -> dict[str, Any]:
    return {
        "reveal_id": request.reveal_id,
        "id": request.id,
        "queue": request.queue,
        "person": request.person,
        "fields": list(request.fields),
        "reason": request.reason,
        "state": request.state,
        "asked_at": iso(request.asked_at),
        "approver": request.approver,
        "until": iso(request.until),
    }
