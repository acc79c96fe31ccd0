"""`claim_decide`: claim a case and decide it, with audit entries, as the number of open cases grows."""

from __future__ import annotations

import sqlite3
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.desk.local import LocalDesk
from app.model.case import Claim, Decision

from .figures import Bench, Figure, median, percentile, seconds
from .stores import open_cases, settle_on_disk

_CYCLES, _WARM_UP = 400, 25
_ROWS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
# The least that a queue in SQLite needs: a claim and a settlement, each durable on its own.
_CLAIM = (
    "UPDATE cases SET state = 'leased', owner = 'bench', token = token + 1 WHERE id = (SELECT id FROM cases "
    "WHERE state = 'open' ORDER BY priority DESC, due_at, id LIMIT 1) RETURNING id"
)
_SETTLE = "UPDATE cases SET state = 'settled', verdict = 'upheld' WHERE id = ?"


def run(bench: Bench) -> Iterator[Figure]:
    """p50, p95 and rate at three sizes, and how they grow from the first to the last.

    The share of the processor is given as well: where a disk is shared, its waits hide everything else.
    """
    largest = bench.size(1_000_000)
    middles, busy = [], []
    for size in (max(1000, largest // 1000), max(1000, largest // 10), largest):
        cycles = measure(bench, size)
        ours, bare = cycles.ours, cycles.bare
        middles.append(median(ours))
        busy.append(median(cycles.busy))
        yield Figure("claim_decide_p50", size, 1000 * median(ours), "ms", 1000 * median(bare))
        yield Figure("claim_decide_p95", size, 1000 * percentile(ours, 0.95), "ms", 1000 * percentile(bare, 0.95))
        yield Figure("claim_decide_rate", size, len(ours) / sum(ours), "cycles/s", len(bare) / sum(bare))
        yield Figure("claim_decide_busy_p50", size, 1000 * busy[-1], "ms cpu", 1000 * median(cycles.bare_busy))
    yield Figure("claim_decide_busy_growth", largest, busy[-1] / busy[0], "× of smallest")
    yield Figure("claim_decide_growth", largest, middles[-1] / middles[0], "× of smallest")


@dataclass(slots=True)
class Cycles:
    """Seconds of each cycle, ours and the bare one's; `busy` is what the processor had to do."""

    ours: list[float] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    bare_busy: list[float] = field(default_factory=list)


def measure(bench: Bench, size: int) -> Cycles:
    """Our cycles and bare ones in turns."""
    place, folder = open_cases(bench, size), bench.folder("bare")
    desk = place.desk()
    found = Cycles()
    with closing(_bare_queue(folder / "bare.db", size)) as connection:
        try:
            for number in range(min(_CYCLES, size // 3) + _WARM_UP):
                if number == _WARM_UP:
                    found = Cycles()
                _timed(found.ours, found.busy, cycle, desk, number)
                _timed(found.bare, found.bare_busy, _bare_cycle, connection)
        finally:
            desk.close()
    return found


def cycle(desk: LocalDesk, number: int) -> None:
    """One case from the queue to its verdict."""
    desk.decide(decision(desk.claim(), number))


def decision(claim: Claim, number: int) -> Decision:
    """Every third case is overturned, with reasons and a rationale; the others are upheld."""
    answers: dict[str, Any] = {"support": "supported", "label": claim.view.prediction.output.label}
    if number % 3 == 0:
        answers = {
            "support": "partly",
            "harm": 3,
            "label": next(label for label in claim.view.prediction.task.labels if label != answers["label"]),
            "reasons": ["misweighed"],
            "rationale": "The savings carry the instalment for a year.",
        }
    return Decision(str(uuid.uuid4()), claim.lease.case_id, claim.lease.token, answers, seconds=12.0)


def _timed(took: list[float], busy: list[float], act: Callable[..., object], *words: object) -> None:
    start = time.thread_time()
    took.append(seconds(act, *words))
    busy.append(time.thread_time() - start)


def _bare_queue(path: Path, size: int) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute(
        "CREATE TABLE cases (id INTEGER PRIMARY KEY, state TEXT, priority INTEGER, due_at INTEGER, owner TEXT, "
        "token INTEGER, verdict TEXT)"
    )
    connection.execute(
        f"{_ROWS} INSERT INTO cases SELECT i, 'open', i * 7919 % 23, i * 7919 % 86400, NULL, 0, NULL FROM n", (size,)
    )
    connection.execute("CREATE INDEX claim ON cases (priority DESC, due_at, id) WHERE state = 'open'")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.execute("PRAGMA synchronous = FULL")
    settle_on_disk(path)
    return connection


def _bare_cycle(connection: sqlite3.Connection) -> None:
    """Two statements, each its own transaction."""
    ((case_id,),) = connection.execute(_CLAIM).fetchall()
    connection.execute(_SETTLE, (case_id,))
