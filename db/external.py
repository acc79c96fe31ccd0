"""Databases of others: a query that gives rows, and statements that tell what became of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from app.model.errors import SettingsError, Unavailable


class ExternalDatabase:
    """A database at an SQLAlchemy URL. Nothing is created or changed in it but by the statements that are given."""

    def __init__(self, url: str) -> None:
        try:
            self._engine = sa.create_engine(url, pool_pre_ping=True)
            file = self._engine.url.database if self._engine.dialect.name == "sqlite" else None
            if file and not file.startswith((":memory:", "file:")) and not Path(file).exists():
                raise SettingsError(f"There is no database {file}. Nothing was made in its place.")
        except (ArgumentError, NoSuchModuleError, ImportError) as error:
            raise SettingsError(f"The database's url cannot be used: {error}.") from None

    def rows(self, query: str, parameters: Mapping[str, Any], limit: int) -> list[dict[str, Any]]:
        """At most `limit` rows, with values as JSON knows them: dates and decimals become text."""
        try:
            with self._engine.connect() as connection:
                result = connection.execute(*_bound(query, parameters))
                found = [dict(row) for row in result.mappings().fetchmany(limit)]
        except SQLAlchemyError as error:
            raise _said(error, query) from None
        return [orjson.loads(orjson.dumps(row, default=_as_text)) for row in found]

    def run(self, statement: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Runs a statement for each mapping of parameters, all or nothing."""
        try:
            with self._engine.begin() as connection:
                for row in rows:
                    connection.execute(*_bound(statement, row))
        except SQLAlchemyError as error:
            raise _said(error, statement) from None

    def close(self) -> None:
        """Closes its connections."""
        self._engine.dispose()


def _bound(text: str, parameters: Mapping[str, Any]) -> tuple[sa.TextClause, dict[str, Any]]:
    """A statement, and those parameters that it names."""
    statement = sa.text(text)
    named = statement.compile().params
    return statement, {name: value for name, value in parameters.items() if name in named}


def _as_text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _said(error: SQLAlchemyError, statement: str) -> Unavailable:
    reason = str(getattr(error, "orig", None) or error).splitlines()[0].partition(" (Background on")[0]
    return Unavailable(f"The database answered: {reason}. The statement was: {' '.join(statement.split())[:200]}")
