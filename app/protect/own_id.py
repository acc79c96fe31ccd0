"""The prediction's own id where it may not be shown: `pseudonymise = ["id"]` in a queue's policy.

In its place stands a token, the same for the same id in the same queue, so that duplicates and changes are still
recognised, and anybody with the workspace's key can look a case up by its id. The id itself is kept sealed under that
key, for verdicts: the system that waits knows no other.
"""

from __future__ import annotations

import base64
import hmac
import re
import unicodedata

from app.model.policy import QueuePolicy
from app.protect.names import tokens
from app.protect.seal import seal, unseal

# Under this key of a case's origin stands its sealed id.
SEALED = "sealed_id"
# Digits only: an id that is made up for a control has the same form.
_DIGITS = 18
_TOKEN = re.compile(rf"id-\d{{{_DIGITS}}}")


def is_pseudonymised(policy: QueuePolicy) -> bool:
    """Whether a queue's ids are replaced."""
    return any(tokens(name) == ("id",) for name in policy.pseudonymise)


def token_of(key: bytes, queue: str, own_id: str) -> str:
    """What stands in place of an id; a token stays as it is. `key` is the workspace's for pseudonyms."""
    if _TOKEN.fullmatch(own_id):
        return own_id
    text = f"queue:{queue}|id|{unicodedata.normalize('NFKC', own_id)}"
    number = int.from_bytes(hmac.digest(key, text.encode("utf-8", "replace"), "sha256")[:16], "big")
    return f"id-{number % 10**_DIGITS:0{_DIGITS}}"


def sealed_id(key: bytes, queue: str, token: str, own_id: str) -> str:
    """An id closed under the workspace's key for sealing."""
    return base64.b64encode(seal(key, own_id.encode(), _context(queue, token))).decode()


def opened_id(key: bytes, queue: str, token: str, sealed: str) -> str:
    """The id behind a token. Raises Unavailable with another key."""
    return unseal(key, base64.b64decode(sealed), _context(queue, token)).decode()


def _context(queue: str, token: str) -> str:
    return f"own id|{queue}|{token}"
