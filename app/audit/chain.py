"""The chain: canonical bytes of an entry, and its hash over the one before.

An entry holds integers and strings only, is serialised once, and is verified over the stored
bytes: `leaf = SHA-256(0x00 ‖ body)` (as in RFC 6962), `hash = SHA-256(0x01 ‖ previous hash ‖ leaf)`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import orjson

GENESIS = bytes(32)

Data = Mapping[str, int | str]


def canonical(seq: int, at: int, actor: str, action: str, case_id: int | None, data: Data) -> bytes:
    """The stored bytes of an entry: keys sorted, no spaces. `at` is milliseconds since 1970 UTC."""
    entry: dict[str, object] = {"seq": seq, "at": at, "actor": actor, "action": action, "data": dict(data)}
    if case_id is not None:
        entry["case"] = case_id
    return orjson.dumps(entry, option=orjson.OPT_SORT_KEYS)


def link(previous: bytes, body: bytes) -> bytes:
    """The hash of an entry that follows the one with hash `previous`."""
    leaf = hashlib.sha256(b"\x00" + body).digest()
    return hashlib.sha256(b"\x01" + previous + leaf).digest()


def commitment(salt: bytes, content: bytes) -> str:
    """A salted digest (hex) that stands for content in the log; without the salt it tells nothing."""
    return hashlib.sha256(salt + content).hexdigest()
