"""A receiver of webhooks on a loopback port, which checks all it gets with other people's software and behaves as it is
told: well, or as receivers do."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cloudevents.core.bindings.http import HTTPMessage, from_http_event
from standardwebhooks import Webhook

# What a receiver may do with a request; those in KEPT have taken the event, whatever they say.
KEPT = ("ok", "html", "late", "twice")
BAD = ("drop", "cut", "slow", "500", "404", "429", "503", "redirect", "garbage")
Behave = Callable[[str, int], str]
# Longer than the senders in the tests wait.
SLOW_SECONDS = 0.6


class Receiver:
    """Listens until it is closed. `behave(event id, how many times it came)` names what to do."""

    def __init__(self, key: str, behave: Behave = lambda event_id, times: "ok", retry_after: str = "7") -> None:
        """`key`: the `whsec_…` that every request must be signed with."""
        self.behave = behave
        self.retry_after = retry_after
        self.problems: list[str] = []
        self.came: list[tuple[str, str]] = []
        self.headers: list[dict[str, str]] = []
        self.events: dict[str, Any] = {}
        self._webhook = Webhook(key)
        self._lock = threading.Lock()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                receiver.take(self)

            def do_GET(self) -> None:
                receiver.problems.append(f"GET {self.path}")
                self.send_error(405)

            def log_message(self, *words: Any) -> None:
                """Says nothing."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False

            def handle_error(self, *words: Any) -> None:
                """Senders that give up are no error."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port = int(self._server.server_address[1])
        self.url = f"http://127.0.0.1:{self.port}/hooks/verdicts"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stops listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Receiver:
        return self

    def __exit__(self, *words: object) -> None:
        self.close()

    def take(self, request: BaseHTTPRequestHandler) -> None:
        """One request: checked, counted, answered."""
        body = request.rfile.read(int(request.headers["content-length"]))
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            self._webhook.verify(body, headers)
            event = from_http_event(HTTPMessage(headers, body))
            if event.get_id() != headers["webhook-id"]:
                raise ValueError("the ids of header and event differ")
        except Exception as error:  # noqa: BLE001  # whatever other people's software finds
            self.problems.append(f"{type(error).__name__}: {error}")
            request.send_error(401)
            return
        with self._lock:
            times = sum(came == event.get_id() for came, _ in self.came) + 1
            how = self.behave(event.get_id(), times)
            self.came.append((event.get_id(), how))
            self.headers.append(headers)
            if how in KEPT:
                self.events.setdefault(event.get_id(), event)
        with contextlib.suppress(OSError):
            self._answer(request, how)

    def _answer(self, request: BaseHTTPRequestHandler, how: str) -> None:
        match how:
            case "ok":
                _say(request, 204)
            case "html":
                _say(request, 200, b"<html>thank you</html>", "text/html")
            case "twice":
                _say(request, 200, b"one")
                _say(request, 200, b"two")
                request.close_connection = True
            case "drop" | "late":
                request.connection.shutdown(socket.SHUT_RDWR)
                request.close_connection = True
            case "cut":
                request.wfile.write(b"HTTP/1.1 200 O")
                request.close_connection = True
            case "slow":
                time.sleep(SLOW_SECONDS)
                request.close_connection = True
            case "garbage":
                request.wfile.write(b"\x16\x03\x01 no HTTP at all\r\n\r\n")
                request.close_connection = True
            case "redirect":
                _say(request, 302, location=f"http://127.0.0.1:{self.port}/elsewhere")
            case _:
                _say(request, int(how), b"no", retry_after=self.retry_after if how in ("429", "503") else "")


def _say(request: BaseHTTPRequestHandler, status: int, body: bytes = b"", kind: str = "", **more: str) -> None:
    request.send_response(status)
    for name, value in {"content-type": kind, **more}.items():
        if value:
            request.send_header(name.replace("_", "-"), value)
    if status != 204:
        request.send_header("content-length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)
