"""A hub's token: where it is (in the environment, in a file, in the keyring), and how to get one from a provider."""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app import keyrings
from app.model.errors import Unavailable

if TYPE_CHECKING:
    from app.oidc.browser import Client

VARIABLE = "SECONDLOOK_HUB_TOKEN"
_SECONDS = 20.0
# So many tokens are kept beside that of now.
_MOST_EARLIER = 20


@dataclass(frozen=True, slots=True)
class Offer:
    """A hub's way to sign in: its provider, and what we are there. `device`: also without a browser."""

    issuer: str
    client: Client
    device: bool


@dataclass(frozen=True, slots=True)
class Given:
    """A hub's token for a person; `until` in milliseconds since 1970 UTC."""

    token: str
    person: str
    roles: tuple[str, ...]
    until: int


def account_of(hub: str) -> str:
    """Under what a hub's token is kept in the keyring."""
    return f"hub:{hub.rstrip('/')}"


def token_for(hub: str) -> str:
    """The token for a hub. Raises Unavailable where there is none."""
    if os.environ.get(VARIABLE):
        return os.environ[VARIABLE].strip()
    named = os.environ.get(f"{VARIABLE}_FILE")
    if named:
        try:
            return Path(named).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise Unavailable(f"{VARIABLE}_FILE names {named}, which cannot be read: {error}.") from None
    found = keyrings.get(account_of(hub))
    if found is None:
        raise Unavailable(f"Nobody is signed in to {hub} here. `secondlook login {hub}` does, or set {VARIABLE}.")
    return found


def offer_of(hub: str) -> Offer | None:
    """How one signs in to a hub; None where it takes tokens of `secondlook token new` only."""
    from app.http import Http, check
    from app.oidc.browser import Client

    http = Http(hub, timeout=_SECONDS)
    try:
        answer = http.request("GET", "/v1/sign-in")
    finally:
        http.close()
    if answer.status in (401, 404):
        # A hub of an older version.
        return None
    check(answer, answer.where)
    said = answer.json()
    found = said.get("oidc") if isinstance(said, dict) else None
    if found is None:
        return None
    try:
        client = Client(str(found["client_id"]), str(found["scopes"]), str(found.get("desktop_secret") or ""))
        return Offer(str(found["issuer"]), client, found["device"] is True)
    except (KeyError, TypeError):
        raise _unknown_form() from None


def sign_in(hub: str, offer: Offer, device: bool, tell: Callable[[str], None]) -> Given:
    """Signs somebody in at the hub's provider, with the browser here or on another `device`. `tell` shows a line.
    Raises Refused where the provider or the hub says no, Unavailable where one of them cannot be asked."""
    from app.oidc.browser import id_token_by_browser, open_browser
    from app.oidc.device import id_token_by_device
    from app.oidc.nonce import new_nonce
    from app.oidc.provider import discover

    provider, nonce = discover(offer.issuer), new_nonce(hub)
    if device:
        token = id_token_by_device(provider, offer.client, nonce, tell)
        # Most providers leave the nonce out here; one that is there has to be ours.
        if not _has_nonce(token):
            nonce = ""
    else:
        token = id_token_by_browser(provider, offer.client, nonce, tell, open_browser)
    return _exchanged(hub, token, nonce)


def keep_in_file(path: Path, token: str) -> None:
    """Keeps a token in a file that only its owner may read; replaces what was there whole. Raises Unavailable.

    The tokens that were there before stay beside it: what was closed with one of them while the hub was away opens with
    it alone.
    """
    earlier = [one for one in (*_lines(path), *earlier_beside(path)) if one != token]
    if earlier:
        _write(_before(path), "\n".join(dict.fromkeys(earlier[:_MOST_EARLIER])))
    _write(path, token)


def earlier_beside(path: Path) -> list[str]:
    """The tokens that were in a file before, the newest first."""
    return _lines(_before(path))


def _before(path: Path) -> Path:
    return path.with_name(f"{path.name}.before")


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="ascii").split() if path.is_file() else []
    except (OSError, UnicodeDecodeError):
        return []


def _write(path: Path, text: str) -> None:
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(text + "\n")
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise Unavailable(f"{path} cannot be written: {error.strerror}. The token was kept nowhere.") from None


def _exchanged(hub: str, id_token: str, nonce: str) -> Given:
    """The hub's own token for an ID token."""
    from app.desk.wire import error_of
    from app.http import Http

    http = Http(hub, timeout=_SECONDS)
    try:
        answer = http.request("POST", "/v1/sign-in", json={"id_token": id_token, "nonce": nonce})
    finally:
        http.close()
    found = answer.json()
    if answer.status == 401:
        from app.model.errors import Refused

        raise Refused(
            f"{hub} did not accept this sign-in. Nothing was changed. Begin again; if it stays so, the hub's log says "
            "why (`secondlook audit log` where it runs)."
        )
    if answer.status != 200:
        raise error_of(found)
    try:
        return Given(str(found["token"]), str(found["person"]), tuple(found["roles"]), int(found["expires_at"]))
    except (KeyError, TypeError, ValueError):
        raise _unknown_form() from None


def _has_nonce(id_token: str) -> bool:
    """Whether a token names a nonce. Nothing is verified: the hub does that."""
    import orjson

    payload = id_token.partition(".")[2].partition(".")[0]
    try:
        claims: Any = orjson.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (binascii.Error, ValueError):
        return False
    return isinstance(claims, dict) and claims.get("nonce") is not None


def _unknown_form() -> Unavailable:
    return Unavailable(
        "The hub answers in a form that this version does not know. Nobody was signed in. Use the same version of "
        "secondlook on both sides."
    )
