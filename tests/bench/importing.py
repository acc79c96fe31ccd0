"""`import`: tabular records of 1.5 KB from a JSONL file into a queue, and what memory that takes."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from app.intake.parallel import usual_workers

from . import records
from .children import run_child
from .figures import Bench, Figure, seconds
from .stores import Place, admit, workspace

_BATCH = 1000
_ROUNDS = 3


def run(bench: Bench) -> Iterator[Figure]:
    """Records a second; the peak of memory that four times as many records add."""
    n = bench.size(50_000)
    yield from rates("import", bench, records.tabular, n)
    yield Figure("import_memory_growth", 4 * n, *_growth(bench, n))


def rates(name: str, bench: Bench, make: Callable[[int], dict[str, Any]], n: int) -> Iterator[Figure]:
    """Records a second as the command imports, in one process, and bare, in turns; and how large they are."""
    source = records.write_lines(bench.folder(name) / "records.jsonl", map(make, range(1, n + 1)))
    ours: list[float] = []
    alone: list[float] = []
    bare: list[float] = []
    for _ in range(_ROUNDS):
        for workers, times in ((usual_workers(), ours), (0, alone)):
            place = workspace(bench.folder("import") / "workspace")
            times.append(seconds(_import, place, source, n, workers))
        bare.append(seconds(_bare_import, bench.folder("bare") / "bare.db", source))
    yield Figure(f"{name}_record_size", n, source.stat().st_size / n, "bytes")
    yield Figure(f"{name}_rate", n, n / min(ours), "records/s", n / min(bare))
    yield Figure(f"{name}_rate_one_process", n, n / min(alone), "records/s", n / min(bare))


def _import(place: Place, source: Path, n: int, workers: int) -> None:
    admitted = admit(place, source, workers)
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
