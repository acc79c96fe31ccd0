"""Quality controls: cases with a trusted outcome, copies that are given to people to measure, and what came of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from db import cases, search
from db.tables import metadata
from db.upserts import insert_or

_c = metadata.tables["cases"]
_records = metadata.tables["case_records"]
_controls = metadata.tables["controls"]
_gold = metadata.tables["gold"]
_reviews = metadata.tables["reviews"]
_retractions = metadata.tables["retractions"]
_verdicts = metadata.tables["verdicts"]
_audit = metadata.tables["audit"]
# Entries of the log that tell who is at work.
_ENTRIES = 100
# Cases that are looked at to find one to give again.
_CANDIDATES = 50


class Candidate(NamedTuple):
    """A settled case of which a copy may be made."""

    case_id: int
    priority: int
    severity: int
    domain: str | None
    language: str | None


def _standing(reviews: Any) -> sa.ColumnElement[bool]:
    return ~sa.select(sa.literal(1)).where(_retractions.c.review_id == reviews.c.review_id).exists()


def trust(connection: Connection, case_id: int, queue: str, person: str, at: int) -> None:
    """Says that a settled case's outcome is right."""
    row = {"case_id": case_id, "queue": queue, "person": person, "at": at}
    connection.execute(insert_or(connection, _gold).on_conflict_do_nothing(), row)


def distrust(connection: Connection, case_id: int) -> bool:
    """Takes that back; False where nobody said so."""
    return bool(connection.execute(_gold.delete().where(_gold.c.case_id == case_id)).rowcount)


def gold_for(connection: Connection, queue: str, person: str) -> list[Candidate]:
    """Gold cases of which a person has decided nothing, neither themselves nor a copy."""
    query = (
        _candidates(_gold.c.case_id, person)
        .join(_gold, _gold.c.case_id == _c.c.case_id)
        .outerjoin(_controls, _controls.c.case_id == _c.c.case_id)
        .where(_gold.c.queue == queue, _controls.c.case_id.is_(None), ~_reviewed(person, _c.c.case_id))
    )
    return [Candidate(*row) for row in connection.execute(query.order_by(_c.c.case_id.desc()).limit(_CANDIDATES))]


def repeats_for(connection: Connection, queue: str, person: str, before: int) -> list[Candidate]:
    """A person's own decisions of before a moment, that no other person made since, and that they were not asked about
    again."""
    lately = sa.select(sa.literal(1)).where(_reviews.c.case_id == _c.c.case_id, _reviews.c.decided_at > before)
    mine = _reviews.alias("mine")
    query = (
        _candidates(mine.c.case_id, person)
        .join(mine, mine.c.case_id == _c.c.case_id)
        .outerjoin(_controls, _controls.c.case_id == _c.c.case_id)
        .where(
            mine.c.person == person,
            mine.c.decided_at <= before,
            mine.c.stage == "review",
            _standing(mine),
            _c.c.queue == queue,
            _controls.c.case_id.is_(None),
            ~lately.exists(),
        )
    )
    return [Candidate(*row) for row in connection.execute(query.order_by(mine.c.seq.desc()).limit(_CANDIDATES))]


def _candidates(case_id: Any, person: str) -> sa.Select[Any]:
    """Settled cases no copy of which this person has decided, or is still to be decided by anybody."""
    given, copies = _controls.alias("given"), _c.alias("copies")
    decided = sa.select(sa.literal(1)).where(_reviews.c.case_id == given.c.case_id, _reviews.c.person == person)
    taken = (
        sa.select(sa.literal(1))
        .select_from(given.join(copies, copies.c.case_id == given.c.case_id))
        .where(given.c.of_case == case_id, sa.or_(copies.c.state != "settled", decided.exists()))
    )
    columns = (_c.c.case_id, _c.c.priority, _c.c.severity, _c.c.domain, _c.c.language)
    return sa.select(*columns).where(_c.c.state == "settled", ~taken.exists())


def _reviewed(person: str, case_id: Any) -> sa.ColumnElement[bool]:
    return sa.select(sa.literal(1)).where(_reviews.c.case_id == case_id, _reviews.c.person == person).exists()


def original(connection: Connection, case_id: int) -> dict[str, Any]:
    """A case's row with `record`, `features`, `has_text` and `search`, as `copy` takes it."""
    names = [_c.c[name] for name in cases.ADMITTED]
    query = sa.select(*names, _records.c.record, _records.c.features, _records.c.has_text)
    found = connection.execute(
        query.join(_records, _records.c.case_id == _c.c.case_id).where(_c.c.case_id == case_id)
    ).one()
    return {**found._mapping, "search": search.bodies(connection, [case_id]).get(case_id, "")}


class Place(NamedTuple):
    """A case beside which a copy may stand."""

    case_id: int
    external_id: str
    admitted_at: int


def around(connection: Connection, queue: str, case_id: int, half: int) -> list[Place]:
    """Cases of a queue in the order of their numbers, up to `half` on each side of one of them, and itself."""
    query = sa.select(_c.c.case_id, _c.c.external_id, _c.c.admitted_at).where(_c.c.queue == queue)
    before = query.where(_c.c.case_id <= case_id).order_by(_c.c.case_id.desc()).limit(half + 1)
    after = query.where(_c.c.case_id > case_id).order_by(_c.c.case_id).limit(half)
    return sorted(Place(*row) for part in (before, after) for row in connection.execute(part))


def newest(connection: Connection, queue: str) -> int:
    """The highest number of a queue's cases."""
    return int(connection.execute(sa.select(sa.func.max(_c.c.case_id)).where(_c.c.queue == queue)).scalar() or 0)


