"""Officers' public keys, and what is sealed to them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from db.bulk import insert_many, select_many
from db.tables import metadata

_cases = metadata.tables["cases"]
_officers = metadata.tables["officers"]
_values = metadata.tables["sealed_values"]
_keys = metadata.tables["sealed_keys"]


def _insert(table: sa.Table) -> sa.Insert:
    return table.insert().values({column.name: sa.bindparam(column.name) for column in table.columns})


class Officer(NamedTuple):
    """A public key and whose it is; `retired_at` is None while it is in use."""

    key_id: str
    person: str
    public_key: bytes
    added_at: int
    retired_at: int | None


class Placed(NamedTuple):
    """A case's sealed data key, and what its values are bound to."""

    case_id: int
    queue: str
    external_id: str
    content_hash: bytes
    sealed: bytes


def officers(connection: Connection, everything: bool = False) -> list[Officer]:
    """Keys in use, oldest first; `everything` includes retired ones."""
    query = sa.select(_officers).order_by(_officers.c.added_at, _officers.c.key_id)
    if not everything:
        query = query.where(_officers.c.retired_at.is_(None))
    return [Officer(*row) for row in connection.execute(query)]


def add_officer(connection: Connection, key_id: str, person: str, public_key: bytes, at: int) -> None:
    """Keeps a public key."""
    row = {"key_id": key_id, "person": person, "public_key": public_key, "added_at": at, "retired_at": None}
    connection.execute(_officers.insert(), row)


def retire_officer(connection: Connection, key_id: str, at: int) -> int:
    """Takes a key out of use and deletes what was sealed to it; returns how many data keys that were."""
    connection.execute(_officers.update().where(_officers.c.key_id == key_id).values(retired_at=at))
    return connection.execute(_keys.delete().where(_keys.c.key_id == key_id)).rowcount


def drop_values(connection: Connection) -> None:
    """Forgets all sealed values: nobody is left who could open them."""
    connection.execute(_values.delete())


def keep(connection: Connection, values: Sequence[dict[str, Any]], keys: Sequence[dict[str, Any]]) -> None:
    """Keeps sealed values (`case_id`, `field`, `sealed`) and data keys (`case_id`, `key_id`, `sealed`)."""
    if values:
        insert_many(connection, _insert(_values), values)
    if keys:
        insert_many(connection, _insert(_keys), keys)


def fields(connection: Connection, case_id: int) -> list[str]:
    """The names of a case's sealed values that some officer's key opens."""
    openable = sa.exists().where(_keys.c.case_id == case_id)
    query = sa.select(_values.c.field).where(_values.c.case_id == case_id, openable).order_by(_values.c.field)
    return list(connection.execute(query).scalars())


def values(connection: Connection, case_id: int, wanted: Sequence[str]) -> dict[str, bytes]:
    """A case's sealed values of these fields."""
    query = sa.select(_values.c.field, _values.c.sealed).where(
        _values.c.case_id == case_id, _values.c.field.in_(list(wanted))
    )
    return {row.field: row.sealed for row in connection.execute(query)}


def key(connection: Connection, case_id: int, key_id: str) -> Placed | None:
    """A case's data key as sealed to one officer's key."""
    row = connection.execute(_placed(key_id).where(_cases.c.case_id == case_id)).first()
    return Placed(*row) if row else None


def keys_of(connection: Connection, key_id: str, lacking: str, chunk: int) -> Iterator[list[Placed]]:
    """Every data key sealed to one officer's key and not yet to `lacking`, in lists of at most `chunk`."""
    there = sa.select(_keys.c.case_id).where(_keys.c.key_id == lacking)
    query = _placed(key_id).where(_keys.c.case_id.not_in(there)).order_by(_keys.c.case_id)
    for rows in select_many(connection, query, chunk):
        yield [Placed(*row) for row in rows]


def counts(connection: Connection) -> dict[str, int]:
    """How many cases' data keys are sealed to each key."""
    query = sa.select(_keys.c.key_id, sa.func.count()).group_by(_keys.c.key_id)
    return {row[0]: row[1] for row in connection.execute(query)}


def drop(connection: Connection, case_ids: Sequence[int]) -> None:
    """Forgets what is sealed of these cases."""
    for table in (_keys, _values):
        connection.execute(table.delete().where(table.c.case_id.in_(list(case_ids))))


def older_than(connection: Connection, queue: str, moment: int, limit: int) -> list[int]:
    """Cases of a queue that came in before a moment and still have sealed values."""
    query = _older_than(sa.select(_cases.c.case_id), queue, moment).order_by(_cases.c.case_id)
    return list(connection.execute(query.limit(limit)).scalars())


def count_older_than(connection: Connection, queue: str, moment: int) -> int:
    """How many cases of a queue came in before a moment and still have sealed values."""
    return int(connection.execute(_older_than(sa.select(sa.func.count()), queue, moment)).scalar_one())


def _older_than(query: sa.Select[Any], queue: str, moment: int) -> sa.Select[Any]:
    there = sa.exists().where(_values.c.case_id == _cases.c.case_id)
    return query.select_from(_cases).where(_cases.c.queue == queue, _cases.c.admitted_at < moment, there)


def _placed(key_id: str) -> sa.Select[Any]:
    return (
        sa.select(_cases.c.case_id, _cases.c.queue, _cases.c.external_id, _cases.c.content_hash, _keys.c.sealed)
        .join(_keys, _keys.c.case_id == _cases.c.case_id)
        .where(_keys.c.key_id == key_id)
    )
