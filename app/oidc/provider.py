"""An OpenID provider: what its discovery document says, and asking it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from app.http import Answer, Http, check, check_address
from app.model.errors import SettingsError, Unavailable

_SECONDS = 5.0
# Discovery documents, key sets and tokens are a few kilobytes.
_MOST_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Provider:
    """Where to ask a provider for what. `device`: empty where it has no device flow; `names_itself`: its answers to a
    browser carry its own name (RFC 9207)."""

    issuer: str
    authorization: str
    token: str
    keys: str
    device: str = ""
    names_itself: bool = False


def discover(issuer: str) -> Provider:
    """What a provider says of itself (OpenID Connect Discovery 1.0). Raises Unavailable where it does not answer, or
    says that it is somebody else."""
    where = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
    found = get(where)
    if not isinstance(found, dict) or found.get("issuer") != issuer:
        named = found.get("issuer") if isinstance(found, dict) else None
        raise Unavailable(
            f"{where} is the document of the issuer '{named}', not of '{issuer}'. Nobody was signed in. The hub's "
            "[hub.oidc] has to name it exactly as the provider does."
        )
    return Provider(
        issuer,
        _endpoint(found, "authorization_endpoint"),
        _endpoint(found, "token_endpoint"),
        _endpoint(found, "jwks_uri"),
        _endpoint(found, "device_authorization_endpoint", needed=False),
        found.get("authorization_response_iss_parameter_supported") is True,
    )


def _endpoint(document: Mapping[str, Any], name: str, needed: bool = True) -> str:
    address = document.get(name)
    if address is None and not needed:
        return ""
    try:
        check_address(address if isinstance(address, str) else "")
    except SettingsError as error:
        raise Unavailable(f"The provider's {name} cannot be used: {error}") from None
    return str(address)


def get(where: str) -> Any:
    """The JSON at an address. Raises Unavailable."""
    answer = _ask("GET", where)
    check(answer, where)
    return answer.json()


def post(where: str, form: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
    """Sends a form; the status, and what is answered. Raises Unavailable for what is no object of JSON."""
    answer = _ask("POST", where, urlencode(form).encode())
    found = answer.json()
    if not isinstance(found, dict):
        raise Unavailable(f"{where} answered {answer.status} with something else than an object. Nobody was signed in.")
    return answer.status, found


def refusal(found: Mapping[str, Any]) -> str:
    """A refusal in the provider's words, cut."""
    said = [str(found[name])[:200] for name in ("error", "error_description") if found.get(name)]
    return ": ".join(said) or "it does not say why"


def _ask(method: str, where: str, content: bytes | None = None) -> Answer:
    http = Http(where, {"accept": "application/json"}, timeout=_SECONDS, most_bytes=_MOST_BYTES)
    headers = {"content-type": "application/x-www-form-urlencoded"} if content is not None else None
    try:
        return http.request(method, "", content=content, headers=headers)
    finally:
        http.close()
