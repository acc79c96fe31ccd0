"""Statements whose answers nobody waits for: on a server they travel together with the next one that is waited for.

A journey to a server costs more than most statements. What is put here is carried out in its order, before anything
else on its connection, at the latest with the commit; what is wrong with it is raised there. SQLite is no journey away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, cast

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.exc import DBAPIError

_KEY = "secondlook_later"
_OVER = "secondlook_over"
# Where a connection keeps number and hash of the log's newest entry during an act; empty: there is none.
LOG_HEAD = "secondlook_log_head"
Values = Mapping[str, Any] | Sequence[Any]


class _Statement(NamedTuple):
    sql: str
    parameters: Values
    taken: Callable[[Any], None] | None


def _left_to_the_caller(_cursor: Any) -> None:
    """For a statement whose answer the caller takes from its cursor."""


def travels(connection: Connection) -> bool:
    """Whether this connection goes to a server."""
    return connection.dialect.name == "postgresql"


def begin(connection: Connection) -> None:
    """A transaction begins: nothing is left of the one before."""
    for key in (_KEY, _OVER, LOG_HEAD):
        connection.info.pop(key, None)


def put(connection: Connection, sql: str, parameters: Values = (), taken: Callable[[Any], None] | None = None) -> None:
    """Keeps a statement for the next journey; `taken` gets its cursor after that."""
    _check_open(connection)
    connection.info.setdefault(_KEY, []).append(_Statement(sql, parameters, taken))


def execute(connection: Connection, sql: str, parameters: Values = (), last: bool = False) -> Any:
    """Runs what was put here, then a statement; returns the cursor of the latter. All of it is one journey.

    On a server the statement has numbered places ($1). `last`: the transaction is committed with it; nothing may
    follow in it.
    """
    _check_open(connection)
    before: list[_Statement] = connection.info.pop(_KEY, [])
    after = [_Statement("COMMIT", (), None)] if last and travels(connection) else []
    with _explained(connection, sql):
        if not before and not after:
            cursor = _cursor_of(connection)(_driver(connection))
            cursor.execute(sql, parameters)
            return cursor
        cursor = _journey(connection, [*before, _Statement(sql, parameters, _left_to_the_caller), *after])[len(before)]
    if after:
        connection.info[_OVER] = True
    return cursor


def flush(connection: Connection) -> None:
    """Sends what was put here now."""
    before: list[_Statement] = connection.info.pop(_KEY, [])
    if before:
        with _explained(connection, before[-1].sql):
            _journey(connection, before)


def _journey(connection: Connection, statements: Sequence[_Statement]) -> list[Any]:
    """Runs statements, all in one journey to the server; their cursors. Those whose answers nobody takes share one."""
    driver, make = _driver(connection), _cursor_of(connection)
    shared = make(driver)
    cursors = [shared if statement.taken is None else make(driver) for statement in statements]
    with driver.pipeline():
        for statement, cursor in zip(statements, cursors, strict=True):
            cursor.execute(statement.sql, statement.parameters)
    for statement, cursor in zip(statements, cursors, strict=True):
        if statement.taken is not None:
            statement.taken(cursor)
    return cursors


@contextmanager
def _explained(connection: Connection, sql: str) -> Iterator[None]:
    """Errors as SQLAlchemy reports them, so that one place explains all of them."""
    dialect = cast(DefaultDialect, connection.dialect)
    try:
        yield
    except dialect.loaded_dbapi.Error as error:
        raise DBAPIError.instance(sql, None, error, dialect.loaded_dbapi.Error, dialect=dialect) from error


def _check_open(connection: Connection) -> None:
    if connection.info.get(_OVER):
        raise RuntimeError("A statement came after the last one of its transaction.")


def _driver(connection: Connection) -> Any:
    return connection.connection.dbapi_connection


def _cursor_of(connection: Connection) -> Callable[[Any], Any]:
    """What makes a cursor on the driver's connection."""
    if not travels(connection):
        return lambda driver: driver.cursor()
    from psycopg import RawCursor

    return RawCursor


def listen(engine: Engine) -> None:
    """Sees to it that SQLAlchemy's own statements, and the end of a transaction, take along what was put here."""

    def before_statement(connection: Connection, *_more: Any) -> None:
        _check_open(connection)
        flush(connection)

    def commit(connection: Connection) -> None:
        # The driver's own commit, which follows, finds the transaction closed and does nothing.
        if connection.info.get(_KEY):
            execute(connection, "COMMIT")

    def rollback(connection: Connection) -> None:
        # What a broken connection was to do is gone with it; SQLAlchemy refuses to look there.
        if not connection.invalidated:
            begin(connection)

    sa.event.listen(engine, "before_cursor_execute", before_statement)
    sa.event.listen(engine, "commit", commit)
    sa.event.listen(engine, "rollback", rollback)
