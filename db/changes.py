"""What has changed since a place in the log: outcomes of cases, and in which queues anything did."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from db.tables import metadata

_audit = metadata.tables["audit"]
_cases = metadata.tables["cases"]
_verdicts = metadata.tables["verdicts"]
_reviews = metadata.tables["reviews"]
_rubrics = metadata.tables["rubrics"]
_controls = metadata.tables["controls"]

# Acts after which a case may have another outcome than before.
OUTCOME_ACTS = ("decided", "undone", "settled", "erased")
# Acts that change nothing that a list or a case shows.
_SILENT = ("refused", "exported")


class Standing(NamedTuple):
    """What holds of a case now, and its newest entry in the log that bears on it.

    `verdict` is None where there is none: it was taken back, or reviews are still to come (`had_outcome` tells which).
    `queue` is None where the case was erased.
    """

    seq: int
    hash: bytes
    case_id: int
    queue: str | None
    id: str | None
    revision: int | None
    verdict: str | None
    label: str | None
    correction: str | None
    reviewers: int | None
    agreement: float | None
    settled_at: int | None
    decision_id: str | None
    rubric_id: str | None
    rubric_version: str | None
    rubric_hash: str | None


_later = _audit.alias()
_is_newest = ~sa.exists().where(
    _later.c.case_id == _audit.c.case_id, _later.c.seq > _audit.c.seq, _later.c.action.in_(OUTCOME_ACTS)
)
_standing = (
    sa.select(
        _audit.c.seq,
        _audit.c.hash,
        _audit.c.case_id,
        _cases.c.queue,
        _cases.c.external_id,
        _cases.c.revision,
        _verdicts.c.verdict,
        _verdicts.c.label,
        _verdicts.c.correction,
        _verdicts.c.reviewers,
        _verdicts.c.agreement,
        _verdicts.c.settled_at,
        _verdicts.c.review_id,
        _rubrics.c.rubric_id,
        _rubrics.c.version,
        _rubrics.c.hash,
    )
    .select_from(_audit)
    .outerjoin(_cases, _cases.c.case_id == _audit.c.case_id)
    .outerjoin(_verdicts, _verdicts.c.case_id == _audit.c.case_id)
    .outerjoin(_reviews, _reviews.c.review_id == _verdicts.c.review_id)
    .outerjoin(_rubrics, _rubrics.c.hash == _reviews.c.rubric_hash)
    .outerjoin(_controls, _controls.c.case_id == _audit.c.case_id)
    # A copy that measures somebody is no case of its own.
    .where(_audit.c.action.in_(OUTCOME_ACTS), _audit.c.case_id.is_not(None), _controls.c.case_id.is_(None), _is_newest)
    .order_by(_audit.c.seq)
)


def outcomes(connection: Connection, queues: Collection[str], after: int, until: int, limit: int) -> list[Standing]:
    """Cases of these queues whose newest act on their outcome is an entry above `after`, up to `until`, in the order of
    those entries; erased cases of any queue, since nothing says which it was."""
    erased = _cases.c.case_id.is_(None) & (_audit.c.action == "erased")
    query = _standing.where(
        _audit.c.seq > after, _audit.c.seq <= until, sa.or_(_cases.c.queue.in_(list(queues)), erased)
    )
    return [Standing._make(row) for row in connection.execute(query.limit(limit))]


def had_outcome(connection: Connection, case_ids: Collection[int]) -> set[int]:
    """Those of these cases that were settled at some time, also if that was taken back since."""
    query = sa.select(_audit.c.case_id, _audit.c.action, _audit.c.body).where(
        _audit.c.case_id.in_(list(case_ids)), _audit.c.action.in_(("decided", "settled"))
    )
    # A decision that names its stage is one of several, and settles nothing by itself.
    return {
        row.case_id
        for row in connection.execute(query)
        if row.action == "settled" or "stage" not in orjson.loads(row.body)["data"]
    }


def hash_at(connection: Connection, seq: int) -> bytes | None:
    """The hash of an entry of the log."""
    found = connection.execute(sa.select(_audit.c.hash).where(_audit.c.seq == seq)).scalar()
    return None if found is None else bytes(found)


def queues(connection: Connection, after: int, most: int) -> tuple[int, set[str] | None]:
    """The newest entry's number, and the queues in which anything changed since another one; None: maybe in all of
    them. More than `most` entries are not looked at."""
    head = int(connection.execute(sa.select(sa.func.max(_audit.c.seq))).scalar() or 0)
    if head <= after:
        return head, set()
    if head - after > most:
        return head, None
    new = sa.select(_audit.c.case_id, _cases.c.queue, _audit.c.body).select_from(_audit)
    new = new.outerjoin(_cases, _cases.c.case_id == _audit.c.case_id)
    found: set[str] = set()
    for row in connection.execute(new.where(_audit.c.seq > after, _audit.c.action.not_in(_SILENT))):
        if row.case_id is not None and row.queue is None:
            # The case was erased: nothing says of which queue it was.
            return head, None
        queue = row.queue or _named(row.body)
        if queue:
            found.add(queue)
    return head, found


def _named(body: Any) -> str | None:
    """The queue that an entry without a case speaks of."""
    queue = orjson.loads(body)["data"].get("queue")
    return queue if isinstance(queue, str) else None
