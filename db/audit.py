"""The audit log's rows. Entries are appended inside the transaction of the act they speak of."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from db import later
from db.bulk import select_many
from db.later import LOG_HEAD
from db.prepared import Prepared
from db.tables import metadata

_audit = metadata.tables["audit"]
_reviews = metadata.tables["reviews"]
_officers = metadata.tables["officers"]
_head = sa.select(_audit.c.seq, _audit.c.hash).order_by(_audit.c.seq.desc()).limit(1)
_newest = Prepared(_head)
_insert = Prepared(_audit.insert())

Data = Mapping[str, int | str]


class Entry(NamedTuple):
    """One row of the log."""

    seq: int
    at: int
    actor: str
    action: str
    case_id: int | None
    body: bytes
    hash: bytes


class Chain(NamedTuple):
    """How entries become bytes and hashes; given by `app.audit`, which owns the format."""

    canonical: Callable[[int, int, str, str, int | None, Data], bytes]
    link: Callable[[bytes, bytes], bytes]
    genesis: bytes


def append(
    connection: Connection, chain: Chain, at: int, actor: str, action: str, case_id: int | None, data: Data
) -> int:
    """Appends one entry and returns its sequence number."""
    if LOG_HEAD not in connection.info:
        later.flush(connection)
    head = connection.info.get(LOG_HEAD)
    if head is None:
        head = _newest.first(connection, {})
    seq, previous = (head[0] + 1, head[1]) if head else (1, chain.genesis)
    body = chain.canonical(seq, at, actor, action, case_id, data)
    entry = {"seq": seq, "at": at, "actor": actor, "action": action, "case_id": case_id, "body": body}
    entry["hash"] = chain.link(previous, body)
    _insert.put(connection, entry)
    if LOG_HEAD in connection.info:
        connection.info[LOG_HEAD] = (seq, entry["hash"])
    return seq


def head(connection: Connection, leave_out: str | None = None) -> tuple[int, bytes] | None:
    """Number and hash of the newest entry, or of the newest whose action is not `leave_out`."""
    query = _head if leave_out is None else _head.where(_audit.c.action != leave_out)
    row = connection.execute(query).first()
    return (row.seq, row.hash) if row else None


def entries(connection: Connection, after: int = 0, limit: int | None = None) -> Iterator[Entry]:
    """Entries in order, streamed."""
    query = sa.select(_audit).where(_audit.c.seq > after).order_by(_audit.c.seq)
    result = connection.execution_options(yield_per=2000).execute(query.limit(limit) if limit else query)
    for row in result:
        yield Entry(*row)


def of_case(connection: Connection, case_id: int, limit: int | None = 200) -> list[Entry]:
    """A case's newest entries, newest first."""
    query = sa.select(_audit).where(_audit.c.case_id == case_id).order_by(_audit.c.seq.desc()).limit(limit)
    return [Entry(*row) for row in connection.execute(query)]


def count_actions(connection: Connection, actor: str, since: int) -> dict[str, int]:
    """How often a person did what since a moment."""
    query = (
        sa.select(_audit.c.action, sa.func.count())
        .where(_audit.c.actor == actor, _audit.c.at >= since)
        .group_by(_audit.c.action)
    )
    return {row[0]: row[1] for row in connection.execute(query)}


def body_of(connection: Connection, seq: int) -> bytes | None:
    """The bytes of one entry."""
    return connection.execute(sa.select(_audit.c.body).where(_audit.c.seq == seq)).scalar()


def newest(connection: Connection, case_id: int, action: str) -> int | None:
    """The number of a case's newest entry with this action."""
    query = sa.select(sa.func.max(_audit.c.seq)).where(_audit.c.case_id == case_id, _audit.c.action == action)
    return connection.execute(query).scalar()


def last(connection: Connection, case_id: int, action: str) -> Entry | None:
    """A case's newest entry with this action."""
    query = sa.select(_audit).where(_audit.c.case_id == case_id, _audit.c.action == action)
    row = connection.execute(query.order_by(_audit.c.seq.desc()).limit(1)).first()
    return Entry(*row) if row else None


# For verification: rows as they are stored, whatever an intruder made of them.

# Rows that are fetched at once: their bodies stay in the processor's cache.
_CHUNK = 2000


@contextmanager
def any_text(connection: Connection) -> Iterator[None]:
    """Within this, text that is no UTF-8 is read (its odd bytes as lone surrogates) and raises nothing.

    Only SQLite lets such text in.
    """
    driver = connection.connection.dbapi_connection
    if not isinstance(driver, sqlite3.Connection):
        yield
        return
    usual = driver.text_factory
    driver.text_factory = partial(str, encoding="utf-8", errors="surrogateescape")
    try:
        yield
    finally:
        driver.text_factory = usual


def stored(connection: Connection) -> Iterator[list[tuple[Any, ...]]]:
    """The log in order, in lists of tuples with the fields of `Entry`."""
    return select_many(connection, sa.select(_audit).order_by(_audit.c.seq), _CHUNK)


def bodies(connection: Connection, limit: int) -> Iterator[bytes]:
    """The bytes of the first `limit` entries."""
    for rows in select_many(connection, sa.select(_audit.c.body).order_by(_audit.c.seq).limit(limit), _CHUNK):
        for (body,) in rows:
            yield body


def stored_reviews(connection: Connection, columns: Sequence[str]) -> Iterator[list[tuple[Any, ...]]]:
    """All reviews in lists of tuples with these columns."""
    return select_many(connection, sa.select(*(_reviews.c[name] for name in columns)), _CHUNK)


def officer_rows(connection: Connection) -> list[tuple[Any, ...]]:
    """key_id, person, public_key and retired_at of every officer's key, by key_id."""
    columns = (_officers.c.key_id, _officers.c.person, _officers.c.public_key, _officers.c.retired_at)
    return [
        row
        for rows in select_many(connection, sa.select(*columns).order_by(_officers.c.key_id), _CHUNK)
        for row in rows
    ]
