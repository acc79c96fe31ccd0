"""INSERT … ON CONFLICT, which every database here has and SQLAlchemy spells per database."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection


def insert_or(connection: Connection, table: sa.Table) -> Any:
    """An INSERT into the table that knows `on_conflict_do_update` and `on_conflict_do_nothing`."""
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as postgresql_insert

        return postgresql_insert(table)
    from sqlalchemy.dialects.sqlite import insert as sqlite_insert

    return sqlite_insert(table)


def insert_or_update(connection: Connection, table: sa.Table, key: list[str], columns: list[str]) -> Any:
    """An INSERT that puts the new values of `columns` in place of the old ones where the key is there already."""
    new = insert_or(connection, table)
    return new.on_conflict_do_update(index_elements=key, set_={name: new.excluded[name] for name in columns})
