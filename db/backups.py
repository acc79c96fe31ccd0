"""Copies of the database, and where they are."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import cast

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from app.model.errors import BadInput, Unavailable
from db.engine import Store, open_store, readable_errors, sqlite_url
from db.tables import metadata

_backups = metadata.tables["backups"]


def back_up(store: Store, path: Path, at: int) -> None:
    """Copies the database as it is now to a new file, while others work on it, and keeps the file's place."""
    if store.engine.dialect.name != "sqlite":
        raise Unavailable("This workspace is on PostgreSQL: back it up with pg_dump. Nothing was written.")
    if path.exists():
        raise BadInput(f"{path} is there already. Nothing was written; name another file.")
    with store.write() as connection:
        connection.execute(_backups.insert(), {"path": _noted(path, _folder(connection)), "at": at})
    with readable_errors(), store.engine.connect() as connection:
        target = sqlite3.connect(path)
        try:
            source = cast(sqlite3.Connection, connection.connection.driver_connection)
            source.backup(target, pages=2000)
            # One file without companions, so that it can be copied as it is.
            target.execute("PRAGMA journal_mode = DELETE")
        finally:
            target.close()
    path.chmod(0o600)


def known(connection: Connection) -> list[tuple[Path, int]]:
    """Where backups were written, and when."""
    folder = _folder(connection)
    found = connection.execute(sa.select(_backups).order_by(_backups.c.at))
    return [(folder / row.path if folder else Path(row.path), row.at) for row in found]


def _folder(connection: Connection) -> Path | None:
    """Where the database's file lies."""
    file = connection.engine.url.database
    return Path(file).resolve().parent if file else None


def _noted(path: Path, folder: Path | None) -> str:
    """A path as it is kept: below the database's folder relative to it, so that a copied workspace means its own."""
    return str(path.relative_to(folder)) if folder and path.is_relative_to(folder) else str(path)


def opened(path: Path) -> Store:
    """A backup's store."""
    return open_store(sqlite_url(path))
