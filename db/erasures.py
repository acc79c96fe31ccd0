"""What was erased: keyed digests of the ids of predictions that are not taken again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from db.prepared import Prepared
from db.tables import metadata

_erasures = metadata.tables["erasures"]
_any = Prepared(sa.select(_erasures.c.at).limit(1))


def any_yet(connection: Connection) -> bool:
    """Whether anything was ever erased."""
    return _any.first(connection, {}) is not None


def known(connection: Connection, digests: Sequence[bytes]) -> set[bytes]:
    """Those of the digests that stand for something erased."""
    found: set[bytes] = set()
    for start in range(0, len(digests), 500):
        chunk = list(digests[start : start + 500])
        found |= set(connection.execute(sa.select(_erasures.c.digest).where(_erasures.c.digest.in_(chunk))).scalars())
    return found


def note(connection: Connection, digests: Iterable[bytes], at: int) -> None:
    """Keeps digests of what is erased now."""
    new = list(digests)
    there = known(connection, new)
    rows = [{"digest": digest, "at": at} for digest in dict.fromkeys(new) if digest not in there]
    if rows:
        connection.execute(_erasures.insert(), rows)
