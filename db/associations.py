"""What visible fields tell of withheld attributes, alone and together: the figures of a queue's last measured import,
and no values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from db.tables import metadata

_table = metadata.tables["associations"]
_exposures = metadata.tables["exposures"]


class Figures(NamedTuple):
    """One field beside one attribute.

    `information`: normalised mutual information in [0, 1], None where it was not measured; `likeness` of the
    names in [0, 1]; `n` records that have a value of the attribute; `at` in milliseconds. `auc` in [0, 1] of the field
    alone, with the ends of its 95 % interval and its probability by chance, None where it was not measured; `said`:
    1 where the field tells what the model said.
    """

    queue: str
    field: str
    attribute: str
    information: float | None
    likeness: float
    n: int
    at: int
    auc: float | None = None
    low: float | None = None
    high: float | None = None
    by_chance: float | None = None
    said: int = 0


class Exposure(NamedTuple):
    """What all visible fields of a queue tell together: as it was measured `at` (milliseconds)."""

    queue: str
    joint: list[dict[str, Any]]
    shown: list[dict[str, Any]]
    at: int


def replace(connection: Connection, queue: str, rows: Sequence[dict[str, Any]], exposure: Exposure) -> None:
    """Puts a queue's figures in place of its earlier ones. A row holds all of `Figures` but the queue."""
    connection.execute(sa.delete(_exposures).where(_exposures.c.queue == queue))
    figures = orjson.dumps({"joint": exposure.joint, "shown": exposure.shown}).decode()
    connection.execute(sa.insert(_exposures).values(queue=queue, figures=figures, at=exposure.at))
    connection.execute(sa.delete(_table).where(_table.c.queue == queue))
    if rows:
        connection.execute(sa.insert(_table), [{**row, "queue": queue} for row in rows])


def stored(connection: Connection, queue: str | None = None) -> list[Figures]:
    """The figures of a queue, or of all; those that tell most come first within a queue."""
    query = sa.select(*(_table.c[name] for name in Figures._fields))
    if queue is not None:
        query = query.where(_table.c.queue == queue)
    query = query.order_by(
        _table.c.queue,
        sa.func.coalesce(_table.c.information, -1).desc(),
        _table.c.likeness.desc(),
        _table.c.attribute,
        _table.c.field,
    )
    return [Figures(*row) for row in connection.execute(query)]


def exposures(connection: Connection, queue: str | None = None) -> list[Exposure]:
    """What all fields of a queue, or of each, tell together."""
    query = sa.select(_exposures.c.queue, _exposures.c.figures, _exposures.c.at).order_by(_exposures.c.queue)
    if queue is not None:
        query = query.where(_exposures.c.queue == queue)
    return [Exposure(row.queue, **orjson.loads(row.figures), at=row.at) for row in connection.execute(query)]


def most_records(connection: Connection, queue: str) -> int:
    """The largest `n` among a queue's figures; 0 where there are none."""
    found = connection.execute(sa.select(sa.func.max(_table.c.n)).where(_table.c.queue == queue)).scalar()
    return int(found or 0)
