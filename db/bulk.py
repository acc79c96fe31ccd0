"""Many rows at once, without what an ORM would do to each of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from sqlalchemy.engine import Connection
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.sql.elements import ClauseElement


def insert_many(connection: Connection, statement: ClauseElement, rows: Sequence[dict[str, Any]]) -> None:
    """Runs a statement for each row. A row may hold more than the statement names; types are not converted.

    Statements are module constants: their compiled form is kept for good.
    """
    connection.exec_driver_sql(_sql(statement, type(cast(DefaultDialect, connection.dialect))), list(rows))


_compiled: dict[tuple[int, str], str] = {}


def _sql(statement: ClauseElement, dialect: type[DefaultDialect]) -> str:
    """The statement with named parameters, which drivers look up in a mapping: `:name` or `%(name)s`."""
    key = (id(statement), dialect.name)
    if key not in _compiled:
        _compiled[key] = _compile(statement, dialect)
    return _compiled[key]


def _compile(statement: ClauseElement, dialect: type[DefaultDialect]) -> str:
    style: Any = "named" if dialect.name == "sqlite" else "pyformat"
    return str(statement.compile(dialect=dialect(paramstyle=style)))
