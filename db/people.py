"""What is known of the people who review, and what they have on their hands."""

from __future__ import annotations

from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from db.tables import metadata
from db.upserts import insert_or_update

_people = metadata.tables["people"]
_c = metadata.tables["cases"]
_reviews = metadata.tables["reviews"]
_retractions = metadata.tables["retractions"]


class Person(NamedTuple):
    """Tags, and caps: decisions within 24 hours (`daily`), cases at a time (`holding`); None: no cap."""

    person: str
    tags: tuple[str, ...] = ()
    daily: int | None = None
    holding: int | None = None


def known(connection: Connection, person: str) -> Person:
    """What is known of a person; nothing of one who was never named."""
    row = connection.execute(sa.select(_people).where(_people.c.person == person)).first()
    return Person(person) if row is None else _person(row)


def everybody(connection: Connection) -> list[Person]:
    """Everybody who was named."""
    return [_person(row) for row in connection.execute(sa.select(_people).order_by(_people.c.person))]


def _person(row: Any) -> Person:
    return Person(row.person, tuple(row.tags.split()), row.daily, row.holding)


def keep(connection: Connection, person: Person) -> None:
    """Keeps what is known of a person."""
    connection.execute(
        insert_or_update(connection, _people, ["person"], ["tags", "daily", "holding"]),
        {**person._asdict(), "tags": " ".join(person.tags)},
    )


def forget(connection: Connection, person: str) -> bool:
    """Forgets what is known of a person; False where nothing was."""
    return bool(connection.execute(_people.delete().where(_people.c.person == person)).rowcount)


def is_known(connection: Connection, person: str) -> bool:
    """Whether somebody has a token, tags or caps, or has decided something; where there are no tokens, anybody may."""
    tokens = metadata.tables["tokens"]
    if connection.execute(sa.select(tokens.c.person).limit(1)).first() is None:
        return True
    known = sa.union(sa.select(tokens.c.person), sa.select(_people.c.person), sa.select(_reviews.c.person)).subquery()
    return connection.execute(sa.select(known.c.person).where(known.c.person == person)).first() is not None


def decided_since(connection: Connection, moment: int) -> dict[str, int]:
    """How many standing decisions each person made since a moment."""
    query = (
        sa.select(_reviews.c.person, sa.func.count())
        .select_from(_reviews.outerjoin(_retractions, _retractions.c.review_id == _reviews.c.review_id))
        .where(_reviews.c.decided_at >= moment, _retractions.c.review_id.is_(None))
        .group_by(_reviews.c.person)
    )
    return {row[0]: int(row[1]) for row in connection.execute(query)}


def decided_by(connection: Connection, person: str, moment: int) -> int:
    """How many standing decisions one person made since a moment."""
    query = (
        sa.select(sa.func.count())
        .select_from(_reviews.outerjoin(_retractions, _retractions.c.review_id == _reviews.c.review_id))
        .where(_reviews.c.person == person, _reviews.c.decided_at >= moment, _retractions.c.review_id.is_(None))
    )
    return int(connection.execute(query).scalar_one())


def holds(connection: Connection, person: str, now: int) -> int:
    """How many live leases a person has."""
    mine = (_c.c.state == "leased", _c.c.lease_owner == person, _c.c.wake_at.is_not(None), _c.c.wake_at > now)
    return int(connection.execute(sa.select(sa.func.count()).select_from(_c).where(*mine)).scalar_one())


def held(connection: Connection, now: int) -> dict[str, list[Any]]:
    """The live leases by person, the first to end first: case_id, queue, external_id, lease_owner, wake_at."""
    query = (
        sa.select(_c.c.case_id, _c.c.queue, _c.c.external_id, _c.c.lease_owner, _c.c.wake_at)
        .where(_c.c.state == "leased", _c.c.wake_at.is_not(None), _c.c.wake_at > now)
        .order_by(_c.c.wake_at)
    )
    found: dict[str, list[Any]] = {}
    for row in connection.execute(query):
        found.setdefault(row.lease_owner, []).append(row)
    return found
