"""Tokens of people and programs: whose they are, what they may, and until when. The token itself is not kept."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from db.prepared import Prepared
from db.tables import metadata

_table = metadata.tables["tokens"]


class Token(NamedTuple):
    """A token as kept; `roles` are separated by spaces. Times are milliseconds since 1970 UTC."""

    token_id: str
    person: str
    roles: str
    created_at: int
    expires_at: int
    revoked_at: int | None


_columns = [_table.c[name] for name in Token._fields]
_by_digest = Prepared(sa.select(*_columns).where(_table.c.digest == sa.bindparam("wanted")))


def keep(connection: Connection, token: Token, digest: bytes) -> None:
    """Keeps a new token's digest."""
    connection.execute(_table.insert(), {**token._asdict(), "digest": digest})


def by_digest(connection: Connection, digest: bytes) -> Token | None:
    """The token with this digest, valid or not."""
    row = _by_digest.first(connection, {"wanted": digest})
    return Token(*row) if row else None


def valid(connection: Connection, token_ids: Collection[str], now: int) -> set[str]:
    """Those of the tokens that are neither revoked nor expired."""
    found: set[str] = set()
    wanted = sorted(token_ids)
    for start in range(0, len(wanted), 500):
        query = sa.select(_table.c.token_id).where(
            _table.c.token_id.in_(wanted[start : start + 500]), _table.c.revoked_at.is_(None), _table.c.expires_at > now
        )
        found |= set(connection.execute(query).scalars())
    return found


def listed(connection: Connection) -> list[Token]:
    """All tokens, newest first."""
    query = sa.select(*_columns).order_by(_table.c.created_at.desc(), _table.c.token_id)
    return [Token(*row) for row in connection.execute(query)]


def revoke(connection: Connection, token_id: str, now: int) -> bool:
    """Ends a token; False where there is none, or it was ended before."""
    change = _table.update().where(_table.c.token_id == token_id, _table.c.revoked_at.is_(None))
    return connection.execute(change.values(revoked_at=now)).rowcount == 1
