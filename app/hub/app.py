"""The hub as an ASGI application."""

from __future__ import annotations

from anyio import CapacityLimiter
from fastapi import FastAPI

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
from app.hub.limits import Limits
from app.hub.preparing import Preparing
from app.hub.replays import Replays

_ABOUT = "The review desk over HTTP: predictions in, reviews, verdicts out. Refusals are problem documents (RFC 9457)."

# Threads that claim and decide. One alone would idle while the database works.
_ACTING = 2


def create_app(hub: Hub, limits: Limits | None = None) -> FastAPI:
    """The application over a hub."""
    app = FastAPI(
        title="secondlook hub",
        version=__version__,
        description=_ABOUT,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        responses=problems.ANSWERS,
    )
    app.state.hub = hub
    app.state.preparing = Preparing()
    app.state.acting = CapacityLimiter(_ACTING)
    app.state.replays = Replays(hub)
    app.state.datasets = Datasets()
    app.state.hints = Hints(hub)
    for module in (reviewing, looking, signing_in, leading, revealing, ingesting, verdicts, datasets, hints):
        app.include_router(module.router, prefix="/v1")
    app.include_router(system.router)
    problems.install(app, hub)
    app.add_middleware((limits or Limits()).middleware)
    return app
