"""The hub's process: that it can be stopped while somebody listens, and says nothing of what it worked on."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from app.hub import server
from app.hub.hub import Hub
from app.model.errors import Unavailable
from tests.contract import hubs
from tests.contract.worlds import SqliteWorld
from tests.hub.conftest import problem
from tests.hub.test_hints import listening

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
import sys
from app.hub import looking, server
from app.hub.app import HubApp
from app.hub.hub import Hub
from db.engine import open_store
from tests.contract.worlds import KEYS, POLICIES, RUBRICS, START

def broken(*_):
    raise ZeroDivisionError("7200 of somebody's amount")

looking.answer = broken
hub = Hub(open_store(sys.argv[1]), dict(POLICIES), RUBRICS, KEYS, clock=lambda: START)
server.run(HubApp(hub), server.listen("127.0.0.1", int(sys.argv[2])), log_level="warning")
print("stopped")
"""


@contextmanager
def serving(url: str, **environment: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A process that serves the database, and its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, url, str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, "SECONDLOOK_DEBUG": "", **environment},
    )
    try:
        _wait(address := f"http://127.0.0.1:{port}")
        yield process, address
    finally:
        process.kill()
        process.wait()


def _wait(address: str) -> None:
    end = time.monotonic() + 30
    while True:
        try:
            httpx.get(f"{address}/healthz")
        except httpx.TransportError:
            assert time.monotonic() < end
            time.sleep(0.05)
        else:
            return


@pytest.mark.skipif(os.name == "nt", reason="There is no SIGINT for another process.")
def test_it_stops_although_somebody_listens(world: SqliteWorld, hub: Hub) -> None:
    headers = {"authorization": f"Bearer {hubs.sign_in(hub, 'ada', 'reviewer')}"}
    with (
        serving(world.url) as (process, address),
        httpx.Client(base_url=f"{address}/v1", headers=headers) as client,
        listening(client) as stream,
    ):
        process.send_signal(signal.SIGINT)
        assert stream.rest() == []
        out, err = process.communicate(timeout=20)
        assert (process.returncode, out) == (0, b"stopped\n"), err


def test_a_port_that_is_taken_is_said_before_anything_begins() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Unavailable, match=rf"Port {port} of 127\.0\.0\.1 .* --port"):
            server.listen("127.0.0.1", port)


@pytest.mark.parametrize("debug", ["", "1"])
def test_a_defect_is_logged_without_values(debug: str, world: SqliteWorld, hub: Hub) -> None:
    headers = {"authorization": f"Bearer {hubs.sign_in(hub, 'ada', 'reviewer')}"}
    with serving(world.url, SECONDLOOK_DEBUG=debug) as (process, address):
        answer = httpx.get(f"{address}/v1/me", headers=headers)
        assert (answer.status_code, problem(answer)) == (500, "defect")
        process.terminate()
        _, err = process.communicate(timeout=20)
    assert b"ZeroDivisionError" in err and b"app/hub/looking.py" in err
    assert (b"somebody's amount" in err) == bool(debug)
