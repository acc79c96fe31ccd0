"""Records that were not admitted."""

from __future__ import annotations

from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from db.tables import metadata
from db.upserts import insert_or

_table = metadata.tables["quarantine"]
_CHANGED = (
    *("source", "line", "code", "field", "expected", "external_id", "size", "form", "sealed", "state", "at"),
    "reference",
)


class Held(NamedTuple):
    """A quarantined record without its bytes. `state`: held, retried or discarded; `reference`: how its source knows
    it (JSON), if its source waits for the verdict."""

    quarantine_id: int
    queue: str
    source: str
    line: int
    code: str
    field: str
    expected: str
    external_id: str | None
    size: int
    form: str
    state: str
    at: int
    reference: str | None


_listed = [_table.c[name] for name in Held._fields]


def hold(connection: Connection, rows: list[dict[str, Any]]) -> None:
    """Keeps records. One that is held already is not kept twice; one that was retried or discarded is held anew."""
    if not rows:
        return
    new = insert_or(connection, _table)
    changed = {name: new.excluded[name] for name in _CHANGED}
    held_anew = new.on_conflict_do_update(
        index_elements=["queue", "digest"], set_=changed, where=_table.c.state != "held"
    )
    connection.execute(held_anew, rows)


def held(connection: Connection, queue: str | None = None, everything: bool = False) -> list[Held]:
    """What is held, oldest first; `everything` includes what was retried or discarded."""
    query = sa.select(*_listed).order_by(_table.c.quarantine_id)
    if queue:
        query = query.where(_table.c.queue == queue)
    if not everything:
        query = query.where(_table.c.state == "held")
    return [Held(*row) for row in connection.execute(query)]


def one(connection: Connection, quarantine_id: int) -> tuple[Held, bytes] | None:
    """A quarantined record and its sealed bytes."""
    row = connection.execute(
        sa.select(*_listed, _table.c.sealed).where(_table.c.quarantine_id == quarantine_id)
    ).first()
    return (Held(*row[:-1]), row[-1]) if row else None


def close(connection: Connection, quarantine_id: int, state: str) -> None:
    """Marks a record as retried or discarded and drops its bytes."""
    change = _table.update().where(_table.c.quarantine_id == quarantine_id)
    connection.execute(change.values(state=state, sealed=b""))
