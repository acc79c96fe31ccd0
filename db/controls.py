"""Quality controls: cases with a trusted outcome, copies that are given to people to measure, and what came of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from db import cases
from db.tables import metadata
from db.upserts import insert_or

_c = metadata.tables["cases"]
_records = metadata.tables["case_records"]
_controls = metadata.tables["controls"]
_gold = metadata.tables["gold"]
_reviews = metadata.tables["reviews"]
_retractions = metadata.tables["retractions"]
_verdicts = metadata.tables["verdicts"]
# So many cases are looked at to find one to give again.
_CANDIDATES = 50


def _standing(reviews: Any) -> sa.ColumnElement[bool]:
    return ~sa.select(sa.literal(1)).where(_retractions.c.review_id == reviews.c.review_id).exists()


def _seen(person: str, case_id: Any) -> sa.ColumnElement[bool]:
    given = _controls.alias("given")
    return sa.select(sa.literal(1)).where(given.c.person == person, given.c.of_case == case_id).exists()


def trust(connection: Connection, case_id: int, queue: str, person: str, at: int) -> None:
    """Says that a settled case's outcome is right."""
    row = {"case_id": case_id, "queue": queue, "person": person, "at": at}
    connection.execute(insert_or(connection, _gold).on_conflict_do_nothing(), row)


def distrust(connection: Connection, case_id: int) -> bool:
    """Takes that back; False where nobody said so."""
    return bool(connection.execute(_gold.delete().where(_gold.c.case_id == case_id)).rowcount)


def gold_for(connection: Connection, queue: str, person: str) -> list[int]:
    """Gold cases that a person has neither decided nor been given."""
    decided = sa.select(sa.literal(1)).where(_reviews.c.case_id == _gold.c.case_id, _reviews.c.person == person)
    query = (
        sa.select(_gold.c.case_id)
        .join(_verdicts, _verdicts.c.case_id == _gold.c.case_id)
        .where(_gold.c.queue == queue, ~decided.exists(), ~_seen(person, _gold.c.case_id))
    )
    return list(connection.execute(query.order_by(_gold.c.case_id).limit(_CANDIDATES)).scalars())


def repeats_for(connection: Connection, queue: str, person: str, before: int) -> list[int]:
    """A person's own decisions of before a moment that they were not asked about again."""
    query = (
        sa.select(_reviews.c.case_id)
        .join(_c, _c.c.case_id == _reviews.c.case_id)
        .outerjoin(_controls, _controls.c.case_id == _reviews.c.case_id)
        .where(
            _reviews.c.person == person,
            _reviews.c.decided_at <= before,
            _reviews.c.stage == "review",
            _standing(_reviews),
            _c.c.queue == queue,
            _c.c.state == "settled",
            _controls.c.case_id.is_(None),
            ~_seen(person, _reviews.c.case_id),
        )
    )
    return list(connection.execute(query.order_by(_reviews.c.seq.desc()).limit(_CANDIDATES)).scalars())


def original(connection: Connection, case_id: int) -> dict[str, Any]:
    """A case's row with `record`, `features`, `has_text`, as `copy` takes it."""
    names = [_c.c[name] for name in cases.ADMITTED]
    query = sa.select(*names, _records.c.record, _records.c.features, _records.c.has_text)
    found = connection.execute(
        query.join(_records, _records.c.case_id == _c.c.case_id).where(_c.c.case_id == case_id)
    ).one()
    return dict(found._mapping)


def copy(connection: Connection, row: dict[str, Any], of_case: int, person: str, kind: str, at: int) -> int:
    """Keeps a copy of a case for one person; returns its number. Its words are in no index."""
    case_id, _ = cases.admit(connection, [{**row, "state": "open", "search": ""}])
    connection.execute(_c.update().where(_c.c.case_id == case_id).values(reserved_for=person))
    given = {"case_id": case_id, "of_case": of_case, "person": person, "kind": kind, "at": at}
    connection.execute(_controls.insert(), given)
    return case_id


def of(connection: Connection, case_id: int) -> str | None:
    """Whom a case measures; None: it is an ordinary one."""
    found: str | None = connection.execute(sa.select(_controls.c.person).where(_controls.c.case_id == case_id)).scalar()
    return found


def counts(connection: Connection) -> dict[tuple[str, str], int]:
    """How many controls there are by queue and state."""
    query = sa.select(_c.c.queue, _c.c.state, sa.func.count()).join(_controls, _controls.c.case_id == _c.c.case_id)
    return {(row[0], row[1]): int(row[2]) for row in connection.execute(query.group_by(_c.c.queue, _c.c.state))}


def family(connection: Connection, case_ids: Iterable[int]) -> set[int]:
    """These cases, those that they are copies of, and all copies of those."""
    found = set(case_ids)
    found |= set(connection.execute(sa.select(_controls.c.of_case).where(_controls.c.case_id.in_(found))).scalars())
    return found | set(
        connection.execute(sa.select(_controls.c.case_id).where(_controls.c.of_case.in_(found))).scalars()
    )


class Tally(NamedTuple):
    """Of `n` comparisons `same` came to the same verdict and label."""

    n: int
    same: int


def _tally(connection: Connection, before: int, mine: Any, other: Any, source: Any, *where: Any) -> dict[str, Tally]:
    same = (mine.c.verdict == other.c.verdict) & ~mine.c.label.is_distinct_from(other.c.label)
    query = (
        sa.select(mine.c.person, sa.func.count(), sa.func.sum(sa.case((same, 1), else_=0)))
        .select_from(source)
        .where(_standing(mine), mine.c.decided_at < before, *where)
        .group_by(mine.c.person)
    )
    return {row[0]: Tally(int(row[1]), int(row[2])) for row in connection.execute(query)}


def against_gold(connection: Connection, before: int) -> dict[str, Tally]:
    """By person: decisions of gold cases, made before a moment, that were as the trusted outcome."""
    mine = _reviews.alias("mine")
    source = mine.join(_controls, (_controls.c.case_id == mine.c.case_id) & (_controls.c.person == mine.c.person)).join(
        _verdicts, _verdicts.c.case_id == _controls.c.of_case
    )
    return _tally(connection, before, mine, _verdicts, source, _controls.c.kind == "gold")


def against_self(connection: Connection, before: int) -> dict[str, Tally]:
    """By person: cases decided again as the first time."""
    mine, first = _reviews.alias("mine"), _reviews.alias("first")
    source = mine.join(_controls, (_controls.c.case_id == mine.c.case_id) & (_controls.c.person == mine.c.person)).join(
        first, (first.c.case_id == _controls.c.of_case) & (first.c.person == mine.c.person)
    )
    return _tally(connection, before, mine, first, source, _controls.c.kind == "repeat", _standing(first))


def against_peers(connection: Connection, before: int) -> dict[str, Tally]:
    """By person: independent reviews of others, of cases that are settled, that came to the same."""
    mine, peer = _reviews.alias("mine"), _reviews.alias("peer")
    source = mine.join(peer, (peer.c.case_id == mine.c.case_id) & (peer.c.person != mine.c.person)).join(
        _verdicts, _verdicts.c.case_id == mine.c.case_id
    )
    return _tally(
        connection, before, mine, peer, source, _standing(peer), mine.c.stage == "review", peer.c.stage == "review"
    )
