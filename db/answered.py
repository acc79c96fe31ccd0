"""What the hub answered to requests with an idempotency key, so that the same is answered again.

A row with status 0 stands for a request that is being worked on. `at` tells one attempt from the next.
"""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from db.prepared import Prepared
from db.tables import metadata
from db.upserts import insert_or_update

_table = metadata.tables["answered"]
_this = (_table.c.asker == sa.bindparam("who")) & (_table.c.key == sa.bindparam("what"))
_attempt = _this & (_table.c.status == sa.literal_column("0")) & (_table.c.at == sa.bindparam("since"))
_one = Prepared(sa.select(_table.c.digest, _table.c.status, _table.c.body, _table.c.at).where(_this))
_finish = Prepared(_table.update().where(_attempt).values(status=sa.bindparam("code"), body=sa.bindparam("text")))
_drop = Prepared(_table.delete().where(_attempt))


class Kept(NamedTuple):
    """An answer, and the digest of the request it was given to; status 0: there is none yet."""

    digest: bytes
    status: int
    body: bytes
    at: int


def begin(
    connection: Connection, asker: str, key: str, digest: bytes, now: int, since: int, alive_since: int
) -> Kept | None:
    """Notes that a request is being worked on; returns None, or what was kept of an earlier one, which stays.

    What is older than `since` does not count, nor an attempt older than `alive_since` that never ended.
    """
    row = _one.first(connection, {"who": asker, "what": key})
    if row is not None and row.at > since and (row.status or row.at > alive_since):
        return Kept(bytes(row.digest), row.status, bytes(row.body), row.at)
    connection.execute(
        insert_or_update(connection, _table, ["asker", "key"], ["digest", "status", "body", "at"]),
        {"asker": asker, "key": key, "digest": digest, "status": 0, "body": b"", "at": now},
    )
    return None


def finish(connection: Connection, asker: str, key: str, begun: int, status: int, body: bytes) -> None:
    """Keeps the answer of the attempt that was begun at a moment."""
    _finish.run(connection, {"who": asker, "what": key, "since": begun, "code": status, "text": body})


def drop(connection: Connection, asker: str, key: str, begun: int) -> None:
    """Forgets the attempt that was begun at a moment: the request may be sent again as if for the first time."""
    _drop.run(connection, {"who": asker, "what": key, "since": begun})


def forget(connection: Connection, before: int) -> int:
    """Deletes what is older than a moment; returns how many rows."""
    return connection.execute(_table.delete().where(_table.c.at < before)).rowcount


def trim(connection: Connection, asker: str, most: int) -> int:
    """Deletes all but an asker's newest answers; returns how many rows."""
    mine = sa.select(_table.c.key).where(_table.c.asker == asker)
    older = mine.order_by(_table.c.at.desc(), _table.c.key).offset(most)
    # A list, since MATERIALIZED or not, both databases then delete by the primary key.
    keys = list(connection.execute(older).scalars())
    for start in range(0, len(keys), 500):
        chunk = keys[start : start + 500]
        connection.execute(_table.delete().where(_table.c.asker == asker, _table.c.key.in_(chunk)))
    return len(keys)
