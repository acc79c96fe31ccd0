"""Routes to sign in: what the provider is, and an ID token of it for a token of ours."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import Field
from pydantic.dataclasses import dataclass
from starlette.responses import Response

from app.audit import log
from app.hub.asking import Body, answer, hub_of
from app.hub.hub import Denied, Hub
from app.hub.problems import problem
from app.hub.tokens import digest, new_token
from app.model.errors import NothingToDo, Refused
from app.model.oidc import DEFAULT_PERSON, OidcSettings
from app.model.rights import ROLES, Role
from db import tokens

router = APIRouter(tags=["sign-in"])
_HOUR_MS = 3_600_000
_MOST_NAME = 200
# Who writes the log where nobody is signed in: no person may be called so.
_OURS = "hub"


@dataclass
class Provider:
    """Where people sign in. `device`: one may sign in from a machine without a browser. `desktop_secret`: what some
    providers want of a desktop application; it is no secret."""

    issuer: str
    client_id: str
    scopes: str
    device: bool
    desktop_secret: str


@dataclass
class SignIn:
    """How people sign in; without a provider a token of `secondlook token new` is all there is."""

    oidc: Provider | None


class Shown(Body):
    """An ID token of the provider; `nonce`: what the sign-in was begun with, empty where the token has none."""

    id_token: Annotated[str, Field(max_length=32_768)]
    nonce: Annotated[str, Field(max_length=500)]


@dataclass
class SignedIn:
    """A token of ours, shown only now; `expires_at` in milliseconds since 1970 UTC."""

    token: str
    person: str
    roles: list[str]
    expires_at: int


@router.get("/sign-in", response_model=SignIn)
def how(request: Request) -> Response:
    """How to sign in. Needs no token."""
    id_tokens = hub_of(request).id_tokens
    if id_tokens is None:
        return answer(SignIn, SignIn(None))
    said = id_tokens.settings
    found = Provider(said.issuer, said.client_id, said.scopes, said.device, said.desktop_secret)
    return answer(SignIn, SignIn(found))


@router.post("/sign-in", response_model=SignedIn)
def sign_in(request: Request, shown: Shown) -> Response:
    """A token for whom the provider knows. Needs no token."""
    hub = hub_of(request)
    if hub.id_tokens is None:
        raise NothingToDo(
            "This hub has no provider to sign in with: `secondlook token new` makes tokens where it runs."
        )
    settings = hub.id_tokens.settings
    try:
        claims = hub.id_tokens.claims(shown.id_token, shown.nonce)
        person = person_of(claims, settings)
        roles = roles_of(claims, settings)
        if roles:
            hub.id_tokens.use(shown.id_token, claims)
    except Denied as denied:
        hub.note_refusal(_OURS, denied.why)
        return problem(401, "This sign-in was not accepted. Nobody was signed in; begin again with `secondlook login`.")
    if not roles:
        hub.note_refusal(person, "sign-in: no role")
        raise Refused(
            f"The provider knows you, and nothing in '{settings.roles_claim}' gives you a role here. Ask for one of: "
            f"{', '.join(settings.roles)}."
        )
    return answer(SignedIn, _token(hub, person, roles, settings.hours, str(claims["sub"])))


def _token(hub: Hub, person: str, roles: list[Role], hours: float, subject: str) -> SignedIn:
    """Makes a token; that it was made is in the log, with the provider's own name for the person."""
    token, now = new_token(), hub.clock()
    kept = tokens.Token(secrets.token_hex(6), person, " ".join(roles), now, now + round(hours * _HOUR_MS), None)
    data = {"token": kept.token_id, "person": person, "roles": kept.roles, "by": "oidc", "subject": subject[:300]}
    with hub.store.write() as connection:
        tokens.keep(connection, kept, digest(token))
        log.append(connection, now, person, "token_made", None, data)
    return SignedIn(token, person, list(roles), kept.expires_at)


def person_of(claims: Mapping[str, Any], settings: OidcSettings) -> str:
    """Who a token is about. Raises Denied where the claim is missing, or no name.

    A claim that the settings name is taken or nothing. Left to itself it is `preferred_username`, else an address that
    the provider has verified, else the subject.
    """
    found = _claim(claims, settings.person)
    if found is None and settings.person == DEFAULT_PERSON and "person" not in settings.model_fields_set:
        found = _claim(claims, "email") or claims["sub"]
    if not isinstance(found, str) or not found.isprintable() or not 0 < len(found.strip()) <= _MOST_NAME:
        raise Denied("sign-in: no name")
    name = found.strip()
    if name == _OURS:
        raise Denied("sign-in: a name of ours")
    return name


def roles_of(claims: Mapping[str, Any], settings: OidcSettings) -> list[Role]:
    """The roles that a token's groups give, in the order of ROLES."""
    found = _claim(claims, settings.roles_claim)
    groups: Iterable[Any] = found if isinstance(found, list) else [found]
    given = {role for group in groups if isinstance(group, str) for role in settings.roles.get(group, ())}
    return [role for role in ROLES if role in given]


def _claim(claims: Mapping[str, Any], name: str) -> Any:
    """A claim by its name, or by a way through objects (`realm_access.roles`). An address counts once verified."""
    found: Any = claims.get(name)
    if name not in claims:
        found = claims
        for part in name.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
    if name == "email" and claims.get("email_verified") is not True:
        return None
    return found
