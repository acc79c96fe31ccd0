"""`deliver`: verdicts a second to a webhook on this machine, in another process.

Baseline: the same bodies posted by the same HTTP client with as many threads, unsigned, without a database.
"""

from __future__ import annotations

import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import orjson

from app.deliver import deliverer as delivering
from app.deliver import webhooks
from app.deliver.sinks import open_sink
from app.guard import Pin
from app.http import Http
from app.model.connection import SinkSettings
from db import outbox
from db.engine import Store, open_store

from .figures import Bench, Figure, seconds
from .stores import workspace


def run(bench: Bench) -> Iterator[Figure]:
    """Client and deliverer by turns; the middle one of three of each."""
    count = bench.size(2000)
    place = workspace(bench.folder("deliver"))
    store = open_store(place.workspace.database_url)
    bodies = [_body(str(uuid.uuid4()), number) for number in range(count)]
    bare, ours = [], []
    try:
        with _receiver() as url:
            for turn in range(3):
                bare.append(count / seconds(_post, url, bodies))
                _fill(store, count, turn)
                ours.append(count / seconds(_deliver, store, url, place.workspace.root, count))
    finally:
        store.close()
    yield Figure("verdicts_delivered", count, sorted(ours)[1], "1/s", sorted(bare)[1])


@contextmanager
def _receiver() -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.sinking"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin and process.stdout
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.stdin.close()
        process.wait(10)
        process.stdout.close()


def _post(url: str, bodies: list[bytes]) -> None:
    http = Http(url, pin=Pin(url, private=True))
    with ThreadPoolExecutor(delivering.THREADS) as pool:
        for answer in pool.map(lambda body: http.request("POST", "/hooks", content=body), bodies):
            assert answer.status == 204
    http.close()


def _deliver(store: Store, url: str, root: Path, count: int) -> None:
    settings = SinkSettings.model_validate(
        {"type": "webhook", "url": f"{url}/hooks", "secrets": ["key"], "private": True}
    )
    key = webhooks.new_key()
    sender = delivering.Deliverer(store, lambda name: open_sink(name, settings, lambda _: key, root), ["hook"])
    assert sender.deliver().sent == count
    sender.close()


def _fill(store: Store, count: int, turn: int) -> None:
    """So many verdicts of so many cases, due now."""
    now = time.time_ns() // 1_000_000
    with store.write() as connection:
        for number in range(count):
            event_id = str(uuid.uuid4())
            row = {"event_id": event_id, "case_id": turn * count + number + 1, "sequence": 1, "kind": "verdict"}
            body = _body(event_id, number).decode()
            outbox.put(connection, {**row, "body": body, "at": now}, [("hook", now)])


def _body(event_id: str, number: int) -> bytes:
    """An event of 1.2 KB, as a credit case's is."""
    return orjson.dumps(
        {
            "specversion": "1.0",
            "id": event_id,
            "source": "/secondlook/queues/credit",
            "type": "io.secondlook.verdict.v1",
            "subject": f"german-{number:07d}",
            "time": "2027-05-01T08:00:00.000Z",
            "datacontenttype": "application/json",
            "sequence": "0000000001",
            "data": {"id": f"german-{number:07d}", "verdict": "overturned", "answers": {"rationale": "words " * 150}},
        }
    )
