"""`pull` and `sources`: predictions from where they wait, once or for as long as one likes."""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING, Any

from app.cli.opening import opened_store, workspace_of
from app.cli.output import emit, iso, narrate, say, table

if TYPE_CHECKING:
    from app.intake.pulling import Pulling
    from app.settings import Workspace
    from db.engine import Store


def register(commands: Any, common: argparse.ArgumentParser) -> None:
    """Adds the commands."""
    pull = commands.add_parser("pull", parents=[common], help="bring predictions in from the configured sources")
    pull.add_argument("source", nargs="*", metavar="SOURCE", help="which (default: all)")
    pull.add_argument("--watch", action="store_true", help="go on until ctrl-c")
    pull.add_argument("--json", action="store_true")
    pull.set_defaults(run=_pull)
    sources = commands.add_parser("sources", parents=[common], help="how the sources are doing")
    sources.add_argument("--json", action="store_true")
    sources.set_defaults(run=_sources)


def _pull(arguments: argparse.Namespace) -> int:
    from app.intake.pulling import Pulling

    workspace = workspace_of(arguments)
    names = _names(workspace, arguments.source)
    with opened_store(workspace) as store:
        pulling = Pulling(workspace, store, names)
        try:
            return _watch(pulling, arguments) if arguments.watch else _once(pulling, arguments)
        finally:
            pulling.close()


def _names(workspace: Workspace, wanted: list[str]) -> list[str]:
    """The sources that are meant. Raises BadInput for one that is not configured, or where none is."""
    from app.model.errors import BadInput

    known = workspace.settings.sources
    for name in wanted:
        if name not in known:
            raise BadInput(f"There is no source '{name}'. Sources: {', '.join(known) or 'none'}.")
    if not known:
        raise BadInput("No source is configured. [sources.NAME] in secondlook.toml does; docs/sources.md says how.")
    return wanted or list(known)


def _once(pulling: Pulling, arguments: argparse.Namespace) -> int:
    """Everything that waits now, from one source after the other."""
    totals, failed = pulling.drain(lambda name, done: narrate(_progress(name, done)))
    for name, error in failed.items():
        narrate(f"secondlook: {name}: {error}")
    if arguments.json:
        errors = {name: {"error": str(error)} for name, error in failed.items()}
        emit({name: done.as_dict() | errors.get(name, {}) for name, done in totals.items()})
    else:
        for name, done in totals.items():
            said = f"{name}: admitted {done.admitted}, duplicates {done.duplicates}, quarantined {done.quarantined}"
            say(said)
    if failed:
        return max(error.exit_code for error in failed.values())
    return 1 if any(done.quarantined for done in totals.values()) else 0


def _watch(pulling: Pulling, arguments: argparse.Namespace) -> int:
    """Until ctrl-c; each source at its own pace, with longer pauses while it fails."""
    narrate("Pulling until ctrl-c.")
    while True:
        for name, done, error in pulling.due():
            if arguments.json:
                emit({"source": name, "error": error} if error else {"source": name, **done.as_dict()})
            elif error:
                narrate(f"{name}: {error} Next try in {pulling.wait(name):.0f} s.")
            elif done.items:
                narrate(_progress(name, done))
        time.sleep(pulling.pause())


def _progress(name: str, done: Any) -> str:
    lag = "" if done.lag is None else f", {done.lag} wait there"
    return f"{name}: {done.items} pulled, {done.admitted} admitted{lag}"


def _sources(arguments: argparse.Namespace) -> int:
    workspace = workspace_of(arguments)
    with opened_store(workspace) as store:
        rows = _health(store, workspace)
    if arguments.json:
        emit(rows)
    elif rows:
        header = ("source", "type", "queue", "state", "pulled", "waiting", "last item", "what is wrong")
        names = ("source", "type", "queue", "state", "pulled", "lag", "last_at", "error")
        table(header, [tuple(row[name] for name in names) for row in rows])
    else:
        narrate("No source is configured. [sources.NAME] in secondlook.toml does; docs/sources.md says how.")
    return 1 if any(row["state"] == "failing" for row in rows) else 0


def _health(store: Store, workspace: Workspace) -> list[dict[str, Any]]:
    from db import connections

    with store.read() as connection:
        known = {health.name: health for health in connections.health(connection, "in")}
    rows = []
    for name, settings in workspace.settings.sources.items():
        health = known.get(name)
        rows.append(
            {
                "source": name,
                "type": settings.type,
                "queue": settings.queue,
                "state": health.state if health else "never pulled",
                "since": iso(health.since) if health else None,
                "pulled": health.items if health else 0,
                "lag": health.lag if health else None,
                "last_at": iso(health.last_at) if health else None,
                "error": health.error if health else "",
            }
        )
    return rows
