"""`erase`, `retain`, `backup`: letting go of what is kept, and keeping copies."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.cli.opening import line_desk, opened_store, person_of, workspace_of
from app.cli.output import emit, iso, narrate, say, table

if TYPE_CHECKING:
    from app.desk.erasing import Erased, Plan
    from app.secrets import Keys
    from app.settings import Workspace


def register(commands: Any, common: argparse.ArgumentParser) -> None:
    """Adds the commands."""
    erase = commands.add_parser("erase", parents=[common], help="erase a subject or a case, everywhere")
    erase.add_argument("id", nargs="?", metavar="ID", help="one prediction, in all its revisions")
    erase.add_argument("--subject", metavar="S", help="everything of a subject, as the records name it; - for stdin")
    erase.add_argument("--queue", metavar="Q")
    erase.add_argument("--dry-run", action="store_true", help="say what would go")
    erase.add_argument("--yes", action="store_true", help="do not ask")
    erase.add_argument("--even-if-held", action="store_true", help="also what somebody is reviewing now")
    erase.add_argument("--finish", action="store_true", help="only empty SQLite's write-ahead log")
    erase.add_argument("--json", action="store_true")
    erase.set_defaults(run=_erase)
    retain = commands.add_parser("retain", parents=[common], help="let go of what the queues' policies keep no longer")
    retain.add_argument("--dry-run", action="store_true", help="say what would go")
    retain.add_argument("--json", action="store_true")
    retain.set_defaults(run=_retain)
    backup = commands.add_parser("backup", parents=[common], help="copy the database while others work on it")
    backup.add_argument("file", nargs="?", metavar="FILE", help="default: backups/secondlook-TIME.db in the workspace")
    backup.add_argument("--json", action="store_true")
    backup.set_defaults(run=_backup)


def _erase(arguments: argparse.Namespace) -> int:
    from app.desk import erasing
    from app.desk.base import wall_clock
    from app.model.errors import BadInput

    workspace = workspace_of(arguments)
    if arguments.finish:
        with opened_store(workspace) as store:
            erasing.finish(store)
        narrate("The write-ahead log is empty.")
        return 0
    if (arguments.id is None) == (arguments.subject is None):
        raise BadInput("Name either one prediction's ID or a --subject. Nothing was erased.")
    keys = _keys(arguments, workspace)
    plan = _plan(arguments, workspace, keys)
    with opened_store(workspace) as store:
        copies = erasing.copies(store)
    if arguments.dry_run:
        _tell_plan(plan, copies, arguments.json)
        return 0
    if not arguments.yes:
        _confirm(plan, copies)
    with opened_store(workspace) as store:
        person = person_of(arguments, workspace)
        done = erasing.erase(store, keys, plan, person, wall_clock(), arguments.even_if_held)
    _tell(done, plan, arguments.json)
    return 1 if done.unreached else 0


def _keys(arguments: argparse.Namespace, workspace: Workspace) -> Keys | None:
    """The workspace's keys; one prediction can be erased without them."""
    from app.model.errors import Unavailable

    try:
        return workspace.keys()
    except Unavailable:
        if arguments.subject is not None:
            raise
        return None


def _plan(arguments: argparse.Namespace, workspace: Workspace, keys: Keys | None) -> Plan:
    from app.desk import erasing

    if arguments.id is not None:
        with line_desk(arguments) as desk:
            case_id = desk.find(arguments.id, arguments.queue)
        with opened_store(workspace) as store:
            return erasing.plan_case(store, case_id)
    # From standard input a subject does not end up in the shell's history.
    subject = sys.stdin.readline().rstrip("\r\n") if arguments.subject == "-" else arguments.subject
    assert keys is not None  # by _keys, for a subject
    with opened_store(workspace) as store:
        plan = erasing.plan_subject(store, keys, subject)
    if arguments.queue:
        plan.cases = [case for case in plan.cases if case.queue == arguments.queue]
    return plan


def _confirm(plan: Plan, copies: list[Path]) -> None:
    from app.model.errors import BadInput

    if not sys.stdin.isatty():
        raise BadInput("Erasing cannot be undone: look with --dry-run, then add --yes. Nothing was erased.")
    _tell_plan(plan, copies, as_json=False)
    narrate(f"This cannot be undone. Type the number of cases ({len(plan.cases)}) to erase them:")
    if sys.stdin.readline().strip() != str(len(plan.cases)):
        raise BadInput("Nothing was erased.")


