"""Many rows at once, without what an ORM would do to each of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.sql.elements import ClauseElement

from db.prepared import named_sql


def insert_many(connection: Connection, statement: ClauseElement, rows: Sequence[dict[str, Any]]) -> None:
    """Runs a statement for each row. A row may hold more than the statement names; types are not converted."""
    connection.exec_driver_sql(named_sql(statement, type(cast(DefaultDialect, connection.dialect)))[0], list(rows))


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
