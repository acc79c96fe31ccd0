"""Statements of the hot path, compiled once and given to the driver as they are.

SQLAlchemy's own execution costs 20 µs a statement, ten times what SQLite takes; a claim and a decision
together are twenty statements. These are built with SQLAlchemy like all others; only the running differs:
values are bound by name and not converted, rows come back as named tuples.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, cast

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.sql.elements import ClauseElement

from db import later

Parameters = Mapping[str, Any]


def named_sql(statement: ClauseElement, dialect: type[DefaultDialect]) -> tuple[str, dict[str, Any]]:
    """The statement with parameters that drivers look up in a mapping (`:name` or `%(name)s`), and its own values."""
    style: Any = "named" if dialect.name == "sqlite" else "pyformat"
    compiled = statement.compile(dialect=dialect(paramstyle=style))
    return str(compiled), dict(compiled.params)


class _Compiled(NamedTuple):
    """A statement for one database: its own values, and the order in which a server wants them (None: by name)."""

    sql: str
    own: dict[str, Any]
    order: tuple[str, ...] | None

    def bound(self, parameters: Parameters) -> Any:
        """The values as the driver takes them."""
        values = {**self.own, **parameters}
        return values if self.order is None else [values[name] for name in self.order]


def _compiled(statement: ClauseElement, dialect: type[DefaultDialect]) -> _Compiled:
    if dialect.name == "sqlite":
        return _Compiled(*named_sql(statement, dialect), None)
    # The server's own places ($1): nothing is left for the driver to look for in the text.
    compiled: Any = statement.compile(dialect=dialect(paramstyle="numeric_dollar"))
    return _Compiled(str(compiled), dict(compiled.params), tuple(compiled.positiontup))


class Prepared:
    """A statement that is a module's constant."""

    def __init__(self, statement: sa.Select[Any] | sa.CompoundSelect[Any] | sa.Insert | sa.Update | sa.Delete) -> None:
        self._statement = statement
        self._by_dialect: dict[str, _Compiled] = {}
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

    def last(self, connection: Connection, parameters: Parameters) -> Any:
        """Its first row by name, or None. On a server the transaction ends with it: nothing may follow in it."""
        row = self._execute(connection, parameters, last=True).fetchone()
        return None if row is None else self._row(row)

    def all(self, connection: Connection, parameters: Parameters) -> list[Any]:
        """All its rows by name."""
        return [self._row(row) for row in self._execute(connection, parameters).fetchall()]

    def put(self, connection: Connection, parameters: Parameters) -> None:
        """Runs it, without an answer: on a server it travels with the next statement, and what is wrong with it is
        raised there, at the latest with the commit."""
        if later.travels(connection):
            compiled = self._for(connection)
            later.put(connection, compiled.sql, compiled.bound(parameters))
        else:
            self._execute(connection, parameters)

    def _execute(self, connection: Connection, parameters: Parameters, last: bool = False) -> Any:
        compiled = self._for(connection)
        return later.execute(connection, compiled.sql, compiled.bound(parameters), last)

    def _for(self, connection: Connection) -> _Compiled:
        dialect = cast(DefaultDialect, connection.dialect)
        if dialect.name not in self._by_dialect:
            self._by_dialect[dialect.name] = _compiled(self._statement, type(dialect))
        return self._by_dialect[dialect.name]
