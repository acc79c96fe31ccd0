"""Statements of the hot path, compiled once and given to the driver as they are.

SQLAlchemy's own execution costs 20 µs a statement, ten times what SQLite takes; a claim and a decision
together are twenty statements. These are built with SQLAlchemy like all others; only the running differs:
values are bound by name and not converted, rows come back as named tuples.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Mapping
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.elements import ClauseElement

Parameters = Mapping[str, Any]


def named_sql(statement: ClauseElement, dialect: type[DefaultDialect]) -> tuple[str, dict[str, Any]]:
    """The statement with parameters that drivers look up in a mapping (`:name` or `%(name)s`), and its own values."""
    style: Any = "named" if dialect.name == "sqlite" else "pyformat"
    compiled = statement.compile(dialect=dialect(paramstyle=style))
    return str(compiled), dict(compiled.params)


class Prepared:
    """A statement that is a module's constant."""

    def __init__(self, statement: sa.Select[Any] | sa.CompoundSelect[Any] | sa.Insert | sa.Update | sa.Delete) -> None:
        self._statement = statement
        self._by_dialect: dict[str, tuple[str, dict[str, Any]]] = {}
        columns = (
            statement.selected_columns
            if isinstance(statement, (sa.Select, sa.CompoundSelect))
            else statement.returning_column_descriptions
        )
        names = [c.name if isinstance(c, sa.ColumnElement) else c["name"] for c in columns]
        row = namedtuple("Row", names, rename=True)  # type: ignore[misc]  # named by the statement
        self._row: Callable[[Any], Any] = row._make

    def run(self, connection: Connection, parameters: Parameters) -> int:
        """Runs it; returns how many rows it touched."""
        return int(self._execute(connection, parameters).rowcount)

    def first(self, connection: Connection, parameters: Parameters) -> Any:
        """Its first row by name, or None."""
        row = self._execute(connection, parameters).fetchone()
        return None if row is None else self._row(row)

    def all(self, connection: Connection, parameters: Parameters) -> list[Any]:
        """All its rows by name."""
        return [self._row(row) for row in self._execute(connection, parameters).fetchall()]

    def _execute(self, connection: Connection, parameters: Parameters) -> Any:
        dialect = cast(DefaultDialect, connection.dialect)
        if dialect.name not in self._by_dialect:
            self._by_dialect[dialect.name] = named_sql(self._statement, type(dialect))
        sql, own = self._by_dialect[dialect.name]
        cursor = connection.connection.cursor()
        driver_error = dialect.loaded_dbapi.Error
        try:
            cursor.execute(sql, {**own, **parameters})
        except driver_error as error:
            # As SQLAlchemy reports it, so that one place explains all of them.
            raise DBAPIError.instance(sql, None, error, driver_error, dialect=dialect) from error
        return cursor
