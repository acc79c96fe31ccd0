"""Withheld values, closed so that only officers can open them.

Every case has a data key of its own (AES-256-GCM, one nonce a value); it is sealed to each officer's public
key with HPKE (RFC 9180: X25519, HKDF-SHA256, AES-256-GCM) and then forgotten. What brings cases in, and
whoever has the database, holds no key that opens anything. Each value is bound to its place, so that one that
was moved to another case or field does not open. Deleting the sealed data keys deletes the values.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from app.model.errors import Unavailable

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
    from cryptography.hazmat.primitives.hpke import Suite

_NONCE = 12
_KEY_BITS = 256
# Part of what is bound: another way of closing values is another version.
_VERSION = "1"


@dataclass(frozen=True, slots=True)
class OfficerKey:
    """An officer's public key: 32 bytes (X25519), named by its fingerprint."""

    person: str
    public: bytes

    @property
    def key_id(self) -> str:
        """The first 16 hex digits of the key's SHA-256."""
        return fingerprint(self.public)


@dataclass(frozen=True, slots=True)
class Envelope:
    """A case's sealed values by field, and its data key, sealed, by officer's key."""

    values: dict[str, bytes]
    keys: dict[str, bytes]


def fingerprint(public: bytes) -> str:
    """The name of a public key: the first 16 hex digits of its SHA-256."""
    return hashlib.sha256(public).hexdigest()[:16]


def place(queue: str, external_id: str, content: bytes) -> str:
    """What a case's sealed values are bound to: its queue, its id, and the digest of what came in."""
    return f"{queue}|{external_id}|{content.hex()}"


def close(values: Mapping[str, Any], officers: Sequence[OfficerKey], where: str) -> Envelope:
    """Closes values (anything JSON can hold) under a new data key that only these officers can open."""
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    data_key = AESGCM.generate_key(_KEY_BITS)
    cipher, suite = AESGCM(data_key), _suite()
    sealed = {}
    for field, value in values.items():
        nonce = os.urandom(_NONCE)
        sealed[field] = nonce + cipher.encrypt(nonce, orjson.dumps(value), _bound(where, field))
    keys = {
        officer.key_id: suite.encrypt(data_key, X25519PublicKey.from_public_bytes(officer.public), _info(where))
        for officer in officers
    }
    return Envelope(sealed, keys)


def open_values(
    private: X25519PrivateKey, sealed_key: bytes, values: Mapping[str, bytes], where: str
) -> dict[str, Any]:
    """Opens sealed values. Raises Unavailable with a wrong key, or where they were changed or moved."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        cipher = AESGCM(_open_key(private, sealed_key, where))
        return {
            field: orjson.loads(cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], _bound(where, field)))
            for field, sealed in values.items()
        }
    except (InvalidTag, ValueError):
        raise Unavailable(
            "The sealed values do not open: they were sealed to another key, changed, or moved from another case. "
            "Nothing was shown. `secondlook audit verify` tells whether the log is whole; a backup may hold the "
            "right values."
        ) from None


def reseal(private: X25519PrivateKey, sealed_key: bytes, officer: OfficerKey, where: str) -> bytes:
    """A data key, sealed to another officer. Raises ValueError where this key does not open it."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

    try:
        data_key = _open_key(private, sealed_key, where)
    except InvalidTag:
        raise ValueError("this key does not open the data key") from None
    return _suite().encrypt(data_key, X25519PublicKey.from_public_bytes(officer.public), _info(where))


def challenge(officer: OfficerKey, purpose: str) -> tuple[bytes, bytes]:
    """A random secret, and the same sealed: who can tell the secret has the officer's private key."""
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

    secret = os.urandom(32)
    return secret, _suite().encrypt(secret, X25519PublicKey.from_public_bytes(officer.public), _info(purpose))


def answer(private: X25519PrivateKey, sealed: bytes, purpose: str) -> bytes:
    """The secret of a challenge. Raises Unavailable with another key."""
    from cryptography.exceptions import InvalidTag

    try:
        return _open_key(private, sealed, purpose)
    except (InvalidTag, ValueError):
        raise Unavailable("This is not the private key of the officer who was asked. Nothing was changed.") from None


def _open_key(private: X25519PrivateKey, sealed: bytes, where: str) -> bytes:
    return _suite().decrypt(sealed, private, _info(where))


def _bound(where: str, field: str) -> bytes:
    return f"secondlook value|{where}|{field}|{_VERSION}".encode()


def _info(where: str) -> bytes:
    return f"secondlook key|{where}|{_VERSION}".encode()


def _suite() -> Suite:
    from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

    return Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
