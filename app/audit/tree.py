"""The Merkle tree over the entries' leaves: one hash for the whole log, and short proofs for one entry.

Hashes are those of RFC 6962 §2.1 with SHA-256, so any tool for transparency logs can check them. Hashes
are 32 bytes, `size` counts leaves, `index` counts them from 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from itertools import islice


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash over two subtrees: SHA-256(0x01 ‖ left ‖ right)."""
    return sha256(b"\x01" + left + right).digest()


class Tree:
    """A tree that grows at its right end and keeps one hash for each bit of its size."""

    def __init__(self, leaves: Iterable[bytes] = ()) -> None:
        self.size = 0
        # Roots of the full subtrees, largest first: one for each bit that is set in `size`.
        self._full: list[bytes] = []
        self.extend(leaves)

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Appends leaf hashes."""
        full, size, digest = self._full, self.size, sha256
        for node in leaves:
            # Each bit that carries over joins two subtrees of one size.
            carry = size
            while carry & 1:
                node = digest(b"\x01" + full.pop() + node).digest()
                carry >>= 1
            full.append(node)
            size += 1
        self.size = size

    def root(self) -> bytes:
        """The tree's hash (MTH of RFC 6962 §2.1); of no leaves, SHA-256 of nothing."""
        if not self._full:
            return sha256().digest()
        *larger, root = self._full
        for left in reversed(larger):
            root = node_hash(left, root)
        return root


def inclusion_proof(leaves: Iterable[bytes], index: int, size: int) -> list[bytes]:
    """The hashes that lead from leaf `index` to the root over the first `size` leaves, lowest first.

    PATH of RFC 6962 §2.1.1, in one pass over the leaves and O(log size) memory.
    Raises ValueError where there is no such leaf.
    """
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not in a tree of {size}")
    spans = _spans(index, 0, size)
    stream, roots = iter(leaves), {}
    for start, end in sorted([*spans, (index, index + 1)]):
        tree = Tree(islice(stream, end - start))
        if tree.size < end - start:
            raise ValueError(f"fewer than {size} leaves")
        roots[start] = tree.root()
    return [roots[start] for start, _ in spans]


def _spans(index: int, start: int, end: int) -> list[tuple[int, int]]:
    """The subtrees beside the way from a leaf up to the root over [start, end), lowest first."""
    spans = []
    while end - start > 1:
        # The left part of a tree is the largest power of two that leaves something to the right.
        middle = start + (1 << (end - start - 1).bit_length() - 1)
        if index < middle:
            spans.append((middle, end))
            end = middle
        else:
            spans.append((start, middle))
            start = middle
    return spans[::-1]


def root_from_proof(leaf: bytes, index: int, size: int, hashes: Sequence[bytes]) -> bytes | None:
    """The root that a proof leads to (RFC 9162 §2.1.3.2); None where it has too many or too few hashes.

    The proof holds if this is the root that was signed.
    """
    if not 0 <= index < size:
        return None
    node, last = leaf, size - 1
    for beside in hashes:
        if last == 0:
            return None
        if index & 1 or index == last:
            node = node_hash(beside, node)
            # A node without a right neighbour goes up as it is.
            while index and not index & 1:
                index, last = index >> 1, last >> 1
        else:
            node = node_hash(node, beside)
        index, last = index >> 1, last >> 1
    return node if last == 0 else None
