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
_add_delivery = Prepared(
    _deliveries.insert().values({c.name: sa.bindparam(c.name) for c in _deliveries.columns if not c.primary_key})
)
_newest = Prepared(
    sa.select(_outbox.c.sequence, _outbox.c.event_id, _outbox.c.kind)
    .where(_outbox.c.case_id == sa.bindparam("id"))
    .order_by(_outbox.c.sequence.desc())
    .limit(1)
)


# An earlier event of the same case, on its way to the same sink.
_before = _deliveries.alias()
_waits = sa.exists().where(
    _before.c.case_id == _deliveries.c.case_id,
    _before.c.sink == _deliveries.c.sink,
    _before.c.sequence < _deliveries.c.sequence,
    _before.c.state == "pending",
)
_next = (_deliveries.c.sink == sa.bindparam("sink")) & (_deliveries.c.state == sa.literal_column("'pending'")) & ~_waits
_due = Prepared(
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
    .where(_next, _deliveries.c.due_at <= sa.bindparam("now"))
    .order_by(_deliveries.c.due_at, _deliveries.c.delivery_id)
    .limit(sa.bindparam("most"))
)
_next_due = Prepared(sa.select(_deliveries.c.due_at).where(_next).order_by(_deliveries.c.due_at).limit(1))
_this = _deliveries.update().where(_deliveries.c.delivery_id == sa.bindparam("id"))
_take = Prepared(_this.values(due_at=sa.bindparam("until"), attempts=_deliveries.c.attempts + 1))
_done = Prepared(
    _this.where(sa.or_(_deliveries.c.state == "pending", _deliveries.c.state == "dead")).values(
        state="delivered", done_at=sa.bindparam("now"), error=""
    )
)
# What one attempt has to say counts only while no other was begun.
_tried = _this.where(_deliveries.c.state == "pending", _deliveries.c.attempts == sa.bindparam("attempt"))
_give_back = Prepared(_tried.values(due_at=sa.bindparam("until"), attempts=_deliveries.c.attempts - 1))
_put_off = Prepared(_tried.values(due_at=sa.bindparam("until"), error=sa.bindparam("why")))
_bury = Prepared(_tried.values(state="dead", error=sa.bindparam("why")))


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
    _add_event.put(connection, event)
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
    """Cancels deliveries of an event that were never tried; returns the sinks that may have got it.

    An attempt is counted before anything is sent, in a transaction of its own: what has none now is not on its way,
    and nobody can take it once it is cancelled. A replayed delivery begins to count anew but keeps its error.
    """
    mine = _deliveries.c.event_id == event_id
    never_tried = (_deliveries.c.state == "pending") & (_deliveries.c.attempts == 0) & (_deliveries.c.error == "")
    connection.execute(_deliveries.update().where(mine, never_tried).values(state="cancelled"))
    query = sa.select(_deliveries.c.sink).where(mine, _deliveries.c.state != "cancelled")
    return list(connection.execute(query).scalars())


def due(connection: Connection, sink: str, now: int, limit: int) -> list[Due]:
    """Deliveries to make now, the oldest first; of a case only the next one."""
    return [Due(*row) for row in _due.all(connection, {"sink": sink, "now": now, "most": limit})]


def take(connection: Connection, delivery_ids: Sequence[int], until: int) -> None:
    """Counts an attempt, and keeps others from making these deliveries until a moment."""
    for delivery_id in delivery_ids:
        _take.run(connection, {"id": delivery_id, "until": until})


def give_back(connection: Connection, delivery_id: int, attempt: int, due_at: int) -> None:
    """Takes an attempt back that was counted and not made; `attempt` is its number."""
    _give_back.run(connection, {"id": delivery_id, "attempt": attempt, "until": due_at})


def done(connection: Connection, delivery_ids: Sequence[int], now: int) -> None:
    """Notes that deliveries arrived, whatever somebody else who also made them has noted meanwhile."""
    for delivery_id in delivery_ids:
        _done.run(connection, {"id": delivery_id, "now": now})


def failed(connection: Connection, delivery_id: int, attempt: int, error: str, due_at: int | None) -> bool:
    """Notes that the attempt of this number failed; `due_at`: when to try again, None: it is dead.

    Returns False, and changes nothing, where another attempt was begun meanwhile or the delivery is over.
    """
    values = {"id": delivery_id, "attempt": attempt, "why": (error or "It failed.")[:1000]}
    if due_at is None:
        return bool(_bury.run(connection, values))
    return bool(_put_off.run(connection, {**values, "until": due_at}))


def next_due(connection: Connection, sinks: Sequence[str]) -> int | None:
    """When the next delivery to these sinks is due; what waits for an earlier event of its case is not."""
    moments = [_next_due.first(connection, {"sink": sink}) for sink in sinks]
    return min((moment.due_at for moment in moments if moment), default=None)


def pending(connection: Connection, sinks: Sequence[str]) -> int:
    """How many deliveries to these sinks are still to be made."""
    query = sa.select(sa.func.count()).where(_deliveries.c.sink.in_(list(sinks)), _deliveries.c.state == "pending")
    return int(connection.execute(query).scalar_one())


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
    """Makes dead deliveries pending again, by number or by sink, under their old ids; returns how many.

    Left out is what a later event of its case has overtaken at the same sink: it would tell what holds no more.
    """
    later = _deliveries.alias()
    overtaken = sa.exists().where(
        later.c.case_id == _deliveries.c.case_id,
        later.c.sink == _deliveries.c.sink,
        later.c.sequence > _deliveries.c.sequence,
        later.c.state == "delivered",
    )
    change = _deliveries.update().where(_deliveries.c.state == "dead", ~overtaken)
    if first is not None:
        change = change.where(_deliveries.c.delivery_id.between(first, first if last is None else last))
    if sink:
        change = change.where(_deliveries.c.sink == sink)
    return connection.execute(change.values(state="pending", attempts=0, due_at=now)).rowcount


def counts(connection: Connection) -> dict[tuple[str, str], int]:
    """How many deliveries each sink has in each state."""
    query = sa.select(_deliveries.c.sink, _deliveries.c.state, sa.func.count()).group_by(
        _deliveries.c.sink, _deliveries.c.state
    )
    return {(row[0], row[1]): row[2] for row in connection.execute(query)}