def _tell_plan(plan: Plan, copies: list[Path], as_json: bool) -> None:
    if as_json:
        emit(
            {
                "cases": [{"id": c.external_id, "queue": c.queue, "revision": c.revision} for c in plan.cases],
                "quarantined": len(plan.quarantined),
                "exports": [_export(export) for export in plan.datasets],
                "backups": [str(path) for path in copies],
            }
        )
        return
    table(("id", "queue", "state", "held by"), [(c.external_id, c.queue, c.state, c.holder) for c in plan.cases])
    narrate(f"{len(plan.cases)} cases and {len(plan.quarantined)} quarantined records would go.")
    for export in plan.datasets:
        narrate(f"In a dataset already: {export.folder}/{export.file}, written {iso(export.at)}.")
    for path in copies:
        narrate(f"Erased there as well: {path}" + ("" if path.exists() else ", which is not there any more"))


def _tell(done: Erased, plan: Plan, as_json: bool) -> None:
    if as_json:
        emit(
            {
                "cases": done.cases,
                "reviews": done.reviews,
                "quarantined": done.quarantined,
                "backups": done.backups,
                "exports": [_export(export) for export in plan.datasets],
                "retracted": [_export(export) for export in done.retracted],
                "unreached": done.unreached,
            }
        )
    else:
        say(
            f"erased: {done.cases} cases, {done.reviews} reviews, {done.quarantined} quarantined records; "
            f"{done.backups} backups changed"
        )
    for export in done.retracted:
        narrate(f"{export.folder}/retractions.jsonl says which rows of {export.file} must not be used any more.")
    for problem in done.unreached:
        narrate(problem)
    narrate("Copies that others made (of datasets, backups, the imported files) are not ours to reach.")


def _export(export: Any) -> dict[str, Any]:
    return {"folder": export.folder, "file": export.file, "sha256": export.sha256, "at": iso(export.at)}


def _retain(arguments: argparse.Namespace) -> int:
    from app.desk import retaining
    from app.desk.base import wall_clock

    workspace = workspace_of(arguments)
    policies = workspace.settings.queues
    with opened_store(workspace) as store:
        if arguments.dry_run:
            found = retaining.due(store, policies, wall_clock())
        else:
            person = person_of(arguments, workspace)
            found = retaining.retain(store, workspace.keys(), policies, person, wall_clock())
            if any(let.anything for let in found) and not store.truncate_log():
                narrate("Others have the database open: old pages go with `secondlook erase --finish` later.")
    rows = [{"queue": f.queue, "cases": f.cases, "sealed": f.sealed, "quarantined": f.quarantined} for f in found]
    if arguments.json:
        emit({"dry_run": arguments.dry_run, "queues": rows})
    elif rows:
        table(("queue", "settled cases", "sealed values of cases", "quarantined"), [tuple(r.values()) for r in rows])
    if not rows:
        narrate("No queue's policy lets go of anything. `retain = { settled_days = 365 }` in secondlook.toml does.")
    elif arguments.dry_run:
        narrate("Nothing was changed; without --dry-run this goes.")
    return 0


def _backup(arguments: argparse.Namespace) -> int:
    from app.desk.base import wall_clock
    from db import backups

    workspace = workspace_of(arguments)
    now = wall_clock()
    moment = datetime.fromtimestamp(now / 1000, UTC).strftime("%Y%m%dT%H%M%SZ")
    default = workspace.root / "backups" / f"secondlook-{moment}.db"
    path = Path(arguments.file).expanduser().resolve() if arguments.file else default
    path.parent.mkdir(parents=True, exist_ok=True)
    with opened_store(workspace) as store:
        backups.back_up(store, path, now)
    if arguments.json:
        emit({"file": str(path), "bytes": path.stat().st_size})
    else:
        say(str(path))
    narrate(
        "The workspace key is not in it: keep that elsewhere. `secondlook erase` reaches this copy while it lies here."
    )
    return 0
