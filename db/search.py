"""Words of cases, in an index. Only protected text comes in here."""

from __future__ import annotations

import re
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from db.bulk import insert_many

_INDEX = sa.text("INSERT INTO case_texts (rowid, body) VALUES (:case_id, :search)")
_WORDS = re.compile(r"\w+")


def index(connection: Connection, rows: list[dict[str, Any]]) -> None:
    """Adds rows of `case_id` and `search`."""
    insert_many(connection, _INDEX, rows)


def reindex(connection: Connection, case_id: int, body: str) -> None:
    """Another text for a case; the old words leave the file as well."""
    connection.execute(sa.text("DELETE FROM case_texts WHERE rowid = :id"), {"id": case_id})
    connection.execute(_INDEX, {"case_id": case_id, "search": body})
    merge(connection)


def drop(connection: Connection, case_id: int) -> int:
    """Takes a case out of the index; its words stay in the file until `merge`."""
    return connection.execute(sa.text("DELETE FROM case_texts WHERE rowid = :id"), {"id": case_id}).rowcount


def merge(connection: Connection) -> None:
    """Writes the index anew, without the words of texts that were taken out."""
    connection.execute(sa.text("INSERT INTO case_texts (case_texts) VALUES ('optimize')"))


def containing_all(connection: Connection, text: str, limit: int) -> list[int]:
    """Newest cases that contain every word; the last word may be a beginning."""
    words = _WORDS.findall(text)
    if not words:
        return []
    query = " ".join(f'"{word}"' for word in words) + "*"
    return _match(connection, query, limit)


def containing_any(connection: Connection, words: list[str], limit: int) -> list[int]:
    """Newest cases that contain at least one of the words."""
    return _match(connection, " OR ".join(f'"{word}"' for word in words), limit) if words else []


def bodies(connection: Connection, case_ids: list[int]) -> dict[int, str]:
    """The indexed text of cases."""
    query = sa.text("SELECT rowid, body FROM case_texts WHERE rowid IN :ids").bindparams(
        sa.bindparam("ids", expanding=True)
    )
    return {row.rowid: row.body for row in connection.execute(query, {"ids": case_ids})}


def _match(connection: Connection, query: str, limit: int) -> list[int]:
    found = connection.execute(
        sa.text("SELECT rowid FROM case_texts WHERE case_texts MATCH :query ORDER BY rowid DESC LIMIT :limit"),
        {"query": query, "limit": limit},
    )
    return [row[0] for row in found]
