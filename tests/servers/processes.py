"""Real servers as child processes on free loopback ports, and a workspace that reviews what they give."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import orjson
import pytest

from app.bundled import bundled
from app.deliver.events import Routes
from app.desk.local import LocalDesk
from app.intake.pull import Pulled, Puller
from app.model.case import CaseView, Decision
from app.model.connection import Delivery, Sink, Source
from app.model.policy import QueuePolicy
from app.secrets import Keys
from app.settings import load_rubric
from db import outbox
from db.engine import Store, open_store, sqlite_url

KEYS = Keys.derive(bytes(range(32)))
# A start on a busy machine: migrations and imports first.
_START_SECONDS = 180
Closes = Source | Sink
Opened = TypeVar("Opened", bound=Closes)
Answers = Callable[[CaseView], dict[str, Any]]


def executable(variable: str, name: str, package: str) -> str:
    """The server's executable: what the variable names, else beside this Python, else on the path. Fails where there
    is none: who asks for these tests wants them run."""
    beside = Path(sys.executable).with_name(name)
    found = os.environ.get(variable) or (str(beside) if beside.exists() else shutil.which(name))
    if not found or not Path(found).exists():
        where = f" at {found}" if found else ""
        pytest.fail(f"{name} is not installed{where}: `pip install '{package}'` anywhere, and name it in {variable}")
    return found


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(words: list[str], folder: Path, ready: str, **variables: str) -> Iterator[None]:
    """A server until the end of the block; `ready` is an address that answers 200 once it serves."""
    log = folder / "server.log"
    # No proxies, and nothing of the server beside it on the path of our own Python.
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")} | variables
    environment["PATH"] = f"{Path(words[0]).parent}:{environment.get('PATH', '')}"
    with log.open("wb") as out:
        child = subprocess.Popen(words, cwd=folder, env=environment, stdout=out, stderr=out, start_new_session=True)
        try:
            _wait(child, ready, log)
            yield
        finally:
            os.killpg(child.pid, 15)
            try:
                child.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, 9)
                child.wait(20)


def _wait(child: subprocess.Popen[bytes], ready: str, log: Path) -> None:
    end = time.monotonic() + _START_SECONDS
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while time.monotonic() < end:
        assert child.poll() is None, f"the server ended:\n{log.read_text(errors='replace')[-3000:]}"
        try:
            with opener.open(ready, timeout=5) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.3)
    raise AssertionError(f"the server does not answer {ready}:\n{log.read_text(errors='replace')[-3000:]}")


def until(holds: Callable[[], Any], seconds: float = 30.0) -> Any:
    """What is true in the end; fails when it is not in time. Servers work in the background: one can only ask."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = holds()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError("did not come about in time")


class Workspace:
    """A real workspace database with one queue: pulls from a source, decides, hands out what is to be sent."""

    def __init__(self, folder: Path, name: str, policy: QueuePolicy) -> None:
        self.name = name
        self._policy = policy
        self._open: list[Closes] = []
        self._now = 1_809_000_000_000
        rubric = load_rubric(bundled("rubrics") / f"{policy.rubric}.toml")
        self._url = sqlite_url(folder / "secondlook.db")
        self.store: Store = open_store(self._url)
        routes = Routes(replying=frozenset({name}))
        self.desk = LocalDesk(
            open_store(self._url), "ada", {"queue": policy}, {"queue": rubric}, "first", self.clock, routes=routes
        )

    def clock(self) -> int:
        """Milliseconds since 1970; a second later at each look."""
        self._now += 1000
        return self._now

    def keep(self, thing: Opened) -> Opened:
        """A source or sink, closed with the workspace."""
        self._open.append(thing)
        return thing

    def pull(self, source: Source, limit: int = 50) -> Pulled:
        """One pull into the queue."""
        return Puller(self.store, KEYS, self.name, "queue", self._policy, source, self.clock).pull(limit)

    def decide(self, answers: Answers) -> CaseView:
        """Claims the next case and decides it."""
        claim = self.desk.claim("queue")
        decision_id, lease = str(uuid.uuid4()), claim.lease
        self.desk.decide(Decision(decision_id, lease.case_id, lease.token, answers(claim.view), 12.5))
        return claim.view

    def deliveries(self) -> list[Delivery]:
        """What is to be sent now; it counts as sent."""
        with self.store.write() as connection:
            due = outbox.due(connection, self.name, self.clock(), 100)
            outbox.done(connection, [one.delivery_id for one in due], self.clock())
        return [_delivery(one) for one in due]

    def quarantined(self) -> int:
        """How many records were held."""
        with self.store.read() as connection:
            return int(connection.exec_driver_sql("SELECT count(*) FROM quarantine").scalar() or 0)

    def close(self) -> None:
        """Lets go of the database, and of what was kept."""
        for thing in self._open:
            thing.close()
        self.desk.close()
        self.store.close()


def _delivery(due: outbox.Due) -> Delivery:
    event: Mapping[str, Any] = orjson.loads(due.body)
    reference = orjson.loads(due.reference or "{}")
    return Delivery(due.event_id, due.kind, event, due.body.encode(), reference, due.attempts + 1)
