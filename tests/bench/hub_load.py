"""`hub`: 64 terminals claim and decide through `secondlook serve` on PostgreSQL, and predictions come in in hundreds.

The hub is a process of its own, the terminals are threads of another one that speak plain HTTP.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import orjson
import psycopg

from app.workspace_place import SETTINGS_FILE
from tests.connections.servers import free_port

from . import records
from .figures import Bench, Figure, percentile
from .postgres import moved, running
from .stores import Place, open_cases
from .together import together

_TERMINALS = 64
_SECONDS = 12.0
_BATCHES, _BATCH = 120, 100
_READY_SECONDS = 30.0


def run(bench: Bench) -> Iterator[Figure]:
    """Cycles a second and their slowest hundredth, what came twice or late, and predictions a second."""
    size = bench.size(100_000)
    place = open_cases(bench, size)
    _without_first_judgement(place)
    with running(bench.folder("postgres")) as url:
        moved(place, url)
        with _serving(place, url) as (port, token):
            figures = _in_another_process("terminals", port, token, place.queue)
            yield Figure("hub_cycles", size, figures["cycles"] / _SECONDS, "cycles/s")
            yield Figure("hub_cycle_p50", size, 1000 * figures["p50"], "ms")
            yield Figure("hub_cycle_p99", size, 1000 * figures["p99"], "ms")
            yield Figure("hub_claim_p99", size, 1000 * figures["claim_p99"], "ms")
            yield Figure("hub_decision_p99", size, 1000 * figures["decision_p99"], "ms")
            yield Figure("hub_refused", size, figures["refused"], "answers")
            with psycopg.connect(url) as connection:
                ((twice,),) = connection.execute(
                    "SELECT count(*) FROM (SELECT case_id FROM reviews GROUP BY case_id HAVING count(*) > 1) t"
                ).fetchall()
            yield Figure("hub_decided_twice", size, twice, "cases")
            figures = _in_another_process("ingest", port, token, place.queue)
            yield Figure("hub_ingest", _BATCHES * _BATCH, figures["rate"], "predictions/s")


def _without_first_judgement(place: Place) -> None:
    settings = place.workspace.root / SETTINGS_FILE
    settings.write_text(settings.read_text().replace("provisional = true", "provisional = false"))


@contextmanager
def _serving(place: Place, url: str) -> Iterator[tuple[int, str]]:
    """A hub: its port, and a token that may everything here."""
    port, root = free_port(), str(place.workspace.root)
    environment = {**os.environ, "SECONDLOOK_DATABASE_URL": url}
    command = [str(Path(sys.executable).with_name("secondlook")), "--workspace", root]
    roles = ["--role", "reviewer", "--role", "intake"]
    made = subprocess.run(
        [*command, "token", "new", "bench", *roles], env=environment, capture_output=True, text=True, check=True
    )
    hub = subprocess.Popen([*command, "serve", "--port", str(port)], env=environment, stderr=subprocess.DEVNULL)
    try:
        _wait(port)
        yield port, made.stdout.strip()
    finally:
        hub.terminate()
        hub.wait(20)


def _wait(port: int) -> None:
    give_up = time.monotonic() + _READY_SECONDS
    while True:
        try:
            connection = HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass
        if time.monotonic() > give_up:
            raise TimeoutError("the hub does not come up")
        time.sleep(0.1)


def _in_another_process(what: str, port: int, token: str, queue: str) -> dict[str, Any]:
    words = [sys.executable, "-m", "tests.bench.hub_load", what, str(port), token, queue]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


# -- the other process -------------------------------------------------------------------------------


class _Terminal:
    """One terminal with a connection of its own."""

    def __init__(self, port: int, token: str, number: int) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=60)
        self._headers = {
            "authorization": f"Bearer {token}",
            "content-type": "application/json",
            "secondlook-session": f"terminal{number}",
        }

    def ask(self, path: str, body: bytes) -> tuple[int, bytes]:
        """Posts; status and body."""
        self._connection.request("POST", f"/v1{path}", body, self._headers)
        answer = self._connection.getresponse()
        return answer.status, answer.read()


def _terminals(port: int, token: str, queue: str) -> dict[str, Any]:
    # Seconds of each claim, and of the decision that followed.
    took: list[tuple[float, float]] = []
    refused: list[int] = []

    def make(number: int) -> Callable[[], None]:
        terminal = _Terminal(port, token, number)

        def cycle() -> None:
            start = time.perf_counter()
            status, body = terminal.ask("/claims", orjson.dumps({"queue": queue}))
            claimed = time.perf_counter()
            if status == 200:
                status, _ = terminal.ask("/decisions", _decision(orjson.loads(body)))
            if status == 200:
                took.append((claimed - start, time.perf_counter() - claimed))
            else:
                refused.append(status)

        return cycle

    together(_TERMINALS, _SECONDS, make)
    cycles = [claim + decision for claim, decision in took]
    return {
        "cycles": len(took),
        "p50": percentile(cycles, 0.5),
        "p99": percentile(cycles, 0.99),
        "claim_p99": percentile([claim for claim, _ in took], 0.99),
        "decision_p99": percentile([decision for _, decision in took], 0.99),
        "refused": len(refused),
    }


def _decision(claim: Any) -> bytes:
    return orjson.dumps(
        {
            "decision_id": str(uuid.uuid4()),
            "case_id": claim["lease"]["case_id"],
            "lease_token": claim["lease"]["token"],
            "answers": {"support": "supported", "label": claim["view"]["prediction"]["output"]["label"]},
            "seconds": 12.0,
        }
    )


def _ingest(port: int, token: str, queue: str) -> dict[str, Any]:
    batches = [
        orjson.dumps([{**records.tabular(n * _BATCH + m), "id": f"in-{n}-{m}"} for m in range(_BATCH)])
        for n in range(_BATCHES)
    ]
    left = iter(batches)
    lock = threading.Lock()

    def work(number: int) -> None:
        terminal = _Terminal(port, token, number)
        while True:
            with lock:
                batch = next(left, None)
            if batch is None:
                return
            status, body = terminal.ask(f"/predictions?queue={queue}", batch)
            if status != 200 or orjson.loads(body)["admitted"] != _BATCH:
                raise RuntimeError(f"{status}: {body!r}")

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {"rate": _BATCHES * _BATCH / (time.perf_counter() - start)}


if __name__ == "__main__":
    what, port, token, queue = sys.argv[1:]
    print(json.dumps({"terminals": _terminals, "ingest": _ingest}[what](int(port), token, queue)))
