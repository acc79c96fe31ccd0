"""The audit log's rows. Entries are appended inside the transaction of the act they speak of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from db.prepared import Prepared
from db.tables import metadata

_audit = metadata.tables["audit"]
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
    head = _newest.first(connection, {})
    seq, previous = (head.seq + 1, head.hash) if head else (1, chain.genesis)
    body = chain.canonical(seq, at, actor, action, case_id, data)
    _insert.run(
        connection,
        {
            "seq": seq,
            "at": at,
            "actor": actor,
            "action": action,
            "case_id": case_id,
            "body": body,
            "hash": chain.link(previous, body),
        },
    )
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


def of_case(connection: Connection, case_id: int, limit: int = 200) -> list[Entry]:
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
