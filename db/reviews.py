"""Reviews, verdicts, first judgements, drafts, marks and rubric versions."""

from __future__ import annotations

from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from db.prepared import Prepared
from db.tables import metadata
from db.upserts import insert_or, insert_or_update

# Between what one person wrote of a case at several times, and how much of it is kept.
BETWEEN_NOTES = " · "
_MOST_NOTED = 100_000
_cases = metadata.tables["cases"]
_records = metadata.tables["case_records"]
_reviews = metadata.tables["reviews"]
_retractions = metadata.tables["retractions"]
_verdicts = metadata.tables["verdicts"]
_judgements = metadata.tables["judgements"]
_drafts = metadata.tables["drafts"]
_marks = metadata.tables["marks"]
_rubrics = metadata.tables["rubrics"]

_insert_review = Prepared(_reviews.insert())
_insert_verdict = Prepared(_verdicts.insert())
_review = sa.select(_reviews, _retractions.c.at.label("retracted_at")).outerjoin(
    _retractions, _retractions.c.review_id == _reviews.c.review_id
)
_by_id = Prepared(_review.where(_reviews.c.review_id == sa.bindparam("id")))
_standing = Prepared(
    _review.where(_reviews.c.case_id == sa.bindparam("case_id"), _retractions.c.at.is_(None)).order_by(_reviews.c.seq)
)
_drop_draft = Prepared(
    _drafts.delete().where(_drafts.c.case_id == sa.bindparam("id"), _drafts.c.person == sa.bindparam("who"))
)
_judgement = Prepared(
    sa.select(_judgements.c.label, _judgements.c.confidence, _judgements.c.at).where(
        _judgements.c.case_id == sa.bindparam("case_id"), _judgements.c.person == sa.bindparam("person")
    )
)


class Judged(NamedTuple):
    """A first judgement as kept."""

    label: str
    confidence: int | None
    at: int


def add(connection: Connection, review: dict[str, Any]) -> None:
    """Keeps a review; columns of `reviews`."""
    _insert_review.put(connection, review)


def by_id(connection: Connection, review_id: str) -> Any:
    """A review with `retracted_at`."""
    return _by_id.first(connection, {"id": review_id})


def of_case(connection: Connection, case_id: int) -> list[Row[Any]]:
    """All reviews of a case, oldest first."""
    return list(connection.execute(_review.where(_reviews.c.case_id == case_id).order_by(_reviews.c.seq)))


def standing(connection: Connection, case_id: int) -> list[Any]:
    """The reviews of a case that were not taken back, oldest first."""
    return _standing.all(connection, {"case_id": case_id})


def stands(connection: Connection, case_id: int, person: str) -> bool:
    """Whether a person's review of a case stands."""
    return any(row.person == person for row in standing(connection, case_id))


def latest(connection: Connection, person: str, case_id: int | None = None) -> Row[Any] | None:
    """A person's newest review that stands, of one case or of any."""
    query = _review.where(_reviews.c.person == person, _retractions.c.at.is_(None))
    if case_id is not None:
        query = query.where(_reviews.c.case_id == case_id)
    return connection.execute(query.order_by(_reviews.c.seq.desc()).limit(1)).first()


def since(connection: Connection, person: str, moment: int) -> list[Row[Any]]:
    """A person's reviews since a moment, with `retracted_at`."""
    return list(connection.execute(_review.where(_reviews.c.person == person, _reviews.c.decided_at >= moment)))


def retract(connection: Connection, review_id: str, person: str, at: int) -> None:
    """Takes a review back."""
    connection.execute(_retractions.insert(), {"review_id": review_id, "person": person, "at": at})


def retracted(connection: Connection) -> set[str]:
    """The ids of all reviews that were taken back."""
    return set(connection.execute(sa.select(_retractions.c.review_id)).scalars())


def unsound_verdicts(connection: Connection) -> list[int]:
    """Cases whose outcome is not what a review that stands says."""
    joined = _verdicts.outerjoin(_reviews, _reviews.c.review_id == _verdicts.c.review_id)
    joined = joined.outerjoin(_retractions, _retractions.c.review_id == _verdicts.c.review_id)
    same = ("case_id", "verdict", "label", "correction")
    differs = [_verdicts.c[name].is_distinct_from(_reviews.c[name]) for name in same]
    wrong = sa.select(_verdicts.c.case_id).select_from(joined).where(sa.or_(_retractions.c.at.is_not(None), *differs))
    return sorted(connection.execute(wrong).scalars())


def outcomes(connection: Connection) -> dict[int, tuple[str, int, float]]:
    """By case: the review that its outcome follows, how many reviewed it, and which share agreed."""
    columns = (_verdicts.c.case_id, _verdicts.c.review_id, _verdicts.c.reviewers, _verdicts.c.agreement)
    return {row[0]: (row[1], row[2], row[3]) for row in connection.execute(sa.select(*columns))}


def set_verdict(connection: Connection, verdict: dict[str, Any]) -> None:
    """Keeps the settled outcome of a case; columns of `verdicts`."""
    _insert_verdict.put(connection, verdict)


def drop_verdict(connection: Connection, case_id: int) -> None:
    """Removes a case's derived outcome."""
    connection.execute(_verdicts.delete().where(_verdicts.c.case_id == case_id))


def judge(connection: Connection, case_id: int, person: str, label: str, confidence: int | None, at: int) -> None:
    """Keeps a first judgement; the first one stays."""
    connection.execute(
        insert_or(connection, _judgements).on_conflict_do_nothing(),
        {"case_id": case_id, "person": person, "label": label, "confidence": confidence, "at": at},
    )


