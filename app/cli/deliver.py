"""`deliver` and `deliveries`: sending verdicts to where they are wanted, and looking after those that do not arrive."""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING, Any

from app.cli.opening import opened_store, workspace_of
from app.cli.output import emit, iso, narrate, say, table

if TYPE_CHECKING:
    from app.deliver.deliverer import Delivered, Deliverer
    from app.settings import Workspace

STATES = ("pending", "delivered", "dead", "cancelled")
# With --watch the database is asked at least so often, in seconds: other programs decide too.
_LOOK_SECONDS = 1.0
_TURN = 1000


def register(commands: Any, common: argparse.ArgumentParser) -> None:
    """Adds the commands."""
    deliver = commands.add_parser("deliver", parents=[common], help="send verdicts to the configured sinks")
    deliver.add_argument("sink", nargs="?", metavar="SINK", help="one sink or source (default: all)")
    deliver.add_argument("--watch", action="store_true", help="go on until ctrl-c")
    deliver.add_argument("--json", action="store_true")
    deliver.set_defaults(run=_deliver)
    group = commands.add_parser("deliveries", parents=[common], help="verdicts on their way, and those that died")
    acts = group.add_subparsers(metavar="ACT", required=True)
    listed = acts.add_parser("list", parents=[common], help="deliveries, newest first")
    listed.add_argument("--state", choices=STATES)
    listed.add_argument("--sink", metavar="SINK")
    listed.add_argument("--limit", type=_count, default=50, metavar="N")
    listed.set_defaults(run=_list)
    replay = acts.add_parser("replay", parents=[common], help="try dead deliveries again, under the same ids")
    replay.add_argument("numbers", nargs="?", type=_range, metavar="N[-M]", help="a delivery or a range of them")
    replay.add_argument("--sink", metavar="SINK", help="all dead ones of a sink")
    replay.set_defaults(run=_replay)
    resume = acts.add_parser("resume", parents=[common], help="send to a stopped sink again")
    resume.add_argument("sink", metavar="SINK")
    resume.set_defaults(run=_resume)
    for command in (listed, replay, resume):
        command.add_argument("--json", action="store_true")


