"""Who has reviewed the same cases with whom, so that no two people always meet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from db.prepared import Prepared
from db.tables import metadata
from db.upserts import insert_or

_pairs = metadata.tables["pairs"]
_reviews = metadata.tables["reviews"]
_retractions = metadata.tables["retractions"]
_met = _pairs.alias("met")
_at_work = _pairs.alias("at_work")
_me: sa.BindParameter[str] = sa.bindparam("person")


def _with(other: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """The pair of this person and another, whichever sorts first."""
    return (_met.c.queue == sa.bindparam("queue")) & sa.or_(
        (_met.c.one == _me) & (_met.c.other == other), (_met.c.other == _me) & (_met.c.one == other)
    )


_count = sa.func.coalesce(_met.c.met, 0)
_begun = (
    sa.select(_reviews.c.case_id, sa.func.max(_count).label("met"))
    .select_from(
        _reviews.outerjoin(_retractions, _retractions.c.review_id == _reviews.c.review_id).outerjoin(
            _met, _with(_reviews.c.person)
        )
    )
    .where(_reviews.c.case_id.in_(sa.bindparam("ids", expanding=True)), _retractions.c.review_id.is_(None))
    .group_by(_reviews.c.case_id)
)
_least = Prepared(
    sa.select(sa.func.min(_count).label("met"))
    .select_from(_at_work.outerjoin(_met, _with(_at_work.c.one)))
    .where(
        _at_work.c.queue == sa.bindparam("queue"),
        _at_work.c.one == _at_work.c.other,
        _at_work.c.one != _me,
        _at_work.c.at > sa.bindparam("since"),
    )
)


def meet(connection: Connection, queue: str, person: str, others: Iterable[str], at: int) -> None:
    """Counts that a person has reviewed a case that others have reviewed before."""
    new = insert_or(connection, _pairs).on_conflict_do_update(
        index_elements=["queue", "one", "other"], set_={"met": _pairs.c.met + 1, "at": at}
    )
    for other in (person, *others):
        one, two = sorted((person, other))
        connection.execute(new, {"queue": queue, "one": one, "other": two, "met": 1, "at": at})


def met(connection: Connection, queue: str, person: str, case_ids: Sequence[int]) -> dict[int, int]:
    """How often a person has met those who have begun these cases, by case (of several the one met most)."""
    found = connection.execute(_begun, {"queue": queue, "person": person, "ids": list(case_ids)})
    return {row.case_id: int(row.met) for row in found}


def least_met(connection: Connection, queue: str, person: str, since: int) -> int:
    """How often a person has met whom they met least, among those at work in a queue since a moment."""
    row = _least.first(connection, {"queue": queue, "person": person, "since": since})
    return int(row.met or 0)
