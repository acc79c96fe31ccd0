"""Cases in: bulk admission and look-up by the prediction's own id."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, repeat
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from db import search
from db.bulk import insert_many
from db.tables import metadata

# Columns that admission fills; the others have their defaults.
ADMITTED = (
    *("case_id", "queue", "external_id", "revision", "content_hash", "source", "state", "priority", "due_at"),
    *("admitted_at", "severity", "flag", "title", "domain", "subject", "split_bucket", "predicted_label"),
    *("predicted_score", "model_name", "model_version", "sampling_reason", "sampling_probability"),
    "language",
)
_cases = metadata.tables["cases"]
_records = metadata.tables["case_records"]
_insert_case = _cases.insert().values({name: sa.bindparam(name) for name in ADMITTED})
_insert_record = _records.insert().values(
    {name: sa.bindparam(name) for name in ("case_id", "record", "features", "has_text")}
)
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


def admit(connection: Connection, rows: list[dict[str, Any]], steps: Sequence[int] | None = None) -> tuple[int, int]:
    """Keeps cases. A row has the columns of `ADMITTED` but `case_id`; `record`, `features`, `has_text`; `search`.

    `steps` say how far each number is from the one before; without them the numbers have no gaps. Returns the first
    and the last case_id given out.
    """
    taken = len(rows) if steps is None else sum(steps)
    before = _give_ids(connection, taken) - 1
    numbers = (before + step for step in accumulate(steps or repeat(1, len(rows))))
    for case_id, row in zip(numbers, rows, strict=True):
        row["case_id"] = case_id
    _insert(connection, rows)
    return rows[0]["case_id"], rows[-1]["case_id"]


def admit_as(connection: Connection, row: dict[str, Any]) -> None:
    """Keeps one case under the `case_id` that its row names: a number that was left free."""
    _insert(connection, [row])


def _insert(connection: Connection, rows: list[dict[str, Any]]) -> None:
    insert_many(connection, _insert_case, rows)
    insert_many(connection, _insert_record, rows)
    search.index(connection, rows)


def rewrite(connection: Connection, case_id: int, row: dict[str, Any]) -> None:
    """Puts another protected record in place of a case's: `record`, `features`, `title`, `flag`, `search`, …"""
    of_case = {name: row[name] for name in row if name in ADMITTED}
    connection.execute(_cases.update().where(_cases.c.case_id == case_id).values(of_case))
    record = {name: row[name] for name in ("record", "features", "has_text")}
    connection.execute(_records.update().where(_records.c.case_id == case_id).values(record))
    search.reindex(connection, case_id, row["search"])


def _give_ids(connection: Connection, count: int) -> int:
    """The first of `count` numbers above all that were ever given out."""
    if connection.dialect.name == "postgresql":
        # Nobody else gives numbers out meanwhile: writers come one after the other.
        sequence = "pg_get_serial_sequence('cases', 'case_id')"
        first = int(connection.exec_driver_sql(f"SELECT nextval({sequence})").scalar_one())
        connection.exec_driver_sql(f"SELECT setval({sequence}, {first + count - 1})")
        return first
    given = connection.exec_driver_sql("SELECT seq FROM sqlite_sequence WHERE name = 'cases'").scalar()
    return int(given or 0) + 1


def find(connection: Connection, external_id: str, queue: str | None = None) -> list[tuple[int, str]]:
    """case_id and queue of the newest revision of a prediction, in each queue that holds it."""
    query = sa.select(_cases.c.queue, sa.func.max(_cases.c.case_id)).where(_cases.c.external_id == external_id)
    if queue:
        query = query.where(_cases.c.queue == queue)
    return [(case_id, name) for name, case_id in connection.execute(query.group_by(_cases.c.queue))]
