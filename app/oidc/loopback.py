"""The one request that brings a browser back to the terminal: a listener on loopback (RFC 8252, 7.3)."""

from __future__ import annotations

import hmac
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from app.model.errors import Unavailable

PATH = "/callback"
# Browsers open connections ahead and send nothing on them.
_IDLE_SECONDS = 10
_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>secondlook</title>
<body style="font: 1.1rem/1.5 system-ui, sans-serif; margin: 4rem auto; max-width: 34rem">
<h1 style="font-size: 1.4rem">secondlook</h1><p>{said}</p></body></html>
"""
_HEADERS = {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "connection": "close",
}


class Loopback:
    """Listens on a free port of 127.0.0.1, for the one answer that carries our state."""

    def __init__(self, state: str) -> None:
        self._state = state
        self._came = threading.Event()
        self._lock = threading.Lock()
        self._answer: dict[str, str] = {}
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        """Where the provider is to send the browser."""
        return f"http://{self._server.host}{PATH}"

    def wait(self, seconds: float) -> Mapping[str, str]:
        """The answer's parameters. Raises Unavailable where none comes in time."""
        if not self._came.wait(seconds):
            raise Unavailable(
                f"Nobody signed in within {seconds / 60:.0f} minutes. Nothing was changed. Begin again with "
                "`secondlook login`; --device does without a browser on this machine."
            )
        return self._answer

    def take(self, found: list[tuple[str, str]]) -> tuple[int, str]:
        """Looks at an answer; the first with our state is the one. Returns a status and what to tell the person."""
        answer = dict(found)
        with self._lock:
            if len(answer) != len(found) or not hmac.compare_digest(
                answer.get("state", "").encode(), self._state.encode()
            ):
                return 400, "This is not the sign-in that the terminal waits for. Nothing was changed."
            if self._came.is_set():
                return 410, "This sign-in came already. The terminal says how it went."
            self._answer = answer
            self._came.set()
        if "code" in answer:
            return 200, "The terminal goes on from here. This page can be closed."
        return 200, "Nobody was signed in. The terminal says why; this page can be closed."

    def close(self) -> None:
        """Stops listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = False
    request_queue_size = 64

    def __init__(self, loopback: Loopback) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.loopback = loopback
        self.host = f"127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that went away is no news."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = _IDLE_SECONDS
    server_version = "secondlook"
    sys_version = ""

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if self.headers.get("host") != self.server.host or parts.path != PATH:
            self._say(404, "There is nothing here.")
            return
        try:
            found = parse_qsl(parts.query, keep_blank_values=True, max_num_fields=20)
        except ValueError:
            found = []
        self._say(*self.server.loopback.take(found))

    def _say(self, status: int, said: str) -> None:
        body = _PAGE.format(said=said).encode()
        self.send_response(status)
        for name, value in {**_HEADERS, "content-length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """The requests hold a code: they are not written anywhere."""
