"""Cases in: bulk admission and look-up by the prediction's own id."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from db import search
from db.tables import metadata

_cases = metadata.tables["cases"]
_records = metadata.tables["case_records"]
_insert_case = _cases.insert()
_insert_record = _records.insert()
_known = sa.select(_cases.c.external_id, _cases.c.revision, _cases.c.content_hash).where(
    _cases.c.queue == sa.bindparam("queue"), _cases.c.external_id.in_(sa.bindparam("ids", expanding=True))
)


def known_contents(connection: Connection, queue: str, external_ids: Sequence[str]) -> dict[str, list[bytes]]:
    """Content hashes of every revision that is held of these predictions, oldest first."""
    found: dict[str, list[tuple[int, bytes]]] = {}
    for start in range(0, len(external_ids), 500):
        chunk = list(external_ids[start : start + 500])
        for external_id, revision, content in connection.execute(_known, {"queue": queue, "ids": chunk}):
            found.setdefault(external_id, []).append((revision, content))
    return {external_id: [content for _, content in sorted(rows)] for external_id, rows in found.items()}


def admit(connection: Connection, rows: list[dict[str, Any]]) -> tuple[int, int]:
    """Keeps cases. Each row has the columns of `cases`, and `record`, `features`, `has_text`, `search`.

    Returns the first and the last case_id given out.
    """
    first = _next_id(connection)
    for case_id, row in enumerate(rows, first):
        row["case_id"] = case_id
    connection.execute(_insert_case, [{k: v for k, v in row.items() if k not in _APART} for row in rows])
    connection.execute(_insert_record, [{k: row[k] for k in ("case_id", *_RECORD)} for row in rows])
    search.index(connection, [{"case_id": row["case_id"], "body": row["search"]} for row in rows])
    return first, first + len(rows) - 1


_RECORD = ("record", "features", "has_text")
_APART = frozenset({*_RECORD, "search"})


def _next_id(connection: Connection) -> int:
    """The first number above all that were ever given out."""
    given = connection.exec_driver_sql("SELECT seq FROM sqlite_sequence WHERE name = 'cases'").scalar()
    return int(given or 0) + 1


def find(connection: Connection, external_id: str, queue: str | None = None) -> list[tuple[int, str]]:
    """case_id and queue of the newest revision of a prediction, in each queue that holds it."""
    query = sa.select(_cases.c.queue, sa.func.max(_cases.c.case_id)).where(_cases.c.external_id == external_id)
    if queue:
        query = query.where(_cases.c.queue == queue)
    return [(case_id, name) for name, case_id in connection.execute(query.group_by(_cases.c.queue))]
