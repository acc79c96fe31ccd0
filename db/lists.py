"""Lists of cases: the ordered vector of ids, windows of rows, counts, one case's record."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from db.bulk import beside_the_index, none_of, select_many
from db.prepared import Prepared
from db.tables import metadata

_CHUNK = 20_000
_HOUR_MS = 3_600_000
# Milliseconds: an hour, a shift, a day, three days.
AGES = (_HOUR_MS, 8 * _HOUR_MS, 24 * _HOUR_MS, 72 * _HOUR_MS)
_c = metadata.tables["cases"]
_records = metadata.tables["case_records"]
_controls = metadata.tables["controls"]
_judgements = metadata.tables["judgements"]
_drafts = metadata.tables["drafts"]
_reviews = metadata.tables["reviews"]
_verdicts = metadata.tables["verdicts"]
_row_columns = (
    _c.c.case_id,
    _c.c.external_id,
    _c.c.revision,
    _c.c.queue,
    _c.c.state,
    _c.c.severity,
    _c.c.priority,
    _c.c.due_at,
    _c.c.admitted_at,
    _c.c.flag,
    _c.c.title,
    _c.c.lease_owner,
    _c.c.wake_at,
    _verdicts.c.verdict,
    _c.c.note,
    _c.c.stage,
)
_rows = (
    sa.select(*_row_columns)
    .outerjoin(_verdicts, _verdicts.c.case_id == _c.c.case_id)
    .where(_c.c.case_id.in_(sa.bindparam("ids", expanding=True)))
)
_person: sa.BindParameter[str] = sa.bindparam("person")
# All that is asked about a case before an act, in one journey to the database.
_with_record = Prepared(
    sa.select(
        *_row_columns,
        _c.c.predicted_label,
        _c.c.predicted_score,
        _c.c.lease_session,
        _c.c.lease_token,
        _c.c.claims,
        _c.c.reserved_for,
        _c.c.domain,
        _c.c.language,
        _records.c.record,
        _controls.c.kind.label("control"),
        _judgements.c.label.label("judged_label"),
        _judgements.c.confidence.label("judged_confidence"),
        _judgements.c.at.label("judged_at"),
        _drafts.c.body.label("draft"),
        sa.select(sa.literal(1)).where(_reviews.c.review_id == sa.bindparam("decision")).exists().label("repeated"),
    )
    .join(_records, _records.c.case_id == _c.c.case_id)
    .outerjoin(_verdicts, _verdicts.c.case_id == _c.c.case_id)
    .outerjoin(_controls, _controls.c.case_id == _c.c.case_id)
    .outerjoin(_judgements, (_judgements.c.case_id == _c.c.case_id) & (_judgements.c.person == _person))
    .outerjoin(
        _drafts,
        (_drafts.c.case_id == _c.c.case_id)
        & (_drafts.c.person == _person)
        & (_drafts.c.rubric_hash == sa.bindparam("rubric")),
    )
    .where(_c.c.case_id == sa.bindparam("id"))
)


def ids(
    connection: Connection,
    queues: Sequence[str],
    state: str | None = None,
    severity: int | None = None,
    flag: str | None = None,
    holder: str | None = None,
    limit: int | None = None,
    stage: str | None = None,
    due_before: int | None = None,
    left_out: Collection[int] = (),
) -> array[int]:
    """case_ids by priority, due time and age; without a state, everything that is not settled. With `due_before` by due
    time. Without the cases of the numbers in `left_out`."""
    where = _c.c.state == state if state == "settled" else sa.text("cases.state <> 'settled'")
    query = sa.select(_c.c.case_id).where(where, beside_the_index(connection, _c.c.queue).in_(queues))
    if state not in (None, "settled"):
        query = query.where(beside_the_index(connection, _c.c.state) == state)
    if severity is not None:
        query = query.where(beside_the_index(connection, _c.c.severity) == severity)
    if flag is not None:
        query = query.where(_c.c.flag == flag)
    if holder is not None:
        query = query.where(_c.c.lease_owner == holder)
    if stage is not None:
        query = query.where(_c.c.stage == stage)
    if due_before is not None:
        query = query.where(_c.c.due_at < due_before).order_by(_c.c.due_at)
    query = _besides(query, left_out)
    if state == "settled":
        query = query.order_by(_c.c.case_id.desc())
    else:
        query = query.order_by(_c.c.priority.desc(), _c.c.due_at, _c.c.case_id)
    return _vector(connection, query.limit(limit) if limit else query)


def _besides(query: sa.Select[Any], left_out: Collection[int]) -> sa.Select[Any]:
    return query.where(none_of(_c.c.case_id, left_out)) if left_out else query


def _vector(connection: Connection, query: sa.Select[Any]) -> array[int]:
    """A column of ids: a million of them in a third of a second."""
    vector = array("q")
    for chunk in select_many(connection, query, _CHUNK):
        vector.extend([row[0] for row in chunk])
    return vector


def rows(connection: Connection, case_ids: Iterable[int]) -> dict[int, Any]:
    """Rows of the inbox by case_id; columns of `cases` and `verdict`."""
    found = connection.execute(_rows, {"ids": list(case_ids)})
    return {row.case_id: row for row in found}


def records(connection: Connection, case_ids: Sequence[int]) -> dict[int, str]:
    """The protected records of cases."""
    query = sa.select(_records.c.case_id, _records.c.record).where(_records.c.case_id.in_(case_ids))
    return {row.case_id: row.record for row in connection.execute(query)}


def with_record(
    connection: Connection, case_id: int, person: str = "", rubric: str = "", decision: str = "", last: bool = False
) -> Any:
    """A case's row with its protected record; `control` says as what it measures somebody, if it does.

    Of a `person` also the first judgement (`judged_label`, `judged_confidence`, `judged_at`), and what they have
    drafted for the rubric with this hash; `repeated`: a review of the id `decision` is there. `last`: the transaction
    ends with it.
    """
    asked = {"id": case_id, "person": person, "rubric": rubric, "decision": decision}
    return _with_record.last(connection, asked) if last else _with_record.first(connection, asked)


def ageing(connection: Connection, now: int, left_out: Collection[int] = ()) -> list[Any]:
    """Per queue and severity of the waiting cases: how many are younger than each of `AGES`, all, and overdue ones.
    Without the cases of the numbers in `left_out`."""
    younger = [
        sa.func.count(sa.case((_c.c.admitted_at > now - age, 1))).label(f"younger{n}") for n, age in enumerate(AGES)
    ]
    query = (
        sa.select(
            _c.c.queue,
            _c.c.severity,
            *younger,
            sa.func.count().label("n"),
            sa.func.count(sa.case((_c.c.due_at < now, 1))).label("overdue"),
        )
        .where(sa.text("cases.state <> 'settled'"))
        .group_by(_c.c.queue, _c.c.severity)
        .order_by(_c.c.queue, _c.c.severity.desc())
    )
    return list(connection.execute(_besides(query, left_out)))


def backlog(connection: Connection, now: int, left_out: Collection[int] = ()) -> list[Any]:
    """Per queue and state: `n`, `overdue` (due before now), `oldest`. Without the cases of the numbers in
    `left_out`."""
    query = sa.select(
        _c.c.queue,
        _c.c.state,
        sa.func.count().label("n"),
        sa.func.count(sa.case((_c.c.due_at < now, 1))).label("overdue"),
        sa.func.min(_c.c.admitted_at).label("oldest"),
    ).group_by(_c.c.queue, _c.c.state)
    return list(connection.execute(_besides(query, left_out)))


def features(connection: Connection, queue: str, around: int, limit: int) -> list[Any]:
    """Flat inputs of cases of a queue, the nearest in time to `around`: the candidates for likeness."""
    half = limit // 2
    base = sa.select(
        _c.c.case_id,
        _c.c.external_id,
        _c.c.predicted_label,
        _c.c.title,
        _verdicts.c.verdict,
        _records.c.features,
    ).join(_records, _records.c.case_id == _c.c.case_id)
    base = base.outerjoin(_verdicts, _verdicts.c.case_id == _c.c.case_id).where(_c.c.queue == queue)
    before = base.where(_c.c.case_id <= around).order_by(_c.c.case_id.desc()).limit(half)
    after = base.where(_c.c.case_id > around).order_by(_c.c.case_id).limit(half)
    return [*connection.execute(before), *connection.execute(after)]


def labels(connection: Connection, case_ids: list[int]) -> dict[int, Any]:
    """Queue, id, predicted label, title and verdict of cases."""
    query = (
        sa.select(_c.c.case_id, _c.c.queue, _c.c.external_id, _c.c.predicted_label, _c.c.title, _verdicts.c.verdict)
        .outerjoin(_verdicts, _verdicts.c.case_id == _c.c.case_id)
        .where(_c.c.case_id.in_(case_ids))
    )
    return {row.case_id: row for row in connection.execute(query)}
