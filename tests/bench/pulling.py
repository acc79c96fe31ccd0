"""`pull`: predictions a second from an SQS queue and a Redis stream, both on this machine.

The SQS server is a quick one of the tests: moto gives out 30 messages a second where 500 wait.
Baseline: the same items received and acknowledged by the same source, and not kept.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import orjson

from app.intake.pull import Puller
from app.intake.sources import open_source
from app.model.connection import Source, SourceSettings
from db.engine import open_store
from tests.connections.servers import KEY, client, quick_sqs, redis

from . import records
from .figures import Bench, Figure, seconds
from .stores import Place, workspace

_BATCH = 1000
_ADD = 500


def run(bench: Bench) -> Iterator[Figure]:
    """Bare and ours by turns; the better of two of each."""
    n = bench.size(4000)
    bodies = [orjson.dumps(records.tabular(number)).decode() for number in range(1, n + 1)]
    os.environ.update(KEY)
    with quick_sqs() as server:
        url = server.queue("predictions")
        options: dict[str, Any] = {"type": "sqs", "queue_url": url, "endpoint": server.base, "wait_seconds": 0}
        yield from _rates(bench, "pull_sqs", options, bodies, lambda: server.send(url, bodies))
    with redis() as address, client(address) as other:

        def add() -> None:
            for first in range(0, n, _ADD):
                other.pipeline([["XADD", "jobs", "*", "record", body] for body in bodies[first : first + _ADD]])

        options = {"type": "redis", "url": address, "stream": "jobs", "wait_seconds": 0}
        yield from _rates(bench, "pull_redis", options, bodies, add)


def _rates(
    bench: Bench, name: str, options: dict[str, Any], bodies: list[str], fill: Callable[[], None]
) -> Iterator[Figure]:
    n = len(bodies)
    bare, ours = [], []
    for _ in range(2):
        place = workspace(bench.folder("pull") / "workspace")
        settings = SourceSettings.model_validate({"queue": place.queue, **options})
        with closing(open_source(name, settings, lambda secret: "", place.workspace.root)) as source:
            fill()
            bare.append(n / seconds(_receive, source, n))
            fill()
            ours.append(n / seconds(_pull, place, source, n))
    yield Figure(f"{name}_rate", n, max(ours), "1/s", max(bare))


def _receive(source: Source, n: int) -> None:
    count = 0
    while (batch := source.pull(_BATCH, "")).items:
        source.acknowledge(batch)
        count += len(batch.items)
    _check(count, n)


def _pull(place: Place, source: Source, n: int) -> None:
    found = place.workspace
    with closing(open_store(found.database_url)) as store:
        puller = Puller(store, found.keys(), "bench", place.queue, found.policy(place.queue), source)
        count = 0
        while (done := puller.pull(_BATCH)).items:
            count += done.admitted
    _check(count, n)


def _check(count: int, n: int) -> None:
    if count != n:
        raise RuntimeError(f"{count} of {n} predictions came")
