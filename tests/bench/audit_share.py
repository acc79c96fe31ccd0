"""`audit_share`: what part of a decision is appending its audit entry."""

from __future__ import annotations

import time
from collections.abc import Iterator

from app.audit import log
from db.engine import Store, open_store

from .claim_decide import decision
from .figures import Bench, Figure, median, seconds
from .stores import open_cases

_MORE = 10


def run(bench: Bench) -> Iterator[Figure]:
    """An append costs what a transaction with eleven takes longer than one with one, divided by ten.

    Alone, it would be charged with the commit that a decision pays anyway.
    """
    rounds = bench.size(200)
    place = open_cases(bench, max(1000, 2 * rounds))
    desk, store = place.desk(), open_store(place.workspace.database_url)
    decides, appends = [], []
    try:
        for number in range(rounds):
            chosen = decision(desk.claim(), number)
            decides.append(seconds(desk.decide, chosen))
            few, many = (seconds(_append, store, n) for n in (1, 1 + _MORE))
            appends.append((many - few) / _MORE)
    finally:
        desk.close()
        store.close()
    decide, append = 1000 * median(decides), 1000 * median(appends)
    yield Figure("audit_append", rounds, append, "ms", decide)
    yield Figure("audit_share_of_decide", rounds, 100 * append / decide, "%")


def _append(store: Store, times: int) -> None:
    """Entries like a decision's."""
    data = {"review": "0" * 36, "verdict": "upheld", "rubric": "0" * 64, "commitment": "0" * 64}
    with store.write() as connection:
        for _ in range(times):
            log.append(connection, time.time_ns() // 1_000_000, "bench", "tried", 1, data)
