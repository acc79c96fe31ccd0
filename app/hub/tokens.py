"""Tokens: what a program or a terminal shows to say who it is. Only a digest is kept.

A token is `sl_`, 256 random bits in base64url, and a checksum (CRC-32, eight hexadecimal digits) by which programs that
look for leaked secrets tell it from other text.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import zlib

PREFIX = "sl_"
_SHAPE = re.compile(r"sl_([A-Za-z0-9_-]{43})([0-9a-f]{8})")


def new_token() -> str:
    """A new token."""
    body = secrets.token_urlsafe(32)
    return f"{PREFIX}{body}{_checksum(body)}"


def is_token(text: str) -> bool:
    """Whether this could be one of our tokens: what cannot is refused without asking the database."""
    found = _SHAPE.fullmatch(text)
    return bool(found) and _checksum(found[1]) == found[2] if found else False


def digest(token: str) -> bytes:
    """What is kept of a token. It holds 256 random bits, so that a plain hash cannot be reversed by trial."""
    return hashlib.sha256(token.encode()).digest()


def _checksum(body: str) -> str:
    return f"{zlib.crc32(body.encode()):08x}"