def was_given(connection: Connection, case_id: int) -> bool:
    """Whether a number is, or ever was, a case's: the log speaks of those that were erased."""
    held = sa.select(sa.literal(1)).where(_c.c.case_id == case_id)
    told = sa.select(sa.literal(1)).where(_audit.c.case_id == case_id)
    return connection.execute(sa.union_all(held, told).limit(1)).first() is not None


def records(connection: Connection, case_ids: Iterable[int]) -> list[str]:
    """The protected records of cases, in the order of their numbers."""
    query = sa.select(_records.c.record).where(_records.c.case_id.in_(list(case_ids))).order_by(_records.c.case_id)
    return list(connection.execute(query).scalars())


def copy(
    connection: Connection, row: dict[str, Any], of_case: int, person: str, kind: str, at: int, number: int | None
) -> int:
    """Keeps a copy of a case under a free number (None: the next one); returns it. `person`: whom alone it measures,
    and for whom it is kept for a while; empty where it may measure anybody."""
    if number is None:
        number, _ = cases.admit(connection, [row])
    else:
        cases.admit_as(connection, {**row, "case_id": number})
    # The copies of a case have an order, whatever the clock does.
    last = connection.execute(sa.select(sa.func.max(_controls.c.at)).where(_controls.c.of_case == of_case)).scalar()
    at = at if last is None else max(at, last + 1)
    given = {"case_id": number, "of_case": of_case, "person": person, "kind": kind, "at": at}
    connection.execute(_controls.insert(), given)
    return number


def at_work(connection: Connection, since: int) -> set[str]:
    """Who has claimed a case since a moment, as the newest entries of the log tell."""
    newest_entries = sa.select(_audit.c.actor, _audit.c.action, _audit.c.at).order_by(_audit.c.seq.desc())
    last = newest_entries.limit(_ENTRIES).subquery()
    query = sa.select(last.c.actor).where(last.c.action == "claimed", last.c.at >= since)
    return set(connection.execute(query).scalars())


def named(connection: Connection, queue: str, external_id: str) -> int | None:
    """The number of the copy that bears an id."""
    query = sa.select(_controls.c.case_id).join(_c, _c.c.case_id == _controls.c.case_id)
    found: int | None = connection.execute(query.where(_c.c.queue == queue, _c.c.external_id == external_id)).scalar()
    return found


def rename(connection: Connection, case_id: int, external_id: str, record: str, words: str) -> None:
    """Gives a copy another id."""
    connection.execute(_c.update().where(_c.c.case_id == case_id).values(external_id=external_id))
    connection.execute(_records.update().where(_records.c.case_id == case_id).values(record=record))
    search.reindex(connection, case_id, words)


def root(connection: Connection, case_id: int) -> int:
    """The case that a case is a copy of, or itself."""
    found = connection.execute(sa.select(_controls.c.of_case).where(_controls.c.case_id == case_id)).scalar()
    return case_id if found is None else int(found)


def numbers(connection: Connection) -> set[int]:
    """The numbers of all copies."""
    return set(connection.execute(sa.select(_controls.c.case_id)).scalars())


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


class Until(NamedTuple):
    """Which decisions count: those before a moment, and of one `person` those before another."""

    before: int
    person: str
    own_before: int


def _tally(connection: Connection, until: Until, mine: Any, other: Any, source: Any, *where: Any) -> dict[str, Tally]:
    same = (mine.c.verdict == other.c.verdict) & ~mine.c.label.is_distinct_from(other.c.label)
    before = sa.case((mine.c.person == until.person, until.own_before), else_=until.before)
    query = (
        sa.select(mine.c.person, sa.func.count(), sa.func.sum(sa.case((same, 1), else_=0)))
        .select_from(source)
        .where(_standing(mine), mine.c.stage == "review", mine.c.decided_at < before, *where)
        .group_by(mine.c.person)
    )
    return {row[0]: Tally(int(row[1]), int(row[2])) for row in connection.execute(query)}


def against_gold(connection: Connection, until: Until) -> dict[str, Tally]:
    """By person: reviews of copies of gold cases, which the person had not decided themselves, that were as the
    trusted outcome."""
    mine, first = _reviews.alias("mine"), _reviews.alias("first")
    source = mine.join(_controls, _controls.c.case_id == mine.c.case_id).join(
        _verdicts, _verdicts.c.case_id == _controls.c.of_case
    )
    known = sa.select(sa.literal(1)).where(
        first.c.case_id == _controls.c.of_case, first.c.person == mine.c.person, first.c.seq < mine.c.seq
    )
    return _tally(connection, until, mine, _verdicts, source, _controls.c.kind == "gold", ~known.exists())


def against_self(connection: Connection, until: Until) -> dict[str, Tally]:
    """By person: cases decided again, as copies, as the first time."""
    mine, first = _reviews.alias("mine"), _reviews.alias("first")
    source = mine.join(_controls, _controls.c.case_id == mine.c.case_id).join(
        first,
        (first.c.case_id == _controls.c.of_case) & (first.c.person == mine.c.person) & (first.c.seq < mine.c.seq),
    )
    return _tally(connection, until, mine, first, source, _standing(first), first.c.stage == "review")


def against_peers(connection: Connection, until: Until) -> dict[str, Tally]:
    """By person: independent reviews of others, of cases that are settled, that came to the same."""
    mine, peer = _reviews.alias("mine"), _reviews.alias("peer")
    source = mine.join(peer, (peer.c.case_id == mine.c.case_id) & (peer.c.person != mine.c.person)).join(
        _verdicts, _verdicts.c.case_id == mine.c.case_id
    )
    return _tally(connection, until, mine, peer, source, _standing(peer), peer.c.stage == "review")