def judgement(connection: Connection, case_id: int, person: str) -> Judged | None:
    """A person's first judgement of a case."""
    row = _judgement.first(connection, {"case_id": case_id, "person": person})
    return Judged(*row) if row else None


def save_draft(connection: Connection, case_id: int, person: str, rubric_hash: str, body: str, at: int) -> None:
    """Keeps answers that are not submitted."""
    connection.execute(
        insert_or_update(connection, _drafts, ["case_id", "person", "rubric_hash"], ["body", "updated_at"]),
        {"case_id": case_id, "person": person, "rubric_hash": rubric_hash, "body": body, "updated_at": at},
    )


def drafts(connection: Connection, case_id: int) -> list[Row[Any]]:
    """All drafts of a case: `person`, `rubric_hash`, `body`."""
    query = sa.select(_drafts.c.person, _drafts.c.rubric_hash, _drafts.c.body).where(_drafts.c.case_id == case_id)
    return list(connection.execute(query))


def drop_draft(connection: Connection, case_id: int, person: str) -> None:
    """Forgets what a person has drafted for a case."""
    _drop_draft.put(connection, {"id": case_id, "who": person})


def count_drafts(connection: Connection, person: str) -> int:
    """How many cases a person has drafted and not decided."""
    return int(connection.execute(sa.select(sa.func.count()).where(_drafts.c.person == person)).scalar_one())


def mark(connection: Connection, case_id: int, person: str, kind: str, note: str, at: int) -> None:
    """Notes that a person skipped or flagged a case. What they wrote of this kind before stays in front of the note;
    what is sent twice stands there once."""
    mine = _marks.c.case_id == case_id, _marks.c.person == person, _marks.c.kind == kind
    before = connection.execute(sa.select(_marks.c.note).where(*mine)).scalar()
    if before:
        note = before if note in before.split(BETWEEN_NOTES) else f"{before}{BETWEEN_NOTES}{note}"[-_MOST_NOTED:]
    connection.execute(
        insert_or_update(connection, _marks, ["case_id", "person", "kind"], ["note", "at"]),
        {"case_id": case_id, "person": person, "kind": kind, "note": note, "at": at},
    )


def notes(connection: Connection, case_id: int) -> dict[tuple[str, str], str]:
    """What people wrote about a case, by person and kind."""
    query = sa.select(_marks.c.person, _marks.c.kind, _marks.c.note).where(_marks.c.case_id == case_id)
    return {(row.person, row.kind): row.note for row in connection.execute(query)}


class Noted(NamedTuple):
    """A mark with its words."""

    person: str
    kind: str
    note: str
    at: int


def marks(connection: Connection, case_id: int) -> list[Noted]:
    """The marks of a case, newest first."""
    columns = (_marks.c.person, _marks.c.kind, _marks.c.note, _marks.c.at)
    query = sa.select(*columns).where(_marks.c.case_id == case_id).order_by(_marks.c.at.desc(), _marks.c.kind)
    return [Noted(*row) for row in connection.execute(query)]


def noted(connection: Connection, queues: list[str], limit: int | None) -> list[int]:
    """Cases with a note for the lead that is newer than when a lead last marked them as seen; oldest note first."""
    seen = _marks.alias("seen")
    is_seen = sa.select(sa.literal(1)).where(
        seen.c.case_id == _marks.c.case_id, seen.c.kind == "seen", seen.c.at >= _marks.c.at
    )
    query = (
        sa.select(_marks.c.case_id)
        .join(_cases, _cases.c.case_id == _marks.c.case_id)
        .where(_marks.c.kind == "flag", _cases.c.queue.in_(queues), ~is_seen.exists())
        .group_by(_marks.c.case_id)
        .order_by(sa.func.min(_marks.c.at), _marks.c.case_id)
    )
    return list(connection.execute(query.limit(limit) if limit else query).scalars())


def has_parked(connection: Connection, case_ids: list[int], person: str) -> set[int]:
    """Those of the cases that a person has parked."""
    query = sa.select(_marks.c.case_id).where(
        _marks.c.case_id.in_(case_ids), _marks.c.person == person, _marks.c.kind == "park"
    )
    return set(connection.execute(query).scalars())


def marked(connection: Connection, case_id: int, person: str, kind: str) -> bool:
    """Whether a person has put a mark of a kind on a case."""
    query = sa.select(_marks.c.at).where(_marks.c.case_id == case_id, _marks.c.person == person, _marks.c.kind == kind)
    return connection.execute(query).first() is not None


def unmark(connection: Connection, kind: str, person: str, queue: str | None = None) -> int:
    """Forgets a person's marks of a kind; returns how many there were."""
    gone = _marks.delete().where(_marks.c.person == person, _marks.c.kind == kind)
    if queue:
        gone = gone.where(_marks.c.case_id.in_(sa.select(_cases.c.case_id).where(_cases.c.queue == queue)))
    return connection.execute(gone).rowcount


def register_rubric(connection: Connection, row: dict[str, Any]) -> None:
    """Keeps a rubric's content under its hash, once."""
    connection.execute(insert_or(connection, _rubrics).on_conflict_do_nothing(), row)


def rubric_body(connection: Connection, rubric_hash: str) -> str:
    """The content of a rubric that a review was made under."""
    return str(connection.execute(sa.select(_rubrics.c.body).where(_rubrics.c.hash == rubric_hash)).scalar_one())
