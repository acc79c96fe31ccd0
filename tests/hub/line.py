"""A line to a hub that a test can cut, hold, and cut after the request went through."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from urllib.parse import urlsplit


class Line:
    """A TCP proxy before a hub. `url` is the hub's address through it."""

    def __init__(self, hub: str) -> None:
        parts = urlsplit(hub)
        self._target = (parts.hostname, parts.port)
        self._port = 0
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._listener: socket.socket | None = None
        # Requests are taken and never passed on.
        self.hangs = False
        # Requests are passed on; the answer is never heard.
        self.deaf = False
        # A request with this in it cuts the line before it is passed on.
        self.cut_at = b""
        self.mend()
        self.url = parts._replace(netloc=f"127.0.0.1:{self._port}").geturl()

    def mend(self) -> None:
        """As new."""
        self.hangs = self.deaf = False
        self.cut_at = b""
        if self._listener is None:
            self._listener = socket.create_server(("127.0.0.1", self._port))
            self._port = self._listener.getsockname()[1]
            threading.Thread(target=self._accept, args=[self._listener], daemon=True).start()

    def cut(self) -> None:
        """Nobody answers, and what was open is dropped."""
        with self._lock:
            listener, self._listener = self._listener, None
            dropped, self._open = self._open, set()
        if listener is not None:
            # A thread that accepts is not woken by close alone.
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        for one in dropped:
            _drop(one)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self._target)
            except OSError:
                client.close()
                continue
            with self._lock:
                self._open |= {client, server}
            threading.Thread(target=self._pump, args=[client, server, self._outwards], daemon=True).start()
            threading.Thread(target=self._pump, args=[server, client, self._inwards], daemon=True).start()

    def _outwards(self, data: bytes) -> bool:
        if self.cut_at and self.cut_at in data:
            self.cut()
        return not self.hangs

    def _inwards(self, _data: bytes) -> bool:
        if self.deaf:
            self.cut()
        return True

    def _pump(self, source: socket.socket, target: socket.socket, passes: Callable[[bytes], bool]) -> None:
        try:
            while data := source.recv(65536):
                if passes(data):
                    target.sendall(data)
        except OSError:
            pass
        for one in (source, target):
            _drop(one)
        with self._lock:
            self._open -= {source, target}


def _drop(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()


def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    """Waits until something holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "never came true"
        time.sleep(0.01)
