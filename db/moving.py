"""Moving everything that is kept from an embedded database to another one."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from db import search
from db.bulk import insert_many, select_many
from db.later import LOG_HEAD
from db.tables import metadata

_CHUNK = 2000
# What an embedded database says to whoever goes on writing to it.
MOVED = "this database was moved"


def is_empty(connection: Connection) -> bool:
    """Whether nothing was ever kept here."""
    return connection.execute(sa.select(metadata.tables["audit"].c.seq).limit(1)).first() is None


def copy(source: Connection, target: Connection) -> Iterator[tuple[str, int]]:
    """Copies all tables, as they are, with the words of cases; yields each table's name and its rows."""
    for table in metadata.sorted_tables:
        insert = table.insert().values({column.name: sa.bindparam(column.name) for column in table.columns})
        names = [column.name for column in table.columns]
        count = 0
        for rows in select_many(source, sa.select(table), _CHUNK):
            insert_many(target, insert, [dict(zip(names, row, strict=True)) for row in rows])
            count += len(rows)
        yield table.name, count
    # The log was copied under the feet of this transaction: where it ends now has to be asked.
    target.info.pop(LOG_HEAD, None)
    yield "words", _copy_words(source, target)
    _go_on_counting(target)


def close(source: Connection) -> None:
    """From now on the embedded database takes no acts: nobody goes on in it by mistake."""
    source.exec_driver_sql(f"CREATE TRIGGER moved BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, '{MOVED}'); END")


def _copy_words(source: Connection, target: Connection) -> int:
    count = 0
    for rows in select_many(source, sa.select(metadata.tables["cases"].c.case_id), _CHUNK):
        bodies = search.bodies(source, [row[0] for row in rows])
        search.index(target, [{"case_id": case_id, "search": body} for case_id, body in bodies.items()])
        count += len(bodies)
    return count


def _go_on_counting(target: Connection) -> None:
    """PostgreSQL's sequences go on above the numbers that were copied, and above those that were erased."""
    if target.dialect.name != "postgresql":
        return
    for table in metadata.sorted_tables:
        key = next((column for column in table.primary_key if column.autoincrement is True), None)
        if key is None:
            continue
        highest = target.execute(sa.select(sa.func.max(key))).scalar() or 0
        if table.name == "cases":
            log = metadata.tables["audit"]
            highest = max(highest, target.execute(sa.select(sa.func.max(log.c.case_id))).scalar() or 0)
        if highest:
            target.exec_driver_sql(f"SELECT setval(pg_get_serial_sequence('{table.name}', '{key.name}'), {highest})")
