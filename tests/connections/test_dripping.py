"""Servers that send a byte now and then, for ever: an exchange ends when its time is over."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from app.http import Http
from app.model.errors import Unavailable
from app.resp import RedisOptions, Resp
from tests.connections.servers import no_secrets

_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n"


@contextmanager
def dripping(first: bytes, drop: bytes) -> Iterator[int]:
    """A server that sends `first` to whoever comes, and a drop every 50 ms; its port."""
    over = threading.Event()

    def drip(connection: socket.socket) -> None:
        with connection:
            try:
                connection.sendall(first)
                while not over.wait(0.05):
                    connection.sendall(drop)
            except OSError:
                pass

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=drip, args=[connection], daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]
        over.set()
        listener.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize(
    ("first", "drop"),
    [(_HEAD, b" "), (b"HTTP/1.1 200 OK\r\n", b"x: y\r\n"), (b"HTTP/1.1 200 OK\r\nx: ", b"y")],
    ids=["body", "headers", "one header"],
)
@pytest.mark.parametrize("cut", [False, True], ids=["whole", "cut"])
def test_http_ends(first: bytes, drop: bytes, cut: bool) -> None:
    with dripping(first, drop) as port:
        http = Http(f"http://127.0.0.1:{port}", timeout=0.2, cut=cut)
        begun = time.monotonic()
        if cut and first == _HEAD:
            # The status has come, which is all that counts.
            assert http.request("POST", "/").status == 200
        else:
            with pytest.raises(Unavailable, match="does not answer in time"):
                http.request("POST", "/")
        assert time.monotonic() - begun < 2
        http.close()


def test_redis_ends() -> None:
    with dripping(b"+", b"A") as port:
        client = Resp(RedisOptions(url=f"redis://127.0.0.1:{port}/0", timeout_seconds=0.2), no_secrets)
        with pytest.raises(Unavailable, match="does not answer in time"):
            client.ask("PING")
        client.close()
