"""The hub as an ASGI application."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import cache

from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from app import __version__
from app.hub import (
    datasets,
    hints,
    ingesting,
    leading,
    looking,
    problems,
    revealing,
    reviewing,
    signing_in,
    system,
    verdicts,
)
from app.hub.datasets import Datasets
from app.hub.hints import Hints
from app.hub.hub import Hub
from app.hub.limits import Limited, Limiter, Limits
from app.hub.preparing import Preparing
from app.hub.replays import Replays

_ABOUT = "The review desk over HTTP: predictions in, reviews, verdicts out. Refusals are problem documents (RFC 9457)."

# Threads that claim and decide. One alone would idle while the database works.
_ACTING = 2


@cache
def api() -> FastAPI:
    """The routes, made once: whose hub is asked comes with each request, as its state."""
    app = FastAPI(
        title="secondlook hub",
        version=__version__,
        description=_ABOUT,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        responses=problems.ANSWERS,
    )
    for module in (reviewing, looking, signing_in, leading, revealing, ingesting, verdicts, datasets, hints):
        app.include_router(module.router, prefix="/v1")
    app.include_router(system.router)
    problems.install(app)
    app.add_middleware(Limited)
    return app


class HubApp:
    """The ASGI application over one hub."""

    def __init__(self, hub: Hub, limits: Limits | None = None) -> None:
        self.preparing = Preparing()
        self.hints = Hints(hub)
        self._acting = ThreadPoolExecutor(_ACTING, "acting")
        self._state = {
            "hub": hub,
            "preparing": self.preparing,
            "acting": self._acting,
            "replays": Replays(hub),
            "datasets": Datasets(),
            "hints": self.hints,
            "limiter": Limiter(limits or Limits()),
        }
        self._api = api()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        scope["state"] = {**scope.get("state", {}), **self._state}
        await self._api(scope, receive, send)

    def close(self) -> None:
        """Ends its threads and processes, after what they are at."""
        self._acting.shutdown()
        self.preparing.close()
