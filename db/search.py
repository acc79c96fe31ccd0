"""Words of cases, in an index: SQLite's FTS5, or PostgreSQL's text search. Only protected text comes in here.

Both find words without regard to case and diacritics. FTS5 folds by itself; for PostgreSQL words are folded here, so
that no extension of the server is needed.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from db.bulk import copy_many, insert_many

_INDEX = sa.text("INSERT INTO case_texts (rowid, body) VALUES (:case_id, :search)")
_WORDS = re.compile(r"[^\W_]+")
# PostgreSQL takes a word of at most 2 KB, and a megabyte of words.
_LONGEST_WORD = 200
_MOST_WORDS = 10_000


def index(connection: Connection, rows: list[dict[str, Any]]) -> None:
    """Adds rows of `case_id` and `search`."""
    if _is_postgres(connection):
        with_words = [
            {"case_id": row["case_id"], "body": row["search"], "words": _tsvector(_folded_words(row["search"]))}
            for row in rows
        ]
        copy_many(connection, "case_texts", ("case_id", "body", "words"), with_words)
    else:
        insert_many(connection, _INDEX, rows)


def reindex(connection: Connection, case_id: int, body: str) -> None:
    """Another text for a case; the old words leave the file as well."""
    drop(connection, case_id)
    index(connection, [{"case_id": case_id, "search": body}])
    merge(connection)


def drop(connection: Connection, case_id: int) -> int:
    """Takes a case out of the index; its words stay in the file until `merge`."""
    key = "case_id" if _is_postgres(connection) else "rowid"
    return connection.execute(sa.text(f"DELETE FROM case_texts WHERE {key} = :id"), {"id": case_id}).rowcount


def merge(connection: Connection) -> None:
    """Writes the index anew, without the words of texts that were taken out. In PostgreSQL that is VACUUM's work."""
    if not _is_postgres(connection):
        connection.execute(sa.text("INSERT INTO case_texts (case_texts) VALUES ('optimize')"))


def containing_all(connection: Connection, text: str, limit: int) -> list[int]:
    """Newest cases that contain every word; the last word may be a beginning."""
    words = _WORDS.findall(text)
    if not words:
        return []
    if _is_postgres(connection):
        return _match_words(connection, " & ".join(_lexemes(words)) + ":*", limit)
    return _match(connection, " ".join(f'"{word}"' for word in words) + "*", limit)


def containing_any(connection: Connection, words: list[str], limit: int) -> list[int]:
    """Newest cases that contain at least one of the words."""
    if not words:
        return []
    if _is_postgres(connection):
        found = [part for word in words for part in _WORDS.findall(word)]
        return _match_words(connection, " | ".join(_lexemes(found)), limit) if found else []
    return _match(connection, " OR ".join(f'"{word}"' for word in words), limit)


def bodies(connection: Connection, case_ids: list[int]) -> dict[int, str]:
    """The indexed text of cases."""
    key = "case_id" if _is_postgres(connection) else "rowid"
    query = sa.text(f"SELECT {key}, body FROM case_texts WHERE {key} IN :ids").bindparams(
        sa.bindparam("ids", expanding=True)
    )
    return {row[0]: row.body for row in connection.execute(query, {"ids": case_ids})}


def _match(connection: Connection, query: str, limit: int) -> list[int]:
    found = connection.execute(
        sa.text("SELECT rowid FROM case_texts WHERE case_texts MATCH :query ORDER BY rowid DESC LIMIT :limit"),
        {"query": query, "limit": limit},
    )
    return [row[0] for row in found]


# -- PostgreSQL ---------------------------------------------------------------------------------------


def _is_postgres(connection: Connection) -> bool:
    return connection.dialect.name == "postgresql"


def _match_words(connection: Connection, query: str, limit: int) -> list[int]:
    found = connection.execute(
        sa.text(
            "SELECT case_id FROM case_texts WHERE words @@ CAST(:query AS tsquery) ORDER BY case_id DESC LIMIT :limit"
        ),
        {"query": query, "limit": limit},
    )
    return [row[0] for row in found]


def _lexemes(words: list[str]) -> list[str]:
    """Words as a tsquery writes them. They hold letters and digits only, so that none needs an escape."""
    return [f"'{_folded(word)}'" for word in words]


def _folded_words(text: str) -> list[str]:
    """The different words of a text, folded, the first of them where there are too many."""
    found = dict.fromkeys(_folded(word) for word in _WORDS.findall(text))
    return list(found)[:_MOST_WORDS]


def _tsvector(words: list[str]) -> str:
    """Words as PostgreSQL reads a tsvector."""
    quoted = (word.replace("\\", "\\\\").replace("'", "''") for word in words)
    return " ".join(f"'{word}'" for word in quoted)


def _folded(word: str) -> str:
    """Without case and diacritics, and not too long."""
    if word.isascii():
        return word.lower()[:_LONGEST_WORD]
    plain = "".join(c for c in unicodedata.normalize("NFKD", word) if not unicodedata.combining(c))
    return plain.lower()[:_LONGEST_WORD]