def _count(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 1_000_000:
        raise argparse.ArgumentTypeError("a whole number from 1 to 1000000")
    return number


def _range(text: str) -> tuple[int, int]:
    first, dash, last = text.partition("-")
    if not (first.isdecimal() and (last.isdecimal() if dash else True)) or len(text) > 37:
        raise argparse.ArgumentTypeError("a delivery's number, or a range such as 3-17")
    found = int(first), int(last or first)
    if not found[0] <= found[1] < 2**63:
        raise argparse.ArgumentTypeError("a range goes from the smaller number to the larger")
    return found


# -- deliver ------------------------------------------------------------------------------------------


def _deliver(arguments: argparse.Namespace) -> int:
    from app.deliver.deliverer import deliverer_of

    workspace = workspace_of(arguments)
    names = _names(workspace, arguments.sink)
    with opened_store(workspace) as store:
        deliverer = deliverer_of(workspace, store, names)
        try:
            return _watch(deliverer, arguments) if arguments.watch else _once(deliverer, arguments)
        finally:
            deliverer.close()


def _names(workspace: Workspace, wanted: str | None) -> list[str]:
    """The sinks that are meant. Raises BadInput for one that is not configured, or where none is."""
    from app.deliver.deliverer import sinks_of
    from app.model.errors import BadInput

    known = sinks_of(workspace.settings)
    if wanted is not None and wanted not in known:
        raise BadInput(f"There is no sink '{wanted}'. Sinks: {', '.join(known) or 'none'}.")
    if not known:
        raise BadInput("No sink is configured. [sinks.NAME] in secondlook.toml does; docs/webhooks.md says how.")
    return list(known) if wanted is None else [wanted]


def _once(deliverer: Deliverer, arguments: argparse.Namespace) -> int:
    """Everything that is due."""
    wrong = deliverer.check()
    done = deliverer.deliver()
    done.problems = wrong | done.problems
    _complain(done)
    if arguments.json:
        emit(_facts(done))
    elif done.tried or done.problems:
        say(_sentence(done))
    if done.failed or done.dead:
        return 1
    if done.problems:
        return 1 if done.sent else 5
    if not done.sent:
        narrate(
            f"Nothing is due. {done.waiting} wait for their time; `secondlook deliveries list` shows them."
            if done.waiting
            else "Nothing is to be delivered."
        )
        return 4
    return 0


def _watch(deliverer: Deliverer, arguments: argparse.Namespace) -> int:
    """Until ctrl-c. What keeps a sink from getting anything is said once, and again when it changes."""
    narrate("Delivering until ctrl-c.")
    said = deliverer.check()
    for name, text in said.items():
        narrate(f"secondlook: {name}: {text}")
    while True:
        done = deliverer.deliver(_TURN)
        fresh = {name: text for name, text in done.problems.items() if said.get(name) != text}
        said |= fresh
        if done.tried or fresh:
            if arguments.json:
                emit(_facts(done))
            else:
                done.problems = fresh
                _complain(done)
                say(_sentence(done))
        if not done.tried:
            time.sleep(max(0.05, deliverer.pause(_LOOK_SECONDS)))


def _complain(done: Delivered) -> None:
    for name, text in {**done.errors, **done.problems}.items():
        narrate(f"secondlook: {name}: {text}")


def _sentence(done: Delivered) -> str:
    return f"delivered {done.sent}, to be tried again {done.failed}, dead {done.dead}, waiting {done.waiting}"


def _facts(done: Delivered) -> dict[str, Any]:
    return {
        "delivered": done.sent,
        "failed": done.failed,
        "dead": done.dead,
        "waiting": done.waiting,
        "errors": {**done.errors, **done.problems},
    }


# -- deliveries -----------------------------------------------------------------------------------------


def _list(arguments: argparse.Namespace) -> int:
    from db import outbox

    with opened_store(workspace_of(arguments)) as store, store.read() as connection:
        found = outbox.listed(connection, arguments.state, arguments.sink, arguments.limit)
    rows = [
        {
            "number": row.delivery_id,
            "event_id": row.event_id,
            "id": row.id,
            "kind": row.kind,
            "sink": row.sink,
            "state": row.state,
            "attempts": row.attempts,
            "due_at": iso(row.due_at) if row.state == "pending" else None,
            "delivered_at": iso(row.done_at),
            "error": row.error,
        }
        for row in found
    ]
    if arguments.json:
        emit(rows)
    elif rows:
        names = ("number", "id", "kind", "sink", "state", "attempts", "due_at", "error")
        header = ("number", "id", "kind", "sink", "state", "attempts", "due", "what is wrong")
        table(header, [tuple(row[name] for name in names) for row in rows])
        if len(rows) == arguments.limit:
            narrate(f"These are the newest {len(rows)}; --limit shows more.")
    else:
        narrate("There are no such deliveries.")
    return 0


def _replay(arguments: argparse.Namespace) -> int:
    from app.desk.base import wall_clock
    from app.model.errors import BadInput
    from db import outbox

    if arguments.numbers is None and arguments.sink is None:
        raise BadInput("Say which: a delivery's number, a range such as 3-17, or --sink SINK.")
    first, last = arguments.numbers or (None, None)
    with opened_store(workspace_of(arguments)) as store, store.write() as connection:
        count = outbox.replay(connection, wall_clock(), first, last, arguments.sink)
    if arguments.json:
        emit({"replayed": count})
    if not count:
        narrate("None of these is dead, or a newer event of the same case has arrived. Nothing was changed.")
        return 4
    narrate(f"{count} are due now, under their old ids. `secondlook deliver` sends them.")
    return 0


def _resume(arguments: argparse.Namespace) -> int:
    from app.deliver.deliverer import resume
    from app.desk.base import wall_clock

    workspace = workspace_of(arguments)
    _names(workspace, arguments.sink)
    with opened_store(workspace) as store:
        was = resume(store, arguments.sink, wall_clock())
    if arguments.json:
        emit({"sink": arguments.sink, "resumed": was})
    narrate(
        f"{arguments.sink} gets its events again; what waited goes first."
        if was
        else f"{arguments.sink} was not stopped. Nothing was changed."
    )
    return 0 if was else 4
