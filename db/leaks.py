"""Reported leaks that wait for a lead: kept as marks of their cases, and gone with them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from db.tables import metadata
from db.upserts import insert_or_update

_KIND = "leak"
# The most texts that are kept of one person's reports about one case; the newest stay.
_MOST_TEXTS = 50
_cases = metadata.tables["cases"]
_marks = metadata.tables["marks"]


class Waiting(NamedTuple):
    """What one person reported of a case."""

    case_id: int
    external_id: str
    queue: str
    person: str
    texts: tuple[str, ...]
    at: int


_waiting = (
    sa.select(_cases.c.case_id, _cases.c.external_id, _cases.c.queue, _marks.c.person, _marks.c.note, _marks.c.at)
    .join(_cases, _cases.c.case_id == _marks.c.case_id)
    .where(_marks.c.kind == _KIND)
    .order_by(_marks.c.at, _marks.c.case_id, _marks.c.person)
)


def waiting(connection: Connection, case_ids: Sequence[int] | None = None) -> list[Waiting]:
    """Reports that wait, the oldest first; of some cases, if those are given."""
    query = _waiting if case_ids is None else _waiting.where(_marks.c.case_id.in_(case_ids))
    return [Waiting(*row[:4], tuple(orjson.loads(row[4])), row[5]) for row in connection.execute(query)]


def add(connection: Connection, case_id: int, person: str, text: str, at: int) -> None:
    """Keeps a report for a lead; the same text counts once."""
    before = [one.texts for one in waiting(connection, [case_id]) if one.person == person]
    texts = [*(one for texts in before for one in texts if one != text), text]
    keep(connection, case_id, person, texts[-_MOST_TEXTS:], at)


def keep(connection: Connection, case_id: int, person: str, texts: Sequence[str], at: int) -> None:
    """Keeps these texts of a person's reports of a case, and no others."""
    if texts:
        row = {"case_id": case_id, "person": person, "kind": _KIND, "note": orjson.dumps(texts).decode(), "at": at}
        connection.execute(insert_or_update(connection, _marks, ["case_id", "person", "kind"], ["note", "at"]), row)
        return
    mine = _marks.c.case_id == case_id, _marks.c.person == person, _marks.c.kind == _KIND
    connection.execute(_marks.delete().where(*mine))


def drop(connection: Connection, case_id: int) -> int:
    """Forgets what was reported of a case; returns how many people's reports that were."""
    return connection.execute(_marks.delete().where(_marks.c.case_id == case_id, _marks.c.kind == _KIND)).rowcount
