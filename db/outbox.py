"""Events to be told, and their way to each sink.

Of one case a sink gets the events in their order: the next one is due when the one before is delivered, dead or
cancelled.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from db.prepared import Prepared
from db.tables import metadata

_outbox = metadata.tables["outbox"]
_deliveries = metadata.tables["deliveries"]
_cases = metadata.tables["cases"]
_origins = metadata.tables["origins"]

_add_event = Prepared(_outbox.insert())
_add_delivery = Prepared(_deliveries.insert())
_newest = Prepared(
    sa.select(_outbox.c.sequence, _outbox.c.event_id, _outbox.c.kind)
    .where(_outbox.c.case_id == sa.bindparam("id"))
    .order_by(_outbox.c.sequence.desc())
    .limit(1)
)


class Due(NamedTuple):
    """One delivery to make: the event's body (JSON), and what its case's source needs to find its own item."""

    delivery_id: int
    event_id: str
    sink: str
    case_id: int
    sequence: int
    kind: str
    attempts: int
    body: str
    source: str | None
    reference: str | None


class Listed(NamedTuple):
    """One delivery in a list."""

    delivery_id: int
    event_id: str
    sink: str
    id: str | None
    kind: str
    state: str
    attempts: int
    due_at: int
    error: str
    done_at: int | None


def newest(connection: Connection, case_id: int) -> Any:
    """Sequence, event_id and kind of a case's newest event, or None."""
    return _newest.first(connection, {"id": case_id})


def put(connection: Connection, event: dict[str, Any], sinks: Sequence[tuple[str, int]]) -> None:
    """Keeps an event (columns of `outbox`) and a delivery to each sink, due at the moment beside it."""
    _add_event.run(connection, event)
    for sink, due_at in sinks:
        _add_delivery.run(
            connection,
            {
                "event_id": event["event_id"],
                "sink": sink,
                "case_id": event["case_id"],
                "sequence": event["sequence"],
                "state": "pending",
                "attempts": 0,
                "due_at": due_at,
                "error": "",
                "done_at": None,
            },
        )


def cancel_unsent(connection: Connection, event_id: str) -> list[str]:
    """Cancels deliveries of an event that were never tried; returns the sinks that may have got it."""
    mine = _deliveries.c.event_id == event_id
    unsent = _deliveries.c.state.in_(["pending"]) & (_deliveries.c.attempts == 0)
    connection.execute(_deliveries.update().where(mine, unsent).values(state="cancelled"))
    query = sa.select(_deliveries.c.sink).where(mine, _deliveries.c.state != "cancelled")
    return list(connection.execute(query).scalars())


def due(connection: Connection, sink: str, now: int, limit: int) -> list[Due]:
    """Deliveries to make now, the oldest first; of a case only the next one."""
    before = _deliveries.alias()
    waits = sa.exists().where(
        before.c.case_id == _deliveries.c.case_id,
        before.c.sink == _deliveries.c.sink,
        before.c.sequence < _deliveries.c.sequence,
        before.c.state == "pending",
    )
    query: sa.Select[Any] = (
        sa.select(
            _deliveries.c.delivery_id,
            _deliveries.c.event_id,
            _deliveries.c.sink,
            _deliveries.c.case_id,
            _deliveries.c.sequence,
            _outbox.c.kind,
            _deliveries.c.attempts,
            _outbox.c.body,
            _origins.c.source,
            _origins.c.reference,
        )
        .join(_outbox, _outbox.c.event_id == _deliveries.c.event_id)
        .outerjoin(_origins, _origins.c.case_id == _deliveries.c.case_id)
        .where(_deliveries.c.sink == sink, _deliveries.c.state == "pending", _deliveries.c.due_at <= now, ~waits)
        .order_by(_deliveries.c.due_at, _deliveries.c.delivery_id)
        .limit(limit)
    )
    return [Due(*row) for row in connection.execute(query)]


def take(connection: Connection, delivery_ids: Sequence[int], until: int) -> None:
    """Counts an attempt, and keeps others from making these deliveries until a moment."""
    change = _deliveries.update().where(_deliveries.c.delivery_id.in_(list(delivery_ids)))
    connection.execute(change.values(due_at=until, attempts=_deliveries.c.attempts + 1))


def done(connection: Connection, delivery_ids: Sequence[int], now: int) -> None:
    """Notes that deliveries arrived."""
    change = _deliveries.update().where(_deliveries.c.delivery_id.in_(list(delivery_ids)))
    connection.execute(change.values(state="delivered", done_at=now, error=""))


def failed(connection: Connection, delivery_id: int, error: str, due_at: int | None) -> None:
    """Notes that a delivery failed, to be tried again at a moment; None: it is dead."""
    change = _deliveries.update().where(_deliveries.c.delivery_id == delivery_id)
    values: dict[str, Any] = {"error": error[:1000]}
    values |= {"state": "dead"} if due_at is None else {"due_at": due_at}
    connection.execute(change.values(values))


def next_due(connection: Connection, sinks: Sequence[str]) -> int | None:
    """When the next delivery to these sinks is due."""
    query = sa.select(sa.func.min(_deliveries.c.due_at)).where(
        _deliveries.c.sink.in_(list(sinks)), _deliveries.c.state == "pending"
    )
    return connection.execute(query).scalar()


def listed(connection: Connection, state: str | None, sink: str | None, limit: int) -> list[Listed]:
    """Deliveries, newest first."""
    query: sa.Select[Any] = (
        sa.select(
            _deliveries.c.delivery_id,
            _deliveries.c.event_id,
            _deliveries.c.sink,
            _cases.c.external_id,
            _outbox.c.kind,
            _deliveries.c.state,
            _deliveries.c.attempts,
            _deliveries.c.due_at,
            _deliveries.c.error,
            _deliveries.c.done_at,
        )
        .join(_outbox, _outbox.c.event_id == _deliveries.c.event_id)
        .outerjoin(_cases, _cases.c.case_id == _deliveries.c.case_id)
        .order_by(_deliveries.c.delivery_id.desc())
        .limit(limit)
    )
    if state:
        query = query.where(_deliveries.c.state == state)
    if sink:
        query = query.where(_deliveries.c.sink == sink)
    return [Listed(*row) for row in connection.execute(query)]


def replay(connection: Connection, now: int, first: int | None, last: int | None, sink: str | None) -> int:
    """Makes dead deliveries pending again, by number or by sink; returns how many."""
    change = _deliveries.update().where(_deliveries.c.state == "dead")
    if first is not None:
        change = change.where(_deliveries.c.delivery_id.between(first, first if last is None else last))
    if sink:
        change = change.where(_deliveries.c.sink == sink)
    return connection.execute(change.values(state="pending", attempts=0, due_at=now, error="")).rowcount


def counts(connection: Connection) -> dict[tuple[str, str], int]:
    """How many deliveries each sink has in each state."""
    query = sa.select(_deliveries.c.sink, _deliveries.c.state, sa.func.count()).group_by(
        _deliveries.c.sink, _deliveries.c.state
    )
    return {(row[0], row[1]): row[2] for row in connection.execute(query)}
