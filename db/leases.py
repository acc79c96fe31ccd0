"""Leases: who may decide which case until when. Every change of a case's state is in here.

All functions run inside the caller's write transaction. `now` comes from the machine that owns the
database; times are milliseconds.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from db.prepared import Prepared
from db.tables import metadata

_c = metadata.tables["cases"]
_open = sa.text("cases.state = 'open'")
_one_less = sa.case((_c.c.claims > 0, _c.c.claims - 1), else_=0)
_unheld: dict[str, Any] = {"lease_owner": None, "lease_session": None, "wake_at": None}


class Holder(NamedTuple):
    """A case's lease as it stands."""

    case_id: int
    queue: str
    external_id: str
    state: str
    owner: str | None
    session: str | None
    token: int
    wake_at: int | None
    claims: int
    stage: str
    reserved_for: str | None
    domain: str | None
    language: str | None


_holder = (
    _c.c.case_id,
    _c.c.queue,
    _c.c.external_id,
    _c.c.state,
    _c.c.lease_owner,
    _c.c.lease_session,
    _c.c.lease_token,
    _c.c.wake_at,
    _c.c.claims,
    _c.c.stage,
    _c.c.reserved_for,
    _c.c.domain,
    _c.c.language,
)
_one = Prepared(sa.select(*_holder).where(_c.c.case_id == sa.bindparam("id")))
_due = Prepared(
    sa.select(*_holder).where(
        _c.c.queue == sa.bindparam("queue"), _c.c.wake_at.is_not(None), _c.c.wake_at <= sa.bindparam("now")
    )
)
_take = Prepared(
    _c.update()
    .where(_c.c.case_id == sa.bindparam("id"), _open)
    .values(
        state="leased",
        lease_owner=sa.bindparam("person"),
        lease_session=sa.bindparam("session"),
        lease_token=sa.bindparam("token"),
        wake_at=sa.bindparam("until"),
        claims=_c.c.claims + 1,
    )
)
_settle = Prepared(
    _c.update().where(_c.c.case_id == sa.bindparam("id")).values(state="settled", claims=0, note=None, **_unheld)
)
_pass_on = Prepared(
    _c.update()
    .where(_c.c.case_id == sa.bindparam("id"))
    .values(state="open", stage=sa.bindparam("next_stage"), claims=0, note=None, reserved_for=None, **_unheld)
)


def holder_of(row: Any) -> Holder:
    """How a case is held, from its row with the record."""
    return Holder(
        row.case_id,
        row.queue,
        row.external_id,
        row.state,
        row.lease_owner,
        row.lease_session,
        row.lease_token,
        row.wake_at,
        row.claims,
        row.stage,
        row.reserved_for,
        row.domain,
        row.language,
    )


def holder(connection: Connection, case_id: int) -> Holder | None:
    """How a case is held now."""
    row = _one.first(connection, {"id": case_id})
    return Holder(*row) if row else None


def due_to_wake(connection: Connection, queue: str, now: int) -> list[Holder]:
    """Leases that are over and deferrals that have come due."""
    return [Holder(*row) for row in _due.all(connection, {"queue": queue, "now": now})]


def next_token(token: int, now: int) -> int:
    """The fencing token after one: it only grows, and follows the clock. A count of claims would tell the next person
    whether somebody had the case before."""
    return max(token + 1, now)


def take(connection: Connection, case_id: int, person: str, session: str, token: int, until: int) -> None:
    """Leases a case that was found open in the same transaction, under its next token."""
    _take.put(connection, {"id": case_id, "person": person, "session": session, "token": token, "until": until})


def seize(
    connection: Connection,
    case_id: int,
    person: str,
    session: str,
    until: int,
    now: int,
    counts: bool = False,
    stage: str | None = None,
) -> int:
    """Moves a lease to another session or person, under its next fencing token, which invalidates the old one.

    `counts` where it is a claim of its own, which counts towards parking. `stage` where the case goes back to one.
    """
    change = (
        _c.update()
        .where(_c.c.case_id == case_id)
        .values(
            state="leased",
            lease_owner=person,
            lease_session=session,
            lease_token=sa.case((_c.c.lease_token >= now, _c.c.lease_token + 1), else_=now),
            wake_at=until,
            claims=_c.c.claims + int(counts),
            note=None,
            **({} if stage is None else {"stage": stage}),
        )
    )
    return int(connection.execute(change.returning(_c.c.lease_token)).scalar_one())


def extend(connection: Connection, case_id: int, until: int) -> None:
    """Gives a lease more time."""
    connection.execute(_c.update().where(_c.c.case_id == case_id).values(wake_at=until))


def reopen(connection: Connection, case_id: int, forget_claim: bool) -> None:
    """Puts a case back; `forget_claim` where its claim shall not count towards parking."""
    claims = _one_less if forget_claim else _c.c.claims
    connection.execute(
        _c.update().where(_c.c.case_id == case_id).values(state="open", claims=claims, note=None, **_unheld)
    )


def forget_claims(connection: Connection, case_id: int) -> None:
    """Starts counting a case's claims anew."""
    connection.execute(_c.update().where(_c.c.case_id == case_id).values(claims=0))


def defer(connection: Connection, case_id: int, until: int) -> None:
    """Takes a case out of the queue until a moment."""
    connection.execute(
        _c.update()
        .where(_c.c.case_id == case_id)
        .values(state="deferred", claims=_one_less, **{**_unheld, "wake_at": until})
    )


def park(connection: Connection, case_id: int, note: str) -> None:
    """Sets a case aside until somebody puts it back."""
    connection.execute(_c.update().where(_c.c.case_id == case_id).values(state="parked", note=note, **_unheld))


def pass_on(connection: Connection, case_id: int, stage: str) -> None:
    """Puts a case back for whoever comes next: another reviewer, or an adjudicator."""
    _pass_on.put(connection, {"id": case_id, "next_stage": stage})


def reserve(connection: Connection, case_id: int, person: str | None) -> None:
    """From now on a case is given to one person only, or (None) to anybody again."""
    connection.execute(_c.update().where(_c.c.case_id == case_id).values(reserved_for=person))


def settle(connection: Connection, case_id: int) -> None:
    """Closes a case."""
    _settle.put(connection, {"id": case_id})


def count_held(connection: Connection, queues: list[str], person: str) -> int:
    """How many cases a person holds."""
    query = sa.select(sa.func.count()).where(_c.c.queue.in_(queues), _c.c.wake_at.is_not(None))
    return int(connection.execute(query.where(_c.c.state == "leased", _c.c.lease_owner == person)).scalar_one())


def count_skipped(connection: Connection, queues: list[str], person: str) -> int:
    """How many open cases a person has skipped."""
    marks = metadata.tables["marks"]
    query = (
        sa.select(sa.func.count())
        .select_from(_c.join(marks, marks.c.case_id == _c.c.case_id))
        .where(_c.c.queue.in_(queues), _c.c.state == "open", marks.c.person == person, marks.c.kind == "skip")
    )
    return int(connection.execute(query).scalar_one())


def next_wake(connection: Connection, queues: list[str], state: str, besides: str | None = None) -> int | None:
    """When the first lease or deferral ends; leases of the person `besides` are left out."""
    query = sa.select(sa.func.min(_c.c.wake_at)).where(_c.c.queue.in_(queues), _c.c.wake_at.is_not(None))
    if besides is not None:
        query = query.where(_c.c.lease_owner != besides)
    found: int | None = connection.execute(query.where(_c.c.state == state)).scalar()
    return found
