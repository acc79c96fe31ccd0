"""Signing in with the browser of this machine: the authorization code flow with PKCE (RFC 7636, RFC 8252)."""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from app.model.errors import Refused, Unavailable
from app.oidc.loopback import Loopback
from app.oidc.provider import Provider, post, refusal

# How long somebody may take at the provider.
SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Client:
    """What we are at the provider. `secret`: what some want of a desktop application; it is no secret."""

    client_id: str
    scopes: str
    secret: str = ""

    def form(self, **more: str) -> dict[str, str]:
        """A form with who we are."""
        return {"client_id": self.client_id, **({"client_secret": self.secret} if self.secret else {}), **more}


def id_token_by_browser(
    provider: Provider,
    client: Client,
    nonce: str,
    tell: Callable[[str], None],
    show: Callable[[str], bool],
    seconds: float = SECONDS,
) -> str:
    """An ID token for whoever signs in. `show` opens an address in a browser. Raises Refused where the provider says
    no, Unavailable where nobody comes back in time."""
    state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
    loopback = Loopback(state)
    try:
        address = _address(provider, client, loopback.address, state, nonce, verifier)
        tell("Sign in with the browser. If none opens, go to this address on this machine:")
        tell(f"  {address}")
        show(address)
        answer = loopback.wait(seconds)
        code = _code(provider, answer)
        form = client.form(
            grant_type="authorization_code", code=code, redirect_uri=loopback.address, code_verifier=verifier
        )
        status, found = post(provider.token, form)
    finally:
        loopback.close()
    return id_token_in(status, found)


def id_token_in(status: int, found: Mapping[str, object]) -> str:
    """The ID token of a token endpoint's answer. Raises Refused with the provider's words, Unavailable without one."""
    if status != 200:
        raise Refused(f"The provider refused the sign-in: {refusal(found)}. Nothing was changed.")
    token = found.get("id_token")
    if not isinstance(token, str) or not token:
        raise Unavailable(
            "The provider gave no ID token: 'openid' has to be among the scopes in the hub's [hub.oidc], and allowed "
            "to its client. Nobody was signed in."
        )
    return token


def has_browser() -> bool:
    """Whether a browser can open on this machine, for the person before it."""
    if os.environ.get("SSH_CONNECTION") or os.environ.get("SSH_TTY"):
        return False
    if sys.platform not in ("win32", "darwin") and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or os.environ.get("BROWSER")
    ):
        return False
    import webbrowser

    try:
        webbrowser.get()
    except webbrowser.Error:
        return False
    return True


def open_browser(address: str) -> bool:
    """Opens an address in the person's browser; False where that did not work."""
    import webbrowser

    try:
        return webbrowser.open(address)
    except (webbrowser.Error, OSError):
        return False


def _address(provider: Provider, client: Client, back: str, state: str, nonce: str, verifier: str) -> str:
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    asked = {
        "response_type": "code",
        "client_id": client.client_id,
        "redirect_uri": back,
        "scope": client.scopes,
        "state": state,
        "nonce": nonce,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    return f"{provider.authorization}{'&' if '?' in provider.authorization else '?'}{urlencode(asked)}"


def _code(provider: Provider, answer: Mapping[str, str]) -> str:
    """The code of an answer. Raises Refused where there is none, or another provider answers (RFC 9207)."""
    issuer = answer.get("iss")
    if issuer != provider.issuer and (issuer is not None or provider.names_itself):
        raise Refused("Another provider than the hub's answered. Nobody was signed in.")
    if answer.get("error") == "access_denied":
        raise Refused("The sign-in was declined at the provider. Nothing was changed.")
    code = answer.get("code", "")
    if "error" in answer or not code:
        raise Refused(f"The provider refused the sign-in: {refusal(answer)}. Nothing was changed.")
    return code
