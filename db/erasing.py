"""Deleting everything that is kept of cases. What a new table keeps of a case is to be deleted here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from db import controls, search
from db.tables import metadata

_cases = metadata.tables["cases"]
_reviews = metadata.tables["reviews"]
_retractions = metadata.tables["retractions"]
_verdicts = metadata.tables["verdicts"]
_reveals = metadata.tables["reveals"]
_exports = metadata.tables["exports"]
_OF_A_CASE = (
    *("case_records", "verdicts", "judgements", "drafts", "marks", "sealed_values", "sealed_keys", "reviews"),
    *("origins", "deliveries", "outbox", "controls", "gold"),
    "cases",
)


class Doomed(NamedTuple):
    """A case to be erased, and who holds it until when."""

    case_id: int
    queue: str
    external_id: str
    revision: int
    state: str
    holder: str | None
    until: int | None
    subject: str | None


class Export(NamedTuple):
    """A dataset that was written; `seq` is its entry in the log."""

    seq: int
    queue: str
    folder: str
    file: str
    rows: int
    sha256: str
    at: int


_doomed = sa.select(
    _cases.c.case_id,
    _cases.c.queue,
    _cases.c.external_id,
    _cases.c.revision,
    _cases.c.state,
    _cases.c.lease_owner,
    _cases.c.wake_at,
    _cases.c.subject,
)


def in_bucket(connection: Connection, bucket: int) -> list[Doomed]:
    """Cases whose subject falls into a bucket of the split: among them all of one subject."""
    return [Doomed(*row) for row in connection.execute(_doomed.where(_cases.c.split_bucket == bucket))]


def cases(connection: Connection, case_ids: Sequence[int]) -> list[Doomed]:
    """These cases, as far as they are there."""
    return [Doomed(*row) for row in connection.execute(_doomed.where(_cases.c.case_id.in_(list(case_ids))))]


def revisions(connection: Connection, case_id: int) -> list[Doomed]:
    """All revisions of the prediction behind a case, and copies that were made of them."""
    meant = sa.select(_cases.c.queue, _cases.c.external_id).where(_cases.c.case_id == case_id).subquery()
    same = (_cases.c.queue == meant.c.queue) & (_cases.c.external_id == meant.c.external_id)
    return with_copies(connection, [Doomed(*row) for row in connection.execute(_doomed.join(meant, same))])


def with_copies(connection: Connection, found: list[Doomed]) -> list[Doomed]:
    """Cases, and the copies that were made of them to measure people."""
    known = {case.case_id for case in found}
    return [*found, *cases(connection, sorted(controls.family(connection, known) - known))]


def settled_before(connection: Connection, queue: str, moment: int, limit: int) -> list[int]:
    """Cases of a queue that were settled before a moment."""
    query = _settled_before(sa.select(_verdicts.c.case_id), queue, moment).order_by(_verdicts.c.case_id)
    return list(connection.execute(query.limit(limit)).scalars())


def count_settled_before(connection: Connection, queue: str, moment: int) -> int:
    """How many cases of a queue were settled before a moment."""
    return int(connection.execute(_settled_before(sa.select(sa.func.count()), queue, moment)).scalar_one())


def _settled_before(query: sa.Select[Any], queue: str, moment: int) -> sa.Select[Any]:
    joined = query.select_from(_verdicts).join(_cases, _cases.c.case_id == _verdicts.c.case_id)
    return joined.where(_cases.c.queue == queue, _verdicts.c.settled_at < moment)


def erase(connection: Connection, case_id: int) -> dict[str, int]:
    """Deletes everything of a case but its entries in the log; returns how many rows went from which table.

    Requests to reveal stay as a record that somebody asked, without their reason.
    """
    gone = {"case_texts": search.drop(connection, case_id)}
    of_case = sa.select(_reviews.c.review_id).where(_reviews.c.case_id == case_id)
    gone["retractions"] = connection.execute(
        _retractions.delete().where(_retractions.c.review_id.in_(of_case))
    ).rowcount
    for name in _OF_A_CASE:
        table = metadata.tables[name]
        gone[name] = connection.execute(table.delete().where(table.c.case_id == case_id)).rowcount
    blank: dict[str, Any] = {"state": "erased", "reason": "", "salt": b"", "challenge": None}
    connection.execute(_reveals.update().where(_reveals.c.case_id == case_id).values(blank))
    return gone


def note_export(connection: Connection, export: Export) -> None:
    """Keeps where a dataset went."""
    connection.execute(_exports.insert(), export._asdict())


def exports(connection: Connection, queue: str) -> list[Export]:
    """Datasets that were written of a queue, oldest first."""
    return [Export(*row) for row in connection.execute(sa.select(_exports).where(_exports.c.queue == queue))]
