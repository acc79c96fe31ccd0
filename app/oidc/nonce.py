"""The nonce of a sign-in, bound to the hub it is for: an ID token that one hub was given is of no use at another."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets


def new_nonce(hub: str) -> str:
    """A random word, a point, and a digest of both the word and the hub's address."""
    word = secrets.token_urlsafe(24)
    return f"{word}.{_digest(word, hub)}"


def is_for(nonce: str, hub: str) -> bool:
    """Whether somebody who makes nonces as above meant this hub."""
    word, _, digest = nonce.partition(".")
    return hmac.compare_digest(digest.encode(), _digest(word, hub).encode())


def _digest(word: str, hub: str) -> str:
    found = hashlib.sha256(f"{word} {hub.rstrip('/').lower()}".encode()).digest()
    return base64.urlsafe_b64encode(found).decode().rstrip("=")
