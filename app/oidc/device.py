"""Signing in from a machine without a browser, with one on another: the device flow (RFC 8628)."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from app.model.errors import Refused, Unavailable
from app.oidc.browser import Client, id_token_in
from app.oidc.provider import Provider, post, refusal

_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
_INTERVAL, _SLOWER = 5.0, 5.0
# However long the provider would wait.
_MOST_SECONDS = 1800.0
_LONGEST_INTERVAL = 60.0


def id_token_by_device(
    provider: Provider,
    client: Client,
    nonce: str,
    tell: Callable[[str], None],
    sleep: Callable[[float], None] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> str:
    """An ID token for whoever enters the code. Raises Refused where the provider says no, Unavailable where nobody
    enters it in time, or the provider has no such flow."""
    if not provider.device:
        raise Unavailable(
            f"{provider.issuer} has no sign-in for machines without a browser. Sign in on a machine with one, or show "
            "a token of `secondlook token new` with --token."
        )
    asked = client.form(scope=client.scopes, nonce=nonce)
    status, begun = post(provider.device, asked)
    if status != 200:
        raise Refused(f"The provider refuses sign-ins from machines without a browser: {refusal(begun)}.")
    code, user_code, where = (begun.get(name) for name in ("device_code", "user_code", "verification_uri"))
    if not (isinstance(code, str) and isinstance(user_code, str) and isinstance(where, str)):
        raise Unavailable("The provider's answer holds no code to enter. Nobody was signed in.")
    until = clock() + min(_seconds(begun, "expires_in", 600.0), _MOST_SECONDS)
    tell("On any machine with a browser, go to this address and enter the code:")
    tell(f"  {where}")
    tell(f"  {user_code}")
    complete = begun.get("verification_uri_complete")
    if isinstance(complete, str) and complete:
        tell(f"Or, with the code in it: {complete}")
    form = client.form(grant_type=_GRANT, device_code=code)
    return _poll(provider, form, max(1.0, _seconds(begun, "interval", _INTERVAL)), until, sleep or _pause, clock)


def _poll(
    provider: Provider,
    form: Mapping[str, str],
    interval: float,
    until: float,
    sleep: Callable[[float], None],
    clock: Callable[[], float],
) -> str:
    """Asks until somebody has entered the code."""
    while clock() < until:
        sleep(min(interval, _LONGEST_INTERVAL, max(0.0, until - clock())))
        try:
            status, found = post(provider.token, form)
        except Unavailable:
            # RFC 8628, 3.5: a provider that does not answer is asked less often.
            interval *= 2
            continue
        error = found.get("error") if status != 200 else None
        if error == "slow_down":
            interval += _SLOWER
        elif error == "access_denied":
            raise Refused("The sign-in was declined at the provider. Nothing was changed.")
        elif error == "expired_token":
            break
        elif error != "authorization_pending":
            return id_token_in(status, found)
    raise Unavailable("Nobody entered the code in time. Nothing was changed. Begin again with `secondlook login`.")


def _pause(seconds: float) -> None:
    time.sleep(seconds)


def _seconds(found: Mapping[str, Any], name: str, usual: float) -> float:
    value = found.get(name)
    return float(value) if isinstance(value, int | float) and 0 < value < 1e9 else usual
