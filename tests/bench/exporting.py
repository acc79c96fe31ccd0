"""`export`: the corrections of a queue as Parquet, JSONL and CSV."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import polars as pl

from app.export.dataset import FORMATS, Format, export
from db.engine import open_store

from . import records
from .claim_decide import cycle
from .figures import Bench, Figure, seconds
from .stores import PERSON, SAMPLE, SETTLED, Place, filled, grow

_ROUNDS = 3
_FETCH = """
SELECT c.external_id, c.predicted_label, c.predicted_score, v.verdict, v.label, r.rubric_hash, k.features
FROM verdicts v JOIN cases c USING (case_id) JOIN case_records k USING (case_id) JOIN reviews r USING (review_id)
ORDER BY v.case_id
"""


def run(bench: Bench) -> Iterator[Figure]:
    """Corrections a second, against polars writing the same frame and sqlite3 fetching the same rows."""
    n = max(SAMPLE, bench.size(200_000))
    place = _settled(bench, n)
    folder = bench.folder("export")
    frame = _exported_frame(place, folder)
    fetched = n / min(seconds(_fetch, place.database) for _ in range(_ROUNDS))
    for form in FORMATS:
        ours, bare = [], []
        for _ in range(_ROUNDS):
            ours.append(seconds(_export, place, folder, form))
            bare.append(seconds(_writers(frame)[form], folder / "bare"))
        yield Figure(f"export_{form}_rate", n, n / min(ours), "rows/s", n / min(bare))
        if form == "parquet":
            yield Figure("export_parquet_against_fetch", n, n / min(ours), "rows/s", fetched)


def _settled(bench: Bench, n: int) -> Place:
    """A workspace with n settled cases: the sample is decided by the program, the rest are clones of it."""
    folder = bench.folder("settled")
    place = filled(folder, records.tabular)
    desk = place.desk()
    for number in range(SAMPLE):
        cycle(desk, number)
    desk.close()
    grow(place.database, n, SETTLED)
    return place


def _export(place: Place, folder: Path, form: Format) -> Path:
    store = open_store(place.workspace.database_url)
    try:
        return export(store, folder, place.queue, form, PERSON, 0).path
    finally:
        store.close()


def _exported_frame(place: Place, folder: Path) -> pl.DataFrame:
    frame = pl.read_parquet(_export(place, folder / "first", "parquet"))
    shutil.rmtree(folder / "first")
    return frame


def _writers(frame: pl.DataFrame) -> dict[str, Callable[[Path], Any]]:
    return {
        "parquet": lambda path: frame.write_parquet(path, compression="zstd", statistics=True),
        "jsonl": frame.write_ndjson,
        "csv": lambda path: frame.write_csv(path, quote_style="always"),
    }


def _fetch(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute(_FETCH).fetchall()
