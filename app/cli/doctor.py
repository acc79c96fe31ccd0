"""`doctor`: what is set up here, where each secret lives, and what is wrong."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from app.cli.output import emit, say
from app.model.errors import SecondlookError
from app.protect.safe_text import safe_line

if TYPE_CHECKING:
    from app.settings import Workspace
    from db.sealed import Officer

State = Literal["ok", "note", "wrong"]
# Longer logs are walked when asked for: a million entries take three seconds.
_WALKED = 200_000
_MARKS: dict[State, str] = {"ok": "✓", "note": "·", "wrong": "✗"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `wrong` makes the command end with 1."""

    what: str
    state: State
    detail: str


def register(commands: Any, common: argparse.ArgumentParser) -> None:
    """Adds the command."""
    doctor = commands.add_parser("doctor", parents=[common], help="what is set up here, and what is wrong")
    doctor.add_argument("--json", action="store_true")
    doctor.set_defaults(run=_doctor)


def _doctor(arguments: argparse.Namespace) -> int:
    findings = list(_findings(arguments))
    if arguments.json:
        emit([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            say(f"{_MARKS[finding.state]} {finding.what:18} {safe_line(finding.detail)}")
    return 1 if any(finding.state == "wrong" for finding in findings) else 0


def _findings(arguments: argparse.Namespace) -> Iterator[Finding]:
    from app import __version__
    from app.cli.opening import workspace_of

    yield Finding("secondlook", "ok", f"{__version__}, Python {sys.version.split()[0]}")
    yield from _terminal()
    yield from _keyring()
    try:
        workspace = workspace_of(arguments)
        rubrics = workspace.rubrics
    except SecondlookError as error:
        yield Finding("workspace", "wrong", str(error))
        return
    queues = ", ".join(workspace.settings.queues) or "no queue"
    yield Finding("workspace", "ok", f"{workspace.root}: {queues}; {len(rubrics)} rubrics")
    for look in (_workspace_key, _database, _officers, _backups, _policies, _connections):
        yield from _carefully(look, workspace)


def _carefully(look: Callable[[Workspace], Iterator[Finding]], workspace: Workspace) -> Iterator[Finding]:
    """What a look finds; an error is a finding too."""
    try:
        yield from look(workspace)
    except SecondlookError as error:
        yield Finding(look.__name__.strip("_").replace("_", " "), "wrong", str(error))


def _terminal() -> Iterator[Finding]:
    size = shutil.get_terminal_size()
    term, utf8 = os.environ.get("TERM", "not set"), "utf" in (sys.stdout.encoding or "").lower()
    state: State = "ok" if utf8 and (size.columns >= 60 and size.lines >= 20) else "note"
    colours = os.environ.get("COLORTERM") or ("none (NO_COLOR)" if os.environ.get("NO_COLOR") else "as TERM says")
    need = "" if state == "ok" else "; the desk wants UTF-8 and 60×20"
    yield Finding("terminal", state, f"{term}, {size.columns}×{size.lines}, {sys.stdout.encoding}, {colours}{need}")


def _keyring() -> Iterator[Finding]:
    from app import keyrings

    found = keyrings.probe()
    if found.works:
        yield Finding("keyring", "ok", f"{found.backend}: a secret that was written could be read again")
    else:
        yield Finding(
            "keyring", "note", f"none that keeps a secret ({found.backend}): not installed, locked, or broken"
        )


def _workspace_key(workspace: Workspace) -> Iterator[Finding]:
    from app.secrets import KEY_FILE, others_may_read, whereabouts

    workspace.keys()
    yield Finding("workspace key", "ok", f"in {whereabouts(workspace.root, workspace.settings.secrets.store)}")
    if others_may_read(workspace.root):
        path = workspace.root / KEY_FILE
        yield Finding("workspace key", "wrong", f"others may read {path}: chmod 600 {path}")


def _database(workspace: Workspace) -> Iterator[Finding]:
    from app.audit.verify import examine
    from db import audit
    from db.engine import open_store

    workspace.check_database()
    store = open_store(workspace.database_url)
    try:
        with store.read() as connection:
            seq, digest = audit.head(connection) or (0, b"")
            problems = examine(connection).problems if seq <= _WALKED else None
    finally:
        store.close()
    yield Finding("database", "ok", f"{store.engine.url.render_as_string(hide_password=True)}")
    said = f"{seq} entries, head {digest.hex()[:16] or 'none'}"
    if problems is None:
        yield Finding("log", "note", f"{said}; long: `secondlook audit verify` walks it")
    elif problems:
        yield Finding("log", "wrong", f"{said}; {problems[0]}; `secondlook audit verify` tells all")
    else:
        yield Finding("log", "ok", f"{said}, whole in itself; `audit verify --checkpoint` tells whether it was cut off")


def _officers(workspace: Workspace) -> Iterator[Finding]:
    from app.desk import officers
    from db.engine import open_store

    workspace.check_database()
    store = open_store(workspace.database_url)
    try:
        found = officers.officers(store)
        counts = officers.sealed_counts(store)
    finally:
        store.close()
    if not found:
        yield Finding("officers", "note", "none: withheld values are not kept. `secondlook officer setup` makes one")
    for officer in found:
        yield _officer(officer, counts.get(officer.key_id, 0))
    if len(found) == 1:
        yield Finding("officers", "note", "one key only: when it is lost, what is sealed is lost")
    waiting = [name for name, policy in workspace.settings.queues.items() if policy.reveal.approval]
    if found and len({officer.person for officer in found}) < 2 and waiting:
        queues = ", ".join(waiting)
        yield Finding("officers", "note", f"{queues}: a second officer has to approve reveals, and there is none")


def _officer(officer: Officer, cases: int) -> Finding:
    """Where an officer's private key lies, and whether it can be used from there."""
    from app import officer_key

    who = f"{officer.person}, {officer.key_id}, {cases} cases"
    where = officer_key.where(officer.key_id)
    if where is None:
        return Finding("officer", "note", f"{who}; private key not on this machine")
    if problem := officer_key.problem(officer.key_id):
        return Finding("officer", "wrong", f"{who}; {problem}")
    return Finding("officer", "ok", f"{who}; private key in {where}")


def _backups(workspace: Workspace) -> Iterator[Finding]:
    from app.cli.output import iso
    from db import backups
    from db.engine import open_store

    workspace.check_database()
    store = open_store(workspace.database_url)
    try:
        with store.read() as connection:
            found = backups.known(connection)
    finally:
        store.close()
    if not found:
        yield Finding("backups", "note", "none was made with `secondlook backup`")
        return
    path, at = found[-1]
    missing = sum(not path.exists() for path, _ in found)
    yield Finding("backups", "ok", f"{len(found)}, the newest {path} of {iso(at)}")
    if missing:
        yield Finding("backups", "note", f"{missing} are not where they were written: erasing does not reach them")


def _policies(workspace: Workspace) -> Iterator[Finding]:
    from app.protect.detect import load_detectors

    for name, policy in workspace.settings.queues.items():
        load_detectors(policy.detectors)
        approval = "by a second officer" if policy.reveal.approval else "without a second officer"
        kept = "" if policy.retain == type(policy.retain)() else "; lets go by days"
        texts = "" if policy.texts is None else f"; {len(policy.texts)} free texts allowed"
        yield Finding("queue", "ok", f"{name}: texts searched for {policy.detect}{texts}; reveal {approval}{kept}")


def _connections(workspace: Workspace) -> Iterator[Finding]:
    """Sources and sinks: whether their settings can be used, where their secrets are. Nobody is called."""
    from app.deliver.deliverer import sinks_of
    from app.deliver.sinks import open_sink
    from app.intake.sources import open_source

    root, settings = workspace.root, workspace.settings
    for name, source in settings.sources.items():
        yield from _connection(
            workspace,
            f"source {name}",
            partial(open_source, name, source, root=root),
            f"{source.type} → {source.queue}",
        )
    for name, sink in sinks_of(settings).items():
        yield from _connection(workspace, f"sink {name}", partial(open_sink, name, sink, root=root), sink.type)
    yield from _troubles(workspace)


def _troubles(workspace: Workspace) -> Iterator[Finding]:
    """Connections that fail or have stopped, and verdicts that were given up."""
    from app.cli.opening import opened_store
    from db import connections, outbox

    with opened_store(workspace) as store, store.read() as connection:
        health = connections.health(connection)
        counts = outbox.counts(connection)
    for one in health:
        what = f"{'source' if one.direction == 'in' else 'sink'} {one.name}"
        if one.state == "stopped":
            yield Finding(what, "wrong", f"{one.error} `secondlook deliveries resume {one.name}` goes on.")
        elif one.state != "ok":
            yield Finding(what, "note", f"{one.state}: {one.error}")
    for (name, state), count in counts.items():
        if state == "dead":
            listing = "`secondlook deliveries list --state dead`"
            yield Finding(f"sink {name}", "note", f"{count} verdicts were given up: {listing} says why")


def _connection(workspace: Workspace, what: str, opening: Callable[..., Any], detail: str) -> Iterator[Finding]:
    from app.connecting import secret_and_place

    places: list[str] = []

    def secrets(name: str) -> str:
        secret, place = secret_and_place(str(workspace.root), name)
        places.append(f"secret {name} {place}")
        return secret

    try:
        opening(secrets=secrets).close()
    except SecondlookError as error:
        yield Finding(what, "wrong", str(error))
    else:
        yield Finding(what, "ok", "; ".join([detail, *dict.fromkeys(places)]))
