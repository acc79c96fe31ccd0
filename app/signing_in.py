"""Where the token for a hub is: in the environment, in a file, or in the keyring."""

from __future__ import annotations

import os
from pathlib import Path

from app import keyrings
from app.model.errors import Unavailable

VARIABLE = "SECONDLOOK_HUB_TOKEN"


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
