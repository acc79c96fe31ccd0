"""The key of a journal: in the keyring where one works, else derived from the token, which sending needs anyway.

A key in the keyring outlives the token. One that is derived from a token opens only with that token: after signing in
anew, the earlier ones are in the file beside that of `login --file`, or SECONDLOOK_HUB_TOKEN_BEFORE gives one.
"""

from __future__ import annotations

import base64
import hmac
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from app import keyrings
from app.desk.file_lock import locked
from app.signing_in import VARIABLE, earlier_beside

EARLIER = "SECONDLOOK_HUB_TOKEN_BEFORE"
Source = Literal["keyring", "token"]
_BYTES = 32


@dataclass(frozen=True, slots=True)
class Key:
    """32 bytes, and where they come from."""

    source: Source
    secret: bytes

    @property
    def check(self) -> str:
        """Tells this key from others without telling anything of it: 8 hex digits."""
        return hmac.digest(self.secret, b"secondlook journal check", "sha256")[:4].hex()


class JournalKeys:
    """The keys that this terminal has for the journals of one hub. Asks the keyring when it has to, and once."""

    def __init__(self, hub: str, token: str) -> None:
        self._hub = hub
        self._token = token
        self._ring: Key | None = None
        self._derived: list[Key] = []

    def for_writing(self, folder: Path) -> Key:
        """The key for a new file. Two terminals that begin at the same time get the same one."""
        with locked(folder / "key.lock"):
            return self._from_keyring() or self._new_in_keyring() or self._from_tokens()[0]

    def find(self, source: str, check: str) -> Key | None:
        """The key that a file was closed with, if it is here."""
        found = [self._from_keyring()] if source == "keyring" else self._from_tokens()
        return next((key for key in found if key is not None and key.check == check), None)

    def _from_keyring(self) -> Key | None:
        if self._ring is None:
            try:
                secret = base64.b64decode(keyrings.get(self._account) or "", validate=True)
            except ValueError:
                secret = b""
            self._ring = Key("keyring", secret) if len(secret) == _BYTES else None
        return self._ring

    def _new_in_keyring(self) -> Key | None:
        secret = secrets.token_bytes(_BYTES)
        if keyrings.put(self._account, base64.b64encode(secret).decode()):
            self._ring = Key("keyring", secret)
        return self._ring

    @property
    def _account(self) -> str:
        return f"journal:{self._hub}"

    def _from_tokens(self) -> list[Key]:
        if not self._derived:
            tokens = [self._token, os.environ.get(EARLIER, "").strip(), *_in_the_file_before()]
            self._derived = [Key("token", _derive(token, self._hub)) for token in tokens if token]
        return self._derived


def _in_the_file_before() -> list[str]:
    """The tokens that were in the terminal's file of tokens before the one of now."""
    named = os.environ.get(f"{VARIABLE}_FILE")
    return earlier_beside(Path(named)) if named else []


def _derive(token: str, hub: str) -> bytes:
    """HKDF-SHA256. A token is 256 random bits, so it needs no stretching."""
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(SHA256(), _BYTES, salt=None, info=f"secondlook journal|{hub}".encode()).derive(token.encode())
