"""A small real HTTP server that answers as another system would, and remembers what it was asked."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson

from app.model.connection import Delivery


@dataclass(frozen=True)
class Asked:
    """One request. `query` has the first value of each parameter; header names are lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any


# Status and body; None: 404.
Said = tuple[int, Any] | None


@dataclass
class Server:
    """The running server's address and all requests so far."""

    url: str
    asked: list[Asked] = field(default_factory=list)

    def sent(self, method: str, path: str) -> list[Any]:
        """The bodies of all requests of this method to this path."""
        return [one.body for one in self.asked if (one.method, one.path) == (method, path)]


@contextmanager
def answering(answer: Callable[[Asked], Said]) -> Iterator[Server]:
    """A server on a free loopback port until the end of the block."""
    seen = Server("")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            parts = urlsplit(self.path)
            raw = self.rfile.read(int(self.headers.get("content-length") or 0))
            query = {key: values[0] for key, values in parse_qs(parts.query).items()}
            headers = {key.lower(): value for key, value in self.headers.items()}
            asked = Asked(self.command, parts.path, query, headers, orjson.loads(raw) if raw else None)
            seen.asked.append(asked)
            status, said = answer(asked) or (404, {"detail": "not found"})
            body = b"" if said is None else orjson.dumps(said)
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PATCH = do_DELETE = _serve  # noqa: N815  # as http.server wants it

        def log_message(self, format: str, *words: Any) -> None:  # noqa: A002
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    seen.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield seen
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def delivery(reference: Mapping[str, Any], kind: str = "verdict", event_id: str = "event-1", **data: Any) -> Delivery:
    """A delivery of a verdict with these data."""
    base: dict[str, Any] = {"verdict": "upheld", "label": None, "correction": None, "reasons": [], "answers": {}}
    event = {"id": event_id, "data": base | {"supersedes": None} | data}
    return Delivery(event_id, kind, event, orjson.dumps(event), reference, 1)
