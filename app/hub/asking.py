"""What every route needs: who asks, whether they may, and the answer as JSON."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.security import HTTPBearer
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from app.desk.local import LocalDesk
from app.desk.wire import dump
from app.hub.hub import Denied, Hub, Identity
from app.model.case import Lease
from app.model.errors import Refused
from app.model.rights import Right, may

_ABOUT_TOKENS = (
    "A token of `secondlook token new`, or of signing in. The header `secondlook-session` tells a person's terminals "
    "apart."
)
_SESSION = re.compile(r"[A-Za-z0-9._-]{0,64}")
SESSION_HEADER = "secondlook-session"
# Numbers of cases, tokens and the like fit the database.
Number = Annotated[int, Field(ge=-(2**63), lt=2**63)]
Word = Annotated[str, Field(max_length=300)]
Text = Annotated[str, Field(max_length=100_000)]


class Body(BaseModel):
    """A request's body: an unknown key is a typo and refused."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


def hub_of(request: Request) -> Hub:
    """The hub that is asked."""
    hub: Hub = request.state.hub
    return hub


async def _identity(request: Request) -> Identity:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Denied("no token")
    session = request.headers.get(SESSION_HEADER, "")
    hub, terminal = hub_of(request), session if _SESSION.fullmatch(session) else ""
    # A thread is only taken where the database is asked: a token's row is known for a second.
    known = hub.recently_identified(token, terminal)
    return known if known is not None else await run_in_threadpool(hub.identify, token, terminal)


class allowed(HTTPBearer):  # noqa: N801  # a dependency reads as a word
    """A dependency: the person who asks, if they have a right."""

    def __init__(self, right: Right) -> None:
        super().__init__(scheme_name="token", description=_ABOUT_TOKENS, auto_error=False)
        self.right = right

    async def __call__(self, request: Request) -> Identity:  # type: ignore[override]
        who = await _identity(request)
        if not may(who.roles, self.right):
            await run_in_threadpool(hub_of(request).note_refusal, who.person, f"right {self.right}")
            raise Refused("The roles of this token do not allow this.")
        return who


class desk_with(allowed):  # noqa: N801
    """A dependency: the desk of the person who asks, if they have a right."""

    async def __call__(self, request: Request) -> LocalDesk:  # type: ignore[override]
        return hub_of(request).desk(await super().__call__(request))


Looking = Annotated[LocalDesk, Depends(desk_with("look"))]
Reviewing = Annotated[LocalDesk, Depends(desk_with("review"))]
Managing = Annotated[LocalDesk, Depends(desk_with("manage"))]
Unparking = Annotated[LocalDesk, Depends(desk_with("unpark"))]
Revealing = Annotated[LocalDesk, Depends(desk_with("reveal"))]


async def in_turn(request: Request, act: Callable[[], Response]) -> Response:
    """What many terminals ask for at once, in the order in which they asked.

    Acts wait for each other in the database anyway. Few threads for them cost less than many that wait there, and who
    came first is served first.
    """
    acting: Executor = request.state.acting
    return await asyncio.get_running_loop().run_in_executor(acting, act)


def lease_of(desk: LocalDesk, case_id: int, token: int) -> Lease:
    """A lease as its holder names it: who and where come from the token and the terminal; until when, the database
    knows."""
    return Lease(case_id, token, desk.person, "", 0)


def answer(kind: Any, value: Any) -> Response:
    """A value of a type as the response."""
    return Response(dump(kind, value), media_type="application/json")


def nothing() -> Response:
    """It is done, and there is nothing to say."""
    return Response(status_code=204)
