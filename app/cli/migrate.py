"""`migrate`: an embedded workspace moves to PostgreSQL, its log whole."""

from __future__ import annotations

import argparse
import contextlib
from typing import TYPE_CHECKING, Any

from app.cli.opening import opened_store, person_of, workspace_of
from app.cli.output import emit, narrate, say

if TYPE_CHECKING:
    from pathlib import Path

    from app.settings import Workspace
    from db.engine import Store


def register(commands: Any, common: argparse.ArgumentParser) -> None:
    """Adds the command."""
    migrate = commands.add_parser("migrate", parents=[common], help="move the embedded database to PostgreSQL")
    migrate.add_argument("--to", metavar="URL", required=True, help="postgresql://USER@HOST/DATABASE, an empty one")
    migrate.add_argument("--json", action="store_true")
    migrate.set_defaults(run=_migrate)


def _migrate(arguments: argparse.Namespace) -> int:
    from app.settings import DATABASE_FILE
    from db.engine import open_store

    workspace = workspace_of(arguments)
    file = workspace.root / DATABASE_FILE
    _check(workspace, file, arguments.to)
    target = open_store(arguments.to)
    try:
        with opened_store(workspace) as source:
            counts = _move(source, target, person_of(arguments, workspace))
        return _finish(workspace, target, file, counts, arguments.json)
    finally:
        target.close()


def _check(workspace: Workspace, file: Path, url: str) -> None:
    """Raises BadInput where there is nothing to move, or nowhere to move it."""
    from app.model.errors import BadInput

    if not url.startswith(("postgresql://", "postgresql+psycopg://")):
        raise BadInput("--to wants the URL of a PostgreSQL database: postgresql://USER@HOST/DATABASE.")
    if not workspace.database_url.startswith("sqlite"):
        raise BadInput("This workspace is not embedded: SECONDLOOK_DATABASE_URL names its database. Nothing was moved.")
    workspace.check_database()


def _move(source: Store, target: Store, person: str) -> dict[str, int]:
    """Copies in one transaction on each side: nobody writes meanwhile, and nothing is there by half."""
    from app.audit import log
    from app.desk.base import wall_clock
    from app.model.errors import Refused
    from db import moving

    with source.write() as old, target.write() as new:
        if not moving.is_empty(new):
            raise Refused("The database at --to holds a log already. Nothing was moved; name an empty one.")
        counts = {}
        for name, count in moving.copy(old, new):
            counts[name] = count
            if count:
                narrate(f"{name}: {count:,}")
        log.append(new, wall_clock(), person, "moved", None, {"to": "postgresql"})
        moving.close(old)
    return counts


def _finish(workspace: Workspace, target: Store, file: Path, counts: dict[str, int], as_json: bool) -> int:
    from app.audit.verify import verify
    from app.settings import MOVED_FILE

    found = verify(target)
    aside = workspace.root / MOVED_FILE
    for suffix in ("", "-wal", "-shm"):
        # What a program that still runs has beside the file belongs to it.
        with contextlib.suppress(FileNotFoundError):
            file.with_name(file.name + suffix).rename(aside.with_name(aside.name + suffix))
    narrate(f"The embedded database takes no more acts; it lies in {aside}.")
    narrate("Set SECONDLOOK_DATABASE_URL for everyone who works on this workspace, and for the hub.")
    if as_json:
        emit({"rows": counts, "ok": found.ok, "entries": found.entries, "problems": list(found.problems)})
    else:
        whole = "whole" if found.ok else "NOT whole"
        say(f"moved {counts['cases']:,} cases and {found.entries:,} entries; the log is {whole}")
        for problem in found.problems:
            narrate(problem)
    return 0 if found.ok else 1
