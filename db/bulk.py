"""Many rows at once, without what an ORM would do to each of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import cache
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.sql.elements import ClauseElement

from db import later
from db.prepared import named_sql

# So many rows are worth a COPY.
_COPIED_FROM = 10


def insert_many(connection: Connection, statement: ClauseElement, rows: Sequence[dict[str, Any]]) -> None:
    """Runs a statement for each row. A row may hold more than the statement names; types are not converted."""
    if not rows:
        return
    if connection.dialect.name == "postgresql" and isinstance(statement, sa.Insert) and len(rows) >= _COPIED_FROM:
        copy_many(connection, statement.table.name, _columns(statement), rows)
        return
    connection.exec_driver_sql(named_sql(statement, type(cast(DefaultDialect, connection.dialect)))[0], list(rows))


@cache
def _columns(statement: sa.Insert) -> tuple[str, ...]:
    """The columns that an INSERT of plain values fills."""
    return tuple(statement.compile().params)


def copy_many(connection: Connection, table: str, columns: Sequence[str], rows: Sequence[dict[str, Any]]) -> None:
    """Rows into PostgreSQL by COPY, several times as fast as one INSERT each. What waits to be sent goes first."""
    later.flush(connection)
    driver: Any = connection.connection.dbapi_connection
    with driver.cursor() as cursor, cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row([row[name] for name in columns])


def select_many(connection: Connection, query: sa.Select[Any], chunk: int) -> Iterator[list[tuple[Any, ...]]]:
    """A query's rows in lists of at most `chunk`, as the driver gives them."""
    compiled = query.compile(dialect=connection.dialect, compile_kwargs={"render_postcompile": True})
    names = getattr(compiled, "positiontup", None)
    given = compiled.params if names is None else tuple(compiled.params[name] for name in names)
    cursor = connection.exec_driver_sql(str(compiled), given).cursor
    while cursor is not None and (rows := cursor.fetchmany(chunk)):
        yield list(rows)


def beside_the_index(connection: Connection, column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    """The column, kept from choosing SQLite's index: another index is in order and holds it already."""
    if connection.dialect.name != "sqlite":
        return column
    return sa.literal_column(f"+{column.table.name}.{column.name}", column.type)


def none_of(column: sa.Column[Any], numbers: Collection[int]) -> sa.ColumnElement[bool]:
    """Whether a column is none of some numbers, which are written out: there may be more than a statement takes
    parameters."""
    return sa.literal_column(f"{column} NOT IN ({', '.join(map(str, sorted(numbers)))})", sa.Boolean)
