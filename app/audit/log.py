"""Appending to the audit log."""

from __future__ import annotations

from app.audit.chain import GENESIS, Data, canonical, link
from db import audit
from db.engine import Connection

CHAIN = audit.Chain(canonical, link, GENESIS)


def append(connection: Connection, at: int, actor: str, action: str, case_id: int | None, data: Data) -> int:
    """Appends an entry in the caller's transaction and returns its number."""
    return audit.append(connection, CHAIN, at, actor, action, case_id, data)
