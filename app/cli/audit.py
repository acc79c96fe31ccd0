"""`audit`: the log, and whether it is whole."""

from __future__ import annotations

import argparse
from typing import Any

from app.cli.opening import opened_store, workspace_of
from app.cli.output import emit, iso, narrate, say, table


def register(commands: Any, common: argparse.ArgumentParser) -> None:
    """Adds the commands."""
    audit = commands.add_parser("audit", help="the log of what was done")
    acts = audit.add_subparsers(metavar="ACT", required=True)
    verify = acts.add_parser("verify", parents=[common], help="is the log whole, do the reviews agree with it?")
    verify.add_argument("--json", action="store_true")
    verify.set_defaults(run=_verify)
    log = acts.add_parser("log", parents=[common], help="print entries")
    log.add_argument("--after", type=int, default=0, metavar="SEQ")
    log.add_argument("--limit", type=int, default=None, metavar="N")
    log.add_argument("--json", action="store_true")
    log.set_defaults(run=_log)


def _verify(arguments: argparse.Namespace) -> int:
    from app.audit.verify import verify

    with opened_store(workspace_of(arguments)) as store:
        found = verify(store)
    if arguments.json:
        emit(
            {
                "ok": found.ok,
                "entries": found.entries,
                "reviews": found.reviews,
                "head": found.head,
                "problems": list(found.problems),
            }
        )
    elif found.ok:
        say(f"whole: {found.entries} entries, {found.reviews} reviews, head {found.head}")
        narrate("Keep the head elsewhere: only that shows whether the end was cut off later.")
    else:
        for problem in found.problems:
            say(problem)
        narrate(f"The log or the reviews were changed: {len(found.problems)} problems.")
    return 0 if found.ok else 1


def _log(arguments: argparse.Namespace) -> int:
    import orjson

    from db import audit

    with opened_store(workspace_of(arguments)) as store, store.read() as connection:
        rows = []
        for entry in audit.entries(connection, arguments.after, arguments.limit):
            data = orjson.loads(entry.body)["data"]
            if arguments.json:
                emit({"seq": entry.seq, "at": iso(entry.at), "actor": entry.actor, "action": entry.action,
                      "case_id": entry.case_id, "data": data, "hash": entry.hash.hex()})  # fmt: skip
            else:
                detail = " ".join(f"{key}={str(value)[:40]}" for key, value in data.items())
                rows.append((entry.seq, iso(entry.at), entry.actor, entry.action, entry.case_id, detail))
    if rows:
        table(("seq", "at", "who", "did", "case", "detail"), rows)
    return 0
