"""How sources and sinks are doing, where a source goes on, and where cases came from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from db.bulk import insert_many
from db.tables import metadata

_connections = metadata.tables["connections"]
_origins = metadata.tables["origins"]
_add_origin = _origins.insert().values({column.name: sa.bindparam(column.name) for column in _origins.columns})


class Health(NamedTuple):
    """How one connection is doing. `lag`: how many items wait at the source, None where it does not say."""

    name: str
    direction: str
    state: str
    error: str
    since: int
    cursor: str
    last_at: int | None
    items: int
    lag: int | None


def health(connection: Connection, direction: str | None = None) -> list[Health]:
    """All connections that were ever used, by name."""
    query = sa.select(_connections).order_by(_connections.c.direction, _connections.c.name)
    if direction:
        query = query.where(_connections.c.direction == direction)
    return [Health(*row) for row in connection.execute(query)]


def one(connection: Connection, name: str, direction: str) -> Health | None:
    """How one connection is doing."""
    row = connection.execute(
        sa.select(_connections).where(_connections.c.name == name, _connections.c.direction == direction)
    ).first()
    return Health(*row) if row else None


def note(
    connection: Connection,
    name: str,
    direction: str,
    now: int,
    state: str = "ok",
    error: str = "",
    items: int = 0,
    cursor: str | None = None,
    lag: int | None = None,
) -> None:
    """Notes how a connection did: `items` more of them; without a `cursor` it stays where it is."""
    before = one(connection, name, direction)
    values = {
        "state": state,
        "error": error[:1000],
        "since": before.since if before and before.state == state else now,
        "cursor": cursor if cursor is not None else before.cursor if before else "",
        "last_at": now if items else before.last_at if before else None,
        "items": (before.items if before else 0) + items,
        "lag": lag,
    }
    if before is None:
        connection.execute(_connections.insert(), {"name": name, "direction": direction, **values})
        return
    mine = (_connections.c.name == name) & (_connections.c.direction == direction)
    connection.execute(_connections.update().where(mine).values(values))


def keep_origins(connection: Connection, rows: Sequence[dict[str, object]]) -> None:
    """Keeps where cases came from: `case_id`, `source`, `reference`."""
    if rows:
        insert_many(connection, _add_origin, rows)


def origins(connection: Connection, case_ids: Iterable[int]) -> dict[int, tuple[str, str]]:
    """Source and reference of cases, where they have one."""
    query = sa.select(_origins).where(_origins.c.case_id.in_(list(case_ids)))
    return {row.case_id: (row.source, row.reference) for row in connection.execute(query)}
