"""The chain: canonical bytes of an entry, and its hash over the one before.

An entry holds integers and strings only, is serialised once, and is verified over the stored
bytes: `leaf = SHA-256(0x00 ‖ body)` (as in RFC 6962 §2.1), `hash = SHA-256(0x01 ‖ previous hash ‖ leaf)`.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

import orjson

GENESIS = bytes(32)

Data = Mapping[str, int | str]


def canonical(seq: int, at: int, actor: str, action: str, case_id: int | None, data: Data) -> bytes:
    """The stored bytes of an entry: keys sorted, no spaces. `at` is milliseconds since 1970 UTC."""
    entry: dict[str, object] = {"seq": seq, "at": at, "actor": actor, "action": action, "data": dict(data)}
    if case_id is not None:
        entry["case"] = case_id
    return orjson.dumps(entry, option=orjson.OPT_SORT_KEYS)


def leaf_hash(body: bytes) -> bytes:
    """The hash of an entry's bytes alone: its leaf in the tree."""
    return sha256(b"\x00" + body).digest()


def chained(previous: bytes, leaf: bytes) -> bytes:
    """The hash of an entry with this leaf that follows the one with hash `previous`."""
    return sha256(b"\x01" + previous + leaf).digest()


def link(previous: bytes, body: bytes) -> bytes:
    """The hash of an entry with these bytes that follows the one with hash `previous`."""
    return chained(previous, leaf_hash(body))


def commitment(salt: bytes, content: bytes) -> str:
    """A salted digest (hex) that stands for content in the log; without the salt it tells nothing."""
    return sha256(salt + content).hexdigest()
