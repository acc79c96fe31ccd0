"""What every route needs: who asks, whether they may, and the answer as JSON."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import Depends, Header, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from app.desk.local import LocalDesk
from app.desk.wire import dump
from app.hub.hub import Denied, Hub, Identity
from app.model.case import Lease
from app.model.errors import Refused
from app.model.rights import Right

_bearer = HTTPBearer(auto_error=False, description="A token of `secondlook token new`.")
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
    """The hub behind the application."""
    hub: Hub = request.app.state.hub
    return hub


def _identity(
    request: Request,
    given: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
    session: Annotated[str, Header(alias=SESSION_HEADER, description="Tells a person's terminals apart.")] = "",
) -> Identity:
    if given is None:
        raise Denied("no token")
    return hub_of(request).identify(given.credentials, session if _SESSION.fullmatch(session) else "")


class allowed:  # noqa: N801  # a dependency reads as a word
    """A dependency: the person who asks, if they have a right."""

    def __init__(self, right: Right) -> None:
        self.right = right

    def __call__(self, request: Request, who: Annotated[Identity, Depends(_identity)]) -> Identity:
        if not hub_of(request).allowed(who, self.right):
            raise Refused("The roles of this token do not allow this.")
        return who


class desk_with(allowed):  # noqa: N801
    """A dependency: the desk of the person who asks, if they have a right."""

    def __call__(self, request: Request, who: Annotated[Identity, Depends(_identity)]) -> LocalDesk:  # type: ignore[override]
        return hub_of(request).desk(super().__call__(request, who))


Looking = Annotated[LocalDesk, Depends(desk_with("look"))]
Reviewing = Annotated[LocalDesk, Depends(desk_with("review"))]
Managing = Annotated[LocalDesk, Depends(desk_with("manage"))]
Unparking = Annotated[LocalDesk, Depends(desk_with("unpark"))]
Revealing = Annotated[LocalDesk, Depends(desk_with("reveal"))]


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
