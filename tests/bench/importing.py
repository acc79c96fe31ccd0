"""`import`: tabular records of 1.5 KB from a JSONL file into a queue, and what memory that takes."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from . import records
from .children import run_child
from .figures import Bench, Figure, seconds
from .stores import Place, admit, workspace

_BATCH = 1000
_ROUNDS = 3


def run(bench: Bench) -> Iterator[Figure]:
    """Records a second; the peak of memory that four times as many records add."""
    n = bench.size(10_000)
    yield from rates("import", bench, records.tabular, n)
    yield Figure("import_memory_growth", 4 * n, *_growth(bench, n))


def rates(name: str, bench: Bench, make: Callable[[int], dict[str, Any]], n: int) -> Iterator[Figure]:
    """Records a second, and how large they are; ours and the bare import in turns."""
    source = records.write_lines(bench.folder(name) / "records.jsonl", map(make, range(1, n + 1)))
    ours, bare = [], []
    for _ in range(_ROUNDS):
        place = workspace(bench.folder("import") / "workspace")
        ours.append(seconds(_import, place, source, n))
        bare.append(seconds(_bare_import, bench.folder("bare") / "bare.db", source))
    yield Figure(f"{name}_record_size", n, source.stat().st_size / n, "bytes")
    yield Figure(f"{name}_rate", n, n / min(ours), "records/s", n / min(bare))


def _import(place: Place, source: Path, n: int) -> None:
    admitted = admit(place, source)
    if admitted != n:
        raise RuntimeError(f"{admitted} of {n} records were admitted: the benchmark's records are at fault")


def _bare_import(database: Path, source: Path) -> None:
    """Lines read, decoded, and kept as they are, a thousand a transaction."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection, source.open("rb") as file:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("CREATE TABLE records (id TEXT PRIMARY KEY, record BLOB)")
        while rows := [(orjson.loads(line)["id"], line) for line in islice(file, _BATCH)]:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT INTO records VALUES (?, ?)", rows)
            connection.execute("COMMIT")


def _growth(bench: Bench, n: int) -> tuple[float, str, float]:
    """How much higher memory peaks for four times the records, in a process of its own each; beside the small peak."""
    folder = bench.folder("memory")
    peaks = []
    for count in (n, 4 * n):
        source = records.write_lines(folder / f"{count}.jsonl", map(records.tabular, range(1, count + 1)))
        place = workspace(folder / f"workspace-{count}")
        found = run_child("import_memory", str(place.workspace.root), str(source))
        peaks.append(float(found["peak"]))
    return peaks[1] - peaks[0], "MB", peaks[0]
