"""SQLite: how a file is made, found, and prepared for work."""

from __future__ import annotations

import contextlib
import os
import random
import time
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.pool import ConnectionPoolEntry

# How long a writer waits for its turn before it says that the database is busy.
BUSY_SECONDS = 15.0
# How long the write-ahead log's emptying waits for those who read it.
_READERS_SECONDS = 3.0


def sqlite_url(path: Path) -> str:
    """The URL of a SQLite file."""
    return sa.URL.create("sqlite", database=str(path)).render_as_string()


def sqlite_engine(url: str) -> Engine:
    """An engine for a SQLite file, which it makes if it is missing."""
    make_private(url)
    engine = sa.create_engine(url, connect_args={"timeout": 0.02})
    sa.event.listen(engine, "connect", _prepare)
    sa.event.listen(engine, "begin", _begin)
    return engine


def make_private(url: str) -> None:
    """A new SQLite file is readable by its owner only; what SQLite puts beside it takes after it."""
    place = sa.make_url(url)
    if place.get_backend_name() == "sqlite" and place.database and place.database != ":memory:":
        with contextlib.suppress(OSError):
            os.close(os.open(place.database, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def read_only_file(url: str) -> Path | None:
    """The SQLite file behind a URL, if it is there and it or its folder may not be written."""
    place = sa.make_url(url)
    if place.get_backend_name() != "sqlite" or not place.database or place.database == ":memory:":
        return None
    path = Path(place.database)
    return path if path.exists() and not (_may_write(path) and _may_write(path.parent)) else None


def _may_write(path: Path) -> bool:
    return os.access(path, os.W_OK)


def truncate_log(engine: Engine) -> bool:
    """Empties the write-ahead log, where old pages lie; False where others keep reading it."""
    give_up = time.monotonic() + _READERS_SECONDS
    connection = engine.raw_connection()
    try:
        # Straight to the driver: a checkpoint cannot be part of a transaction.
        while True:
            busy = connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            if not busy or time.monotonic() > give_up:
                return not busy
            time.sleep(0.05)
    finally:
        connection.close()


def _prepare(connection: Any, _entry: ConnectionPoolEntry) -> None:
    # SQLAlchemy's `begin` event below opens transactions; the driver must not open its own.
    connection.isolation_level = None
    _patiently(lambda: connection.execute("PRAGMA journal_mode = WAL"))
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA secure_delete = ON")
    connection.execute("PRAGMA recursive_triggers = ON")
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute("PRAGMA cache_size = -4000")
    # A checkpoint every 16 MB of log: an import would otherwise pay one with every batch.
    connection.execute("PRAGMA wal_autocheckpoint = 4000")


def _begin(connection: Connection) -> None:
    # Straight to the driver: a transaction is one of the three costs of every act.
    execute = connection.connection.cursor().execute
    if connection.get_execution_options().get("secondlook_write"):
        _patiently(lambda: execute("BEGIN IMMEDIATE"))
    else:
        execute("BEGIN")


def _patiently(act: Any) -> None:
    """Tries until the database is free. Short random pauses keep many writers from marching in step."""
    give_up = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            act()
        except Exception as error:
            if "locked" not in str(error) or time.monotonic() > give_up:
                raise
            time.sleep(random.uniform(0.0002, 0.004))
        else:
            return
