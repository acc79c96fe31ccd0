"""`postgres`: claim and decide straight on PostgreSQL, beside the least that psycopg needs for as much.

The bare cycle does what a desk's does, statement by statement and nothing else: claim (SKIP LOCKED), log entry; check
the lease, keep the review, the verdict and a log entry, close the case; two commits.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Iterator

import psycopg

from app.desk.local import LocalDesk
from app.settings import Workspace
from db.engine import open_store

from .claim_decide import decision
from .figures import Bench, Figure, percentile
from .postgres import moved, running
from .stores import Place, open_cases
from .together import together

_SECONDS = 8.0
_BARE = (
    "CREATE TABLE bare_cases (id bigint PRIMARY KEY, state text, priority int, due_at bigint, owner text, "
    "token bigint, until bigint, record text)",
    "CREATE INDEX bare_claim ON bare_cases (priority DESC, due_at, id) WHERE state = 'open'",
    "CREATE TABLE bare_reviews (id text PRIMARY KEY, case_id bigint, person text, token bigint, answers text, "
    "at bigint, UNIQUE (case_id, token))",
    "CREATE TABLE bare_verdicts (case_id bigint PRIMARY KEY, review text, verdict text)",
    "CREATE TABLE bare_log (seq bigserial PRIMARY KEY, at bigint, actor text, action text, case_id bigint, body bytea)",
    "INSERT INTO bare_cases SELECT c.case_id, 'open', c.priority, c.due_at, NULL, 0, NULL, r.record FROM cases c "
    "JOIN case_records r USING (case_id)",
)


def run(bench: Bench) -> Iterator[Figure]:
    """Cycles a second with one and with sixteen terminals, ours and the bare ones in turns."""
    size = bench.size(100_000)
    place = open_cases(bench, size)
    with running(bench.folder("postgres")) as url:
        moved(place, url)
        with psycopg.connect(url) as connection:
            for statement in _BARE:
                connection.execute(statement)
        for terminals in (1, 16):
            bare = measure(terminals, lambda n: bare_terminal(url, n))
            ours = measure(terminals, lambda n: our_terminal(place, url, n))
            yield Figure(f"postgres_cycles_{terminals}", size, len(ours) / _SECONDS, "cycles/s", len(bare) / _SECONDS)
            yield Figure(
                f"postgres_p99_{terminals}", size, 1000 * percentile(ours, 0.99), "ms", 1000 * percentile(bare, 0.99)
            )


def measure(terminals: int, make: Callable[[int], Callable[[], None]]) -> list[float]:
    """Seconds of each cycle that so many terminals did at the same time."""
    took: list[float] = []

    def timed(number: int) -> Callable[[], None]:
        cycle = make(number)

        def act() -> None:
            start = time.perf_counter()
            cycle()
            took.append(time.perf_counter() - start)

        return act

    together(terminals, _SECONDS, timed)
    return took


def our_terminal(place: Place, url: str, number: int) -> Callable[[], None]:
    """One person's desk on the database."""
    workspace: Workspace = place.workspace
    policy = workspace.policy(place.queue).model_copy(update={"provisional": False})
    rubrics = {place.queue: workspace.rubrics[place.queue]}
    desk = LocalDesk(open_store(url), f"person{number}", {place.queue: policy}, rubrics)
    done = 0

    def cycle() -> None:
        nonlocal done
        done += 1
        desk.decide(decision(desk.claim(), done))

    return cycle


def bare_terminal(url: str, number: int) -> Callable[[], None]:
    """One connection that does as much, by hand."""
    connection = psycopg.connect(url)
    person = f"person{number}"

    def cycle() -> None:
        now = time.time_ns() // 1_000_000
        row = connection.execute(
            "UPDATE bare_cases SET state = 'leased', owner = %s, token = token + 1, until = %s WHERE id = (SELECT id "
            "FROM bare_cases WHERE state = 'open' ORDER BY priority DESC, due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED) "
            "RETURNING id, token, record",
            (person, now + 900_000),
        ).fetchone()
        assert row is not None
        _log(now, "claimed", row[0])
        connection.commit()
        held = connection.execute(
            "SELECT token FROM bare_cases WHERE id = %s AND owner = %s AND token = %s AND until > %s FOR UPDATE",
            (row[0], person, row[1], now),
        ).fetchone()
        assert held is not None
        review = str(uuid.uuid4())
        answers = '{"support": "supported", "label": "good"}'
        connection.execute(
            "INSERT INTO bare_reviews VALUES (%s, %s, %s, %s, %s, %s)", (review, row[0], person, row[1], answers, now)
        )
        connection.execute("INSERT INTO bare_verdicts VALUES (%s, %s, 'upheld')", (row[0], review))
        connection.execute(
            "UPDATE bare_cases SET state = 'settled', owner = NULL, until = NULL WHERE id = %s", (row[0],)
        )
        _log(now, "decided", row[0])
        connection.commit()

    def _log(at: int, action: str, case_id: int) -> None:
        connection.execute(
            "INSERT INTO bare_log (at, actor, action, case_id, body) VALUES (%s, %s, %s, %s, %s)",
            (at, person, action, case_id, os.urandom(200)),
        )

    return cycle
