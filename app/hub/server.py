"""Serving the hub until it is told to stop."""

from __future__ import annotations

import contextlib
import gc
import logging
import socket
import sys
from typing import Any

import uvicorn

from app.crash import wants_traceback
from app.hub.app import HubApp
from app.model.errors import Unavailable

_SWITCH_SECONDS = 0.002
_COLLECT = (50_000, 20, 50)
# Connections that wait to be taken.
_BACKLOG = 2048


class _Server(uvicorn.Server):
    """Ends what has no end of its own before it waits for the requests at hand."""

    def __init__(self, hub: HubApp, options: dict[str, Any]) -> None:
        super().__init__(uvicorn.Config(hub, **options))
        self._hub = hub

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Ends the connections of those who listen, then all others."""
        self._hub.hints.close()
        await super().shutdown(sockets)
        self._hub.close()


def _without_traceback(record: logging.LogRecord) -> bool:
    """The server's line about an error nobody expected, without values; where it happened is logged beside it."""
    if not wants_traceback():
        record.exc_info = record.exc_text = None
    return True


def listen(host: str, port: int) -> socket.socket:
    """A socket to serve on; port 0 is any free one. Raises Unavailable where it cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise Unavailable(
            f"Port {port} of {host} cannot be had: {why}. Another program may listen there; choose one with --port. "
            "Nothing was changed."
        ) from None


def run(hub: HubApp, listening: socket.socket, **options: Any) -> None:
    """Serves until ctrl-c, with uvicorn's options. Raises Unavailable where it cannot begin."""
    # A thread that comes back from the database is not kept waiting by the one that speaks HTTP: others wait for it.
    sys.setswitchinterval(_SWITCH_SECONDS)
    # What is there now stays, and requests are trees: looking for cycles after each few hundred objects finds nothing.
    gc.freeze()
    gc.set_threshold(*_COLLECT)
    hub.preparing.begin()
    server = _Server(hub, options)
    logging.getLogger("uvicorn.error").addFilter(_without_traceback)
    with contextlib.suppress(KeyboardInterrupt):
        server.run([listening])
    if not server.started:
        raise Unavailable("The hub could not begin to serve; what the server said stands above. Nothing was changed.")
