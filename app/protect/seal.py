"""Bytes closed under the workspace's key: AES-256-GCM, nonce first."""

from __future__ import annotations

import os

from app.model.errors import Unavailable

_NONCE = 12


def seal(key: bytes, data: bytes, context: str) -> bytes:
    """Closes data; `context` must be the same to open it."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = os.urandom(_NONCE)
    return nonce + AESGCM(key).encrypt(nonce, data, context.encode())


def unseal(key: bytes, sealed: bytes, context: str) -> bytes:
    """Opens what `seal` closed. Raises Unavailable with a wrong key or changed bytes."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        return AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], context.encode())
    except (InvalidTag, ValueError):
        raise Unavailable(
            "The original bytes cannot be opened: the workspace key is another one, or they were changed. "
            "Nothing was lost; restore the key the workspace was made with."
        ) from None
