"""How cases are ordered in their queues, and putting those of a queue in another order."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from app.model.words import UNTOLD
from db import search
from db.bulk import insert_many
from db.prepared import Prepared
from db.tables import metadata
from db.upserts import insert_or_update

_c = metadata.tables["cases"]
_records = metadata.tables["case_records"]
_orders = metadata.tables["queue_orders"]
_blind = Prepared(sa.select(_orders.c.blind).where(_orders.c.queue == sa.bindparam("queue")))
_placed = (
    _c.update()
    .where(_c.c.case_id == sa.bindparam("of_case"))
    .values({name: sa.bindparam(name) for name in ("priority", "due_at", "severity", "title")})
)


def blind_queues(connection: Connection) -> frozenset[str]:
    """The queues in whose order is nothing of what the model said."""
    return frozenset(connection.execute(sa.select(_orders.c.queue).where(_orders.c.blind == 1)).scalars())


def is_blind(connection: Connection, queue: str) -> bool:
    """Whether nothing of what the model said is in a queue's order."""
    row = _blind.first(connection, {"queue": queue})
    return row is not None and bool(row.blind)


def note(connection: Connection, queue: str, blind: bool, at: int) -> None:
    """Notes how the cases of a queue are in order from now on."""
    statement = insert_or_update(connection, _orders, ["queue"], ["blind", "at"])
    connection.execute(statement, {"queue": queue, "blind": int(blind), "at": at})


def misplaced(connection: Connection, queue: str, blind: bool, after: int, limit: int) -> list[Any]:
    """Cases of a queue that are in the other order, by number: `case_id`, `external_id`, `admitted_at`, `record`."""
    wrong = _c.c.severity != UNTOLD if blind else _c.c.severity == UNTOLD
    query = (
        sa.select(_c.c.case_id, _c.c.external_id, _c.c.admitted_at, _records.c.record)
        .join(_records, _records.c.case_id == _c.c.case_id)
        .where(_c.c.queue == queue, _c.c.case_id > after, wrong)
        .order_by(_c.c.case_id)
    )
    return list(connection.execute(query.limit(limit)))


def place(connection: Connection, rows: list[dict[str, Any]]) -> None:
    """Puts cases in their new places: rows of `case_id`, `priority`, `due_at`, `severity`, `title`, `search`."""
    insert_many(connection, _placed, [{**row, "of_case": row["case_id"]} for row in rows])
    for row in rows:
        search.drop(connection, row["case_id"])
    search.index(connection, rows)
