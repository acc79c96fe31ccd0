"""Statements whose answers nobody waits for: on a server they travel together with the next one that is waited for.

A journey to a server costs more than most statements. What is put here is carried out in its order, before anything
else on its connection, at the latest with the commit; what is wrong with it is raised there. SQLite is no journey away.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.exc import DBAPIError

_KEY = "secondlook_later"
# Where a connection keeps number and hash of the log's newest entry during an act; empty: there is none.
LOG_HEAD = "secondlook_log_head"
Values = Mapping[str, Any] | Sequence[Any]


def travels(connection: Connection) -> bool:
    """Whether this connection goes to a server."""
    return connection.dialect.name == "postgresql"


def put(connection: Connection, sql: str, parameters: Values) -> None:
    """Keeps a statement for the next journey."""
    connection.info.setdefault(_KEY, []).append((sql, parameters))


def execute(connection: Connection, sql: str, parameters: Values = ()) -> Any:
    """Runs what was put here, then a statement; returns the cursor of the latter. All of it is one journey.

    On a server the statement has numbered places ($1).
    """
    before: list[tuple[str, Values]] = connection.info.pop(_KEY, [])
    driver: Any = connection.connection.dbapi_connection
    dialect = cast(DefaultDialect, connection.dialect)
    cursor_of = _cursor_of(connection)
    try:
        if not before:
            cursor = cursor_of(driver)
            cursor.execute(sql, parameters)
            return cursor
        with driver.pipeline():
            for earlier, given in before:
                cursor_of(driver).execute(earlier, given)
            cursor = cursor_of(driver)
            cursor.execute(sql, parameters)
    except dialect.loaded_dbapi.Error as error:
        # As SQLAlchemy reports it, so that one place explains all of them.
        raise DBAPIError.instance(sql, None, error, dialect.loaded_dbapi.Error, dialect=dialect) from error
    return cursor


def _cursor_of(connection: Connection) -> Callable[[Any], Any]:
    """What makes a cursor on the driver's connection."""
    if not travels(connection):
        return lambda driver: driver.cursor()
    from psycopg import RawCursor

    return RawCursor


def flush(connection: Connection) -> None:
    """Sends what was put here now."""
    if connection.info.get(_KEY):
        execute(connection, "SELECT 1")


def forget(connection: Connection) -> None:
    """Drops what was put here: its transaction is over."""
    connection.info.pop(_KEY, None)


def listen(engine: Engine) -> None:
    """Sees to it that SQLAlchemy's own statements, and the end of a transaction, take along what was put here."""

    def before_statement(connection: Connection, *_more: Any) -> None:
        flush(connection)

    def commit(connection: Connection) -> None:
        # The driver's own commit, which follows, finds the transaction closed and does nothing.
        if connection.info.get(_KEY):
            execute(connection, "COMMIT")

    sa.event.listen(engine, "before_cursor_execute", before_statement)
    sa.event.listen(engine, "commit", commit)
    sa.event.listen(engine, "rollback", forget)
