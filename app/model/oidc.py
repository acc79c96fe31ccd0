"""How people sign in to a hub with OpenID Connect: the part `[hub.oidc]` of the settings."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from app.model.policy import Strict
from app.model.rights import Role

# Where people's names come from unless the settings say otherwise.
DEFAULT_PERSON = "preferred_username"
_LOOPBACK = ("localhost", "127.0.0.1", "::1")

Claim = Annotated[str, Field(min_length=1, max_length=200)]


class OidcSettings(Strict):
    """`person`: the claim that names the person. `roles`: a value of `roles_claim` → what it makes of somebody here.
    `hours`: how long the hub's own token lasts. `address`: the hub's address as its people write it. `device`: whether
    one may sign in from a machine without a browser. `desktop_secret`: what some providers give out with a desktop
    application and call its secret; whoever asks the hub gets it."""

    issuer: str
    client_id: Annotated[str, Field(min_length=1, max_length=500)]
    scopes: str = "openid profile email"
    person: Claim = DEFAULT_PERSON
    roles_claim: Claim = "groups"
    roles: Annotated[dict[Claim, Annotated[list[Role], Field(min_length=1)]], Field(min_length=1)]
    hours: Annotated[float, Field(gt=0, le=24)] = 12
    address: str = ""
    device: bool = True
    desktop_secret: str = ""

    @field_validator("issuer", "address")
    @classmethod
    def _encrypted(cls, value: str) -> str:
        """An address whose answers nobody on the way can change; without a query, as issuers are."""
        parts = urlsplit(value)
        if not value:
            return value
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("expected https://… without a query")
        if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
            raise ValueError("only https goes to another machine")
        return value

    @field_validator("scopes")
    @classmethod
    def _openid(cls, value: str) -> str:
        if "openid" not in value.split():
            raise ValueError("'openid' has to be among them: without it there is no ID token")
        return value

    @model_validator(mode="after")
    def _has_an_issuer(self) -> OidcSettings:
        if not self.issuer:
            raise ValueError("issuer: expected https://…")
        return self


class HubSettings(Strict):
    """How the hub of this workspace behaves."""

    oidc: OidcSettings | None = None
