"""Requests to see withheld values, and what became of them."""

from __future__ import annotations

from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from db.tables import metadata

_cases = metadata.tables["cases"]
_reveals = metadata.tables["reveals"]


class Reveal(NamedTuple):
    """One request. `fields` is a JSON list; `until` is when the values are masked again."""

    reveal_id: int
    case_id: int
    person: str
    fields: str
    reason: str
    salt: bytes
    state: str
    asked_at: int
    approver: str | None
    challenge: bytes | None
    until: int | None
    opened_at: int | None
    queue: str | None
    external_id: str | None


_query = sa.select(_reveals, _cases.c.queue, _cases.c.external_id).outerjoin(
    _cases, _cases.c.case_id == _reveals.c.case_id
)


def ask(connection: Connection, request: dict[str, Any]) -> int:
    """Keeps a request (columns of `reveals`) and returns its number."""
    made = connection.execute(_reveals.insert().returning(_reveals.c.reveal_id), request)
    return int(made.scalar_one())


def one(connection: Connection, reveal_id: int) -> Reveal | None:
    """A request."""
    row = connection.execute(_query.where(_reveals.c.reveal_id == reveal_id)).first()
    return Reveal(*row) if row else None


def listed(connection: Connection, since: int, case_id: int | None = None) -> list[Reveal]:
    """Requests since a moment, newest first."""
    query = _query.where(_reveals.c.asked_at >= since)
    if case_id is not None:
        query = query.where(_reveals.c.case_id == case_id)
    return [Reveal(*row) for row in connection.execute(query.order_by(_reveals.c.reveal_id.desc()))]


def change(connection: Connection, reveal_id: int, **values: Any) -> None:
    """Changes columns of a request."""
    connection.execute(_reveals.update().where(_reveals.c.reveal_id == reveal_id).values(**values))


def opened_since(connection: Connection, person: str, moment: int) -> int:
    """How many reveals a person opened since a moment."""
    query = sa.select(sa.func.count()).where(_reveals.c.person == person, _reveals.c.opened_at >= moment)
    return int(connection.execute(query).scalar_one())
