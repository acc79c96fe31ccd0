"""From a trace at a server to the verdict back there, with a real workspace database between, and starting servers."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest

from app.deliver.events import Routes
from app.desk.local import LocalDesk
from app.http import Http
from app.intake.pull import Pulled, Puller
from app.model.case import CaseView, Claim
from app.model.connection import Delivery, Sink, Source
from app.model.errors import Unavailable
from app.model.policy import QueuePolicy
from app.model.prediction import Task
from app.model.rubric import Rubric
from db import outbox
from db.engine import open_store, sqlite_url
from tests.builders import KEYS, kept
from tests.contract.worlds import Clock, decide, overturning

QUEUE = "summaries"
LABELS = ["faithful", "hallucinated"]
TASK = Task(type="generation", labels=LABELS, positive="hallucinated", question="Is every claim supported?")
POLICY = QueuePolicy(rubric="ungrounded-summary", task=TASK, undo_minutes=5)


def executable(variable: str, name: str, package: str = "") -> str:
    """A server's executable: as the environment variable says, beside this Python, or on PATH. Fails without one."""
    beside = Path(sys.executable).with_name(name)
    found = os.environ.get(variable) or (str(beside) if beside.exists() else shutil.which(name))
    if not found or not Path(found).exists():
        pytest.fail(
            f"{name} is not installed: `pip install {package or name}` into any environment, and name its executable "
            f"in {variable}.",
            pytrace=False,
        )
    return found


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def served(command: list[str], port: int, healthy: str, folder: Path, **environment: str) -> Iterator[Http]:
    """A server while it runs, once `healthy` (a path) answers 200. Its whole process group is ended afterwards."""
    log = (folder / "server.log").open("wb")
    process = subprocess.Popen(
        command, stdout=log, stderr=log, cwd=folder, env={**os.environ, **environment}, start_new_session=True
    )
    http = Http(f"http://127.0.0.1:{port}", timeout=30)
    try:
        for _ in range(240):
            if process.poll() is not None or _answers(http, healthy):
                break
            threading.Event().wait(0.5)
        else:
            process.terminate()
        if process.poll() is not None:
            pytest.fail(f"{command[0]} ended: {(folder / 'server.log').read_text(errors='replace')[-2000:]}")
        yield http
    finally:
        http.close()
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(15)
        log.close()


def _answers(http: Http, path: str) -> bool:
    try:
        return http.request("GET", path).status == 200
    except Unavailable:
        return False


class Workplace:
    """A workspace's database between one source and its sink, which have the same name."""

    def __init__(self, folder: Path, rubric: Rubric, source: Source, sink: Sink, policy: QueuePolicy = POLICY) -> None:
        self.store = open_store(sqlite_url(folder / "secondlook.db"))
        self.clock = Clock()
        self.source, self.sink = source, sink
        self._puller = Puller(self.store, KEYS, "there", QUEUE, policy, source, self.clock)
        routes = Routes(replying=frozenset({"there"}))
        rubrics = {QUEUE: rubric}
        self.desk = LocalDesk(self.store, "ada", {QUEUE: policy}, rubrics, "first", self.clock, routes)

    def pull(self, limit: int = 1000) -> Pulled:
        """One pull."""
        return self._puller.pull(limit)

    def record(self, external_id: str) -> dict[str, Any]:
        """What is kept of a case."""
        return kept(self.store)[external_id]

    def views(self, number: int) -> list[CaseView]:
        """Claims so many cases and shows them."""
        return [self.desk.claim(QUEUE).view for _ in range(number)]

    def overturn(self, claim: Claim | None = None, **more: Any) -> str:
        """Overturns the model's answer in a case, or in the most urgent one; returns the prediction's id."""
        claim = claim or self.desk.claim(QUEUE)
        return decide(self.desk, claim, overturning(claim.view) | more).id

    def problems(self) -> list[str]:
        """Why items are held in quarantine."""
        with self.store.read() as connection:
            rows = connection.exec_driver_sql("SELECT expected FROM quarantine ORDER BY quarantine_id")
            return [str(row[0]) for row in rows]

    def due(self) -> list[Delivery]:
        """What is to be delivered now, as the deliverer makes it. What was taken before is not given again."""
        with self.store.write() as connection:
            found = outbox.due(connection, "there", self.clock(), 100)
            outbox.take(connection, [one.delivery_id for one in found], self.clock() + 60_000)
        return [
            Delivery(
                one.event_id, one.kind, orjson.loads(one.body), one.body.encode(), _reference(one), one.attempts + 1
            )
            for one in found
        ]

    def arrived(self) -> None:
        """Notes all deliveries as made."""
        with self.store.write() as connection:
            rows = connection.exec_driver_sql("SELECT delivery_id FROM deliveries").scalars().all()
            outbox.done(connection, rows, self.clock())

    def close(self) -> None:
        """Closes everything."""
        self.source.close()
        self.sink.close()
        self.desk.close()
        self.store.close()


def _reference(one: outbox.Due) -> Mapping[str, Any]:
    return orjson.loads(one.reference or "{}")  # type: ignore[no-any-return]


def no_secrets(name: str) -> str:
    """For servers that ask for nothing."""
    raise AssertionError(f"asked for {name}")
