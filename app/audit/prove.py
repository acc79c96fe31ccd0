"""Proof for one entry: that it stands in the log that a checkpoint signed, checkable without the log."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

import orjson

from app.audit.chain import leaf_hash
from app.audit.checkpoint import Checkpoint
from app.audit.tree import inclusion_proof, root_from_proof
from app.model.errors import BadInput, Refused
from db import audit
from db.engine import Store


@dataclass(frozen=True, slots=True)
class Proof:
    """An entry's bytes and the hashes that lead from it to the root that a checkpoint signed."""

    index: int
    body: bytes
    hashes: tuple[bytes, ...]
    checkpoint: Checkpoint

    def as_dict(self) -> dict[str, Any]:
        """The proof as JSON: `body` in base64, hashes in hex; `entry` is `body` for a person to read."""
        return {
            "leaf_index": self.index,
            "tree_size": self.checkpoint.size,
            "entry": orjson.loads(self.body),
            "body": base64.b64encode(self.body).decode(),
            "leaf_hash": leaf_hash(self.body).hex(),
            "hashes": [value.hex() for value in self.hashes],
            "root_hash": self.checkpoint.root.hex(),
            "checkpoint": self.checkpoint.note.decode(),
        }


def prove(store: Store, seq: int, checkpoint: Checkpoint) -> Proof:
    """The proof that entry `seq` is among those that the checkpoint signed.

    Raises BadInput where the checkpoint does not reach that far, Refused where the log is no longer the
    one that was signed.
    """
    index, size = seq - 1, checkpoint.size
    if not 0 <= index < size:
        raise BadInput(f"There is no entry {seq} in the checkpoint: it covers entries 1…{size}. Take a newer one.")
    try:
        with store.read() as connection:
            leaves = (leaf_hash(body) for body in audit.bodies(connection, size))
            hashes = inclusion_proof(leaves, index, size)
            body = audit.body_of(connection, seq)
    except (TypeError, ValueError):
        # Entries are missing, or hold text where bytes should be.
        body = None
    if body is None or root_from_proof(leaf_hash(body), index, size, hashes) != checkpoint.root:
        raise Refused(
            "The log is not the one that was signed; nothing was proved. `secondlook audit verify` says more."
        )
    return Proof(index, body, tuple(hashes), checkpoint)
