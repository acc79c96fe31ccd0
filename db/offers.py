"""Which open cases a person may be given, and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import sqlalchemy as sa
from sqlalchemy import BigInteger
from sqlalchemy.engine import Connection

from db import shown
from db.prepared import Prepared
from db.tables import metadata

_c = metadata.tables["cases"]
_marks = metadata.tables["marks"]
_reviews = metadata.tables["reviews"]
_retractions = metadata.tables["retractions"]
_pauses = metadata.tables["pauses"]
_controls = metadata.tables["controls"]
# So many cases that others have begun are looked at to find the best fit.
_BEGUN = 16
# Stands for every domain, or language.
_ANY = "*"
_ORDER = (_c.c.priority.desc(), _c.c.due_at, _c.c.case_id)


class Offer(NamedTuple):
    """An open case that a person may be given."""

    case_id: int
    priority: int
    due_at: int
    severity: int
    stage: str
    queue: str
    token: int


class Asker(NamedTuple):
    """Whom cases are offered to. `reviews`: whether they get fresh cases and those that others have begun,
    `adjudicates`: those where reviews differ or that were escalated.

    `domains`, `languages`: those they take, where the queue is routed; None where it is not. A copy that measures
    somebody else is kept for them if it was made after `kept_since`; none is offered of a case that this person has
    reviewed after `fresh_since`.
    """

    person: str
    reviews: bool
    adjudicates: bool
    domains: Sequence[str] | None = None
    languages: Sequence[str] | None = None
    kept_since: int = 0
    fresh_since: int = 0


def _mine(kind: str) -> sa.ColumnElement[bool]:
    mark = sa.select(sa.literal(1)).where(
        _marks.c.case_id == _c.c.case_id, _marks.c.person == sa.bindparam("person"), _marks.c.kind == kind
    )
    return mark.exists()


_standing_of = (
    sa.select(sa.literal(1))
    .select_from(_reviews.outerjoin(_retractions, _retractions.c.review_id == _reviews.c.review_id))
    .where(
        _reviews.c.case_id == _c.c.case_id,
        _reviews.c.person == sa.bindparam("person"),
        _retractions.c.review_id.is_(None),
    )
    .exists()
)
# As the partial indexes say it.
_fresh = cast("sa.ColumnElement[bool]", sa.text("cases.state = 'open' AND cases.stage = 'review'"))
_further = cast("sa.ColumnElement[bool]", sa.text("cases.state = 'open' AND cases.stage <> 'review'"))
# Copies that are not for this person, or not yet.
_copy = _controls.alias("copy")
_person: sa.BindParameter[str] = sa.bindparam("person")
_kept = (
    (_copy.c.person != "") & (_copy.c.person != _person) & (_copy.c.at > sa.bindparam("kept_since", type_=BigInteger))
)
_for_others = (
    sa.select(sa.literal(1))
    .where(
        _copy.c.case_id == _c.c.case_id,
        sa.or_(_kept, shown.knows(_copy, _person, sa.bindparam("fresh_since", type_=BigInteger))),
    )
    .exists()
)
_paused = sa.select(sa.literal(1)).where(_pauses.c.queue == sa.bindparam("queue")).exists()
_mine_only = sa.or_(_c.c.reserved_for.is_(None), _c.c.reserved_for == sa.bindparam("person"))


def _named_in(column: sa.Column[Any], known: str) -> sa.ColumnElement[bool]:
    """Whether a column's text stands in a parameter with bars between its words, or is not there. One text and no bound
    list, so that one statement serves every person."""
    lines, bar = sa.cast(sa.bindparam(known), sa.Text), sa.literal_column("'|'", sa.Text)
    without = sa.func.replace(lines, bar + column + bar, sa.literal_column("''", sa.Text))
    return sa.or_(column.is_(None), lines == _ANY, without != lines)


def _stage(stage: str, wanted: str, limit: int, routed: bool) -> sa.Select[Any]:
    """The first offers of one stage; nothing where the parameter `wanted` is 0."""
    where: list[sa.ColumnElement[bool]] = [
        _c.c.queue == sa.bindparam("queue"),
        _fresh if stage == "review" else _further,
        sa.cast(sa.bindparam(wanted), sa.Integer) == 1,
        ~_mine("skip"),
        ~_mine("conflict"),
        ~_paused,
        _mine_only,
        ~_for_others,
    ]
    if stage != "review":
        # Written out: a value that is bound would make SQLite plan the statement anew each time, since whether the
        # partial index serves depends on it.
        where += [_c.c.stage == sa.literal_column(f"'{stage}'"), ~_standing_of]
    if stage == "adjudication":
        where.append(~_mine("escalate"))
    if routed:
        where += [_named_in(_c.c.domain, "domains"), _named_in(_c.c.language, "languages")]
    columns = (_c.c.case_id, _c.c.priority, _c.c.due_at, _c.c.severity, _c.c.stage, _c.c.queue, _c.c.lease_token)
    first = sa.select(*columns).where(*where).order_by(*_ORDER).limit(limit).subquery(f"{stage}s")
    return sa.select(first)


# Whether there are leases or deferrals that are over; asked along, since claims ask all the time.
_over = (
    sa.select(
        _c.c.case_id,
        _c.c.priority,
        _c.c.due_at,
        _c.c.severity,
        sa.literal_column("'over'").label("stage"),
        _c.c.queue,
        _c.c.lease_token,
    )
    .where(
        _c.c.queue == sa.bindparam("queue"),
        _c.c.wake_at.is_not(None),
        _c.c.wake_at <= sa.bindparam("now", type_=BigInteger),
    )
    .limit(1)
    .subquery("overs")
)


def _offers(routed: bool) -> Prepared:
    return Prepared(
        sa.union_all(
            _stage("review", "reviews", 1, routed),
            _stage("begun", "reviews", _BEGUN, routed),
            _stage("adjudication", "adjudicates", 1, routed),
            sa.select(_over),
        )
    )


_plain, _routed = _offers(routed=False), _offers(routed=True)


def offers(connection: Connection, queue: str, asker: Asker, now: int) -> tuple[list[Offer], bool]:
    """The most urgent fresh case of a queue, the most urgent ones that others have begun, and the most urgent one to
    adjudicate: those that the person may be given. And whether there are leases or deferrals that are over."""
    parameters: dict[str, Any] = {
        "queue": queue,
        "person": asker.person,
        "reviews": int(asker.reviews),
        "adjudicates": int(asker.adjudicates),
        "now": now,
        "kept_since": asker.kept_since,
        "fresh_since": asker.fresh_since,
    }
    if asker.domains is None and asker.languages is None:
        rows = _plain.all(connection, parameters)
    else:
        parameters |= {"domains": _barred(asker.domains), "languages": _barred(asker.languages)}
        rows = _routed.all(connection, parameters)
    found = [Offer(*row) for row in rows]
    return [one for one in found if one.stage != "over"], any(one.stage == "over" for one in found)


def upcoming(connection: Connection, queue: str, limit: int) -> list[Offer]:
    """The most urgent fresh cases of a queue, for anybody, without copies that measure people."""
    columns = (_c.c.case_id, _c.c.priority, _c.c.due_at, _c.c.severity, _c.c.stage, _c.c.queue, _c.c.lease_token)
    copies = sa.select(sa.literal(1)).where(_controls.c.case_id == _c.c.case_id)
    query = sa.select(*columns).where(_c.c.queue == queue, _fresh, ~copies.exists()).order_by(*_ORDER).limit(limit)
    return [Offer(*row) for row in connection.execute(query)]


def _barred(words: Sequence[str] | None) -> str:
    return _ANY if words is None else "|" + "".join(f"{word}|" for word in words)


def paused(connection: Connection, queue: str) -> Any:
    """Who paused a queue, when and why (a row of `pauses`); None where it is not."""
    return connection.execute(sa.select(_pauses).where(_pauses.c.queue == queue)).first()


def pauses(connection: Connection) -> list[Any]:
    """All paused queues: rows of `pauses`."""
    return list(connection.execute(sa.select(_pauses).order_by(_pauses.c.queue)))


def pause(connection: Connection, queue: str, person: str, reason: str, at: int) -> None:
    """Gives out no more cases of a queue that is not paused."""
    connection.execute(_pauses.insert(), {"queue": queue, "person": person, "reason": reason, "at": at})


def resume(connection: Connection, queue: str) -> bool:
    """Gives cases out again; False where the queue was not paused."""
    return bool(connection.execute(_pauses.delete().where(_pauses.c.queue == queue)).rowcount)
