"""Workspaces with many cases: a sample is admitted (and decided) by the program, the rest cloned in SQL.

A clone's external id is made of its case_id, so that what a screen shows can be known beforehand.
Cloned cases are not in the word index; claims, decisions, the list and exports do not ask it.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.cli.workspace import make_workspace
from app.desk.local import LocalDesk
from app.intake.admission import Admission
from app.intake.read import open_stream
from app.secrets import load_keys
from app.settings import DATABASE_FILE, Workspace, load_workspace
from db.engine import open_store

from . import records
from .figures import Bench

SAMPLE = 64
PERSON = "bench"
_ID = "printf('german-%07d', {})"
# Steps that share no factor with the sample size: clones lie scattered over the claiming order.
_SPREAD = "(n.i * 7919 % {})"
_CLONED: dict[str, dict[str, str]] = {
    "cases": {
        "case_id": "n.i",
        "external_id": _ID.format("n.i"),
        "subject": "'person-' || n.i",
        "priority": f"s.priority + {_SPREAD.format(23)}",
        "due_at": f"s.due_at + 1000 * {_SPREAD.format(86_400)}",
    },
    "case_records": {
        "case_id": "n.i",
        "record": f"replace(s.record, {_ID.format(f'1 + n.i % {SAMPLE}')}, {_ID.format('n.i')})",
    },
    "reviews": {"review_id": "'review-' || n.i", "case_id": "n.i"},
    "verdicts": {"review_id": "'review-' || n.i", "case_id": "n.i"},
}
OPEN = ("cases", "case_records")
SETTLED = tuple(_CLONED)


@dataclass(frozen=True, slots=True)
class Place:
    """A workspace of a benchmark."""

    workspace: Workspace
    queue: str

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.workspace.root / DATABASE_FILE

    def desk(self, provisional: bool = False) -> LocalDesk:
        """A desk for the queue alone; without a first judgement unless that is wanted."""
        policy = self.workspace.policy(self.queue).model_copy(update={"provisional": provisional})
        rubrics = {self.queue: self.workspace.rubrics[self.queue]}
        return LocalDesk(open_store(self.workspace.database_url), PERSON, {self.queue: policy}, rubrics)


def workspace(folder: Path, queue: str = "credit") -> Place:
    """An empty workspace, made as `init` does."""
    make_workspace(folder)
    return Place(load_workspace(folder), queue)


def admit(place: Place, source: Path, workers: int = 0) -> int:
    """Imports a file into the place's queue; returns how many were admitted."""
    found = place.workspace
    store = open_store(found.database_url)
    try:
        keys = load_keys(found.root, found.settings.secrets.store)
        admission = Admission(store, keys, place.queue, found.policy(place.queue), PERSON)
        for _ in admission.run(open_stream(str(source)).items, source.name, workers):
            pass
        return admission.count.admitted
    finally:
        store.close()


# A batch of so few records leaves no numbers free.
_WITHOUT_GAPS = 16


def filled(folder: Path, make: Callable[[int], dict[str, Any]], count: int = SAMPLE, queue: str = "credit") -> Place:
    """A workspace with `count` admitted cases; number and case_id of a record are the same."""
    place = workspace(folder / "workspace", queue)
    for first in range(1, count + 1, _WITHOUT_GAPS):
        numbers = range(first, min(first + _WITHOUT_GAPS, count + 1))
        admit(place, records.write_lines(folder / "sample.jsonl", map(make, numbers)))
    return place


def open_cases(bench: Bench, total: int) -> Place:
    """A workspace with `total` open tabular cases of 1.5 KB, made once a run."""
    if total not in bench.places:
        place = filled(bench.folder("open"), records.tabular)
        grow(place.database, total)
        bench.places[total] = place
    return bench.places[total]


def grow(database: Path, total: int, tables: Iterable[str] = OPEN) -> None:
    """Clones the sample's rows in the tables until there are `total` cases."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        # A store that is lost with the run needs no journal. Nobody else has it open.
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -200000", "temp_store = MEMORY"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("BEGIN")
        for table in tables:
            indexes = _indexes(connection, table)
            for name, _ in indexes:
                connection.execute(f"DROP INDEX {name}")
            _clone(connection, table, total)
            for _, statement in indexes:
                connection.execute(statement)
        connection.execute("COMMIT")
    settle_on_disk(database)


def settle_on_disk(path: Path) -> None:
    """Writes out what was built without waiting for the disk, so that no later commit waits for it."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _indexes(connection: sqlite3.Connection, table: str) -> list[tuple[str, str]]:
    """Name and statement of a table's own indexes: built afterwards they take a fraction of the time."""
    query = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name = ?"
    return list(connection.execute(query, (table,)))


def _clone(connection: sqlite3.Connection, table: str, total: int) -> None:
    """Row i is a copy of the sample row 1 + i mod 64, with its own keys."""
    columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
    wanted = ", ".join(_CLONED[table].get(column, f's."{column}"') for column in columns)
    connection.execute(f"CREATE TEMP TABLE sample_{table} AS SELECT * FROM main.{table} ORDER BY case_id")
    connection.execute(f"CREATE INDEX temp.sample_{table}_key ON sample_{table} (case_id)")
    connection.execute(
        f"WITH RECURSIVE n(i) AS (SELECT {SAMPLE + 1} UNION ALL SELECT i + 1 FROM n WHERE i < {total}) "
        f"INSERT INTO main.{table} SELECT {wanted} FROM n CROSS JOIN sample_{table} s "
        f"ON s.case_id = 1 + n.i % {SAMPLE} WHERE n.i <= {total}"
    )
