"""Hubs for tests: one real server on loopback for the run, behind whose address any number of hubs stand."""

from __future__ import annotations

import secrets
import threading
import time
from functools import cache

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from app.hub.app import HubApp
from app.hub.hub import Hub
from app.hub.limits import Limits
from app.hub.tokens import digest, new_token
from app.model.rights import Role
from db import tokens

# Nobody in these tests asks too often.
PATIENT = Limits(rate=1e6, burst=1e6)
_YEAR_MS = 365 * 86_400_000


class _Many:
    """Applications by the first part of the path."""

    def __init__(self) -> None:
        self.apps: dict[str, ASGIApp] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        _, name, rest = scope["path"].split("/", 2)
        await self.apps[name]({**scope, "path": f"/{rest}", "raw_path": f"/{rest}".encode()}, receive, send)


@cache
def _server() -> tuple[_Many, str]:
    many = _Many()
    config = uvicorn.Config(many, host="127.0.0.1", port=0, log_level="warning", lifespan="off")
    server = uvicorn.Server(config)
    threading.Thread(target=server.run, name="hubs", daemon=True).start()
    while not server.started:
        time.sleep(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    return many, f"http://127.0.0.1:{port}"


def serve(hub: Hub, limits: Limits = PATIENT) -> str:
    """Serves a hub; returns its address."""
    many, address = _server()
    name = secrets.token_hex(8)
    many.apps[name] = HubApp(hub, limits)
    return f"{address}/{name}"


def stop(address: str) -> None:
    """Serves a hub no more: what it holds is let go."""
    many, _ = _server()
    many.apps.pop(address.rpartition("/")[2], None)


def sign_in(hub: Hub, person: str, *roles: Role) -> str:
    """A token for somebody."""
    token, now = new_token(), hub.clock()
    kept = tokens.Token(secrets.token_hex(6), person, " ".join(roles), now, now + _YEAR_MS, None)
    with hub.store.write() as connection:
        tokens.keep(connection, kept, digest(token))
    return token
