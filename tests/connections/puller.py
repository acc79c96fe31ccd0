"""Pulling in a process of its own, to be killed; and what must hold when it was.

    python -m tests.connections.puller DATABASE TYPE OPTIONS    pulls until the source has given nothing for a while

It prints the number of items of each pull after they were acknowledged.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

from app.intake.pull import Puller
from app.intake.sources import open_source
from app.model.connection import SourceSettings
from db.engine import open_store, sqlite_url
from tests.builders import KEYS, POLICY, record
from tests.contract.worlds import SqliteWorld

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 100
# Longer than anything is kept back from others in these tests.
_QUIET_SECONDS = 3.5
PULLERS = 2


def bodies(count: int) -> list[str]:
    """Records as messages."""
    return [orjson.dumps(record(id=f"case-{n}")).decode() for n in range(count)]


def settings(kind: str, options: dict[str, Any]) -> SourceSettings:
    """Settings of a source into the queue `credit`."""
    return SourceSettings.model_validate({"type": kind, "queue": "credit", **options})


def pull_all(database: str, kind: str, options: str) -> None:
    """Pulls until nothing came for a while."""
    store = open_store(sqlite_url(Path(database)))
    source = open_source("test", settings(kind, orjson.loads(options)), lambda _: "", Path("/"))
    try:
        print("ready", flush=True)
        puller = Puller(store, KEYS, "test", "credit", POLICY, source)
        last = time.monotonic()
        while time.monotonic() - last < _QUIET_SECONDS:
            done = puller.pull(LIMIT)
            if done.items:
                last = time.monotonic()
                print(done.items, flush=True)
    finally:
        source.close()
        store.close()


class Pullers:
    """Processes that pull from one source into one store."""

    def __init__(self, world: SqliteWorld, kind: str, options: dict[str, Any]) -> None:
        self._words = [str(world.path), kind, orjson.dumps(options).decode()]
        self._running: list[subprocess.Popen[str]] = []

    def start(self) -> None:
        """One more, at work."""
        worker = subprocess.Popen(
            [sys.executable, "-m", "tests.connections.puller", *self._words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        self._running.append(worker)

    def kill_one(self, chance: random.Random) -> None:
        """Kills the older one at any moment of its work, and starts another."""
        worker = self._running.pop(0)
        assert worker.stdout is not None
        for _ in range(1 + chance.randrange(3)):
            worker.stdout.readline()
        # Any moment: while receiving, inside a commit, between keeping and acknowledging.
        time.sleep(chance.uniform(0, 0.1))
        worker.kill()
        worker.communicate()
        assert worker.returncode in (-9, 0)
        self.start()

    def finish(self) -> None:
        """Waits until all have found nothing more."""
        for worker in self._running:
            _, errors = worker.communicate(timeout=300)
            assert worker.returncode == 0, errors

    def stop(self) -> None:
        """Lets none outlive its test."""
        for worker in self._running:
            worker.kill()
            worker.communicate()


def killed_while_pulling(
    world: SqliteWorld, kind: str, options: dict[str, Any], count: int, kills: int, left: Callable[[], int]
) -> None:
    """Two pull, one after the other is killed; at the end every prediction is a case once, and nothing is left."""
    chance = random.Random(kills)
    pullers = Pullers(world, kind, options)
    try:
        for _ in range(PULLERS):
            pullers.start()
        for _ in range(kills):
            pullers.kill_one(chance)
        pullers.finish()
    finally:
        pullers.stop()
    ids = [row[0] for row in world.query("SELECT external_id FROM cases")]
    assert len(ids) == count
    assert set(ids) == {f"case-{n}" for n in range(count)}
    assert world.query("SELECT count(*) FROM quarantine") == [(0,)]
    assert left() == 0
    assert world.verify().ok


if __name__ == "__main__":
    pull_all(*sys.argv[1:])
