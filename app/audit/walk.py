"""Walking the log from its first entry: is each as it was written, and what do they tell?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson

from app.audit.chain import GENESIS, chained, leaf_hash
from app.audit.tree import Tree
from db import audit
from db.engine import Connection

# Any JSON can stand where an entry was changed, and text where bytes should.
_UNREADABLE = (ValueError, KeyError, TypeError, AttributeError)
_TELLING = frozenset(("decided", "settled", "undone", "erased", "officer_added", "officer_retired"))


class Decided(NamedTuple):
    """A review in the log: its entry's number, its case, the commitment to its content (hex), and its stage."""

    seq: int
    case_id: Any
    commitment: Any
    stage: Any


class Undone(NamedTuple):
    """The taking back of a review in the log."""

    seq: int
    case_id: Any


class Settled(NamedTuple):
    """A case's outcome in the log: the review that it follows, how many reviewed it, which share of them agreed."""

    review: Any
    reviewers: Any
    agreement: Any


class AddedKey(NamedTuple):
    """An officer's key in the log; `public` is the SHA-256 of the public key (hex)."""

    person: Any
    public: Any
    retired: bool


@dataclass(frozen=True, slots=True)
class Told:
    """What the log says of the rows beside it: reviews by id, erased cases with the entry's number, keys by id.

    `settled` are the outcomes by case: of an only review, of several once they agree, or of an adjudicator.
    `twice` are reviews of which two entries speak.
    """

    decided: dict[Any, Decided] = field(default_factory=dict)
    settled: dict[Any, Settled] = field(default_factory=dict)
    undone: dict[Any, Undone] = field(default_factory=dict)
    erased: dict[Any, int] = field(default_factory=dict)
    officers: dict[Any, AddedKey] = field(default_factory=dict)
    twice: list[Any] = field(default_factory=list)

    def hear(self, seq: int, entry: Any) -> None:
        """Takes in one entry. Raises one of `_UNREADABLE` where it is not as such entries are."""
        data, case_id = entry["data"], entry.get("case")
        match entry["action"]:
            case "decided":
                # The first word counts: an entry added later must not change what a review was.
                said = Decided(seq, case_id, data["commitment"], data.get("stage", "review"))
                if self.decided.setdefault(data["review"], said).seq != seq:
                    self.twice.append(data["review"])
                elif "stage" not in data:
                    self.settled[case_id] = Settled(data["review"], 1, "1.0000")
            case "settled":
                self.settled[case_id] = Settled(data["review"], data["reviewers"], data["agreement"])
            case "undone":
                self.undone[data["review"]] = Undone(seq, case_id)
                self.settled.pop(case_id, None)
            case "erased":
                self.erased[case_id] = seq
                self.settled.pop(case_id, None)
            case "officer_added":
                self.officers[data["key"]] = AddedKey(data["person"], data["public"], retired=False)
            case "officer_retired":
                known = self.officers.get(data["key"], AddedKey(None, None, retired=False))
                self.officers[data["key"]] = known._replace(retired=True)

    def is_erased(self, case_id: Any, seq: int) -> bool:
        """Whether a case was erased after entry `seq`."""
        return self.erased.get(case_id, 0) > seq


@dataclass(frozen=True, slots=True)
class Walked:
    """The walked log: how many entries, the newest one's hash, the root over all, and the roots at wanted sizes."""

    entries: int
    head: bytes
    root: bytes
    roots: dict[int, bytes]
    told: Told


def walk(connection: Connection, sizes: Iterable[int], problems: list[str]) -> Walked:
    """Walks the whole log, adds what is wrong to `problems`, and notes the root at each of `sizes` that it reaches."""
    told, tree = Told(), Tree()
    roots: dict[int, bytes] = {}
    wanted = sorted(set(sizes), reverse=True)
    expected, previous = 1, GENESIS
    for rows in audit.stored(connection):
        leaves, expected, previous = _check(rows, expected, previous, told, problems)
        _grow(tree, leaves, wanted, roots)
    _grow(tree, [], wanted, roots)
    # An intruder may have put anything there.
    head = previous if isinstance(previous, bytes) else b""
    return Walked(tree.size, head, tree.root(), roots, told)


def _grow(tree: Tree, leaves: list[bytes], wanted: list[int], roots: dict[int, bytes]) -> None:
    """Appends leaves, stopping at each wanted size (the smallest stands last) to note the root."""
    done = 0
    while wanted and wanted[-1] <= tree.size + len(leaves) - done:
        size = wanted.pop()
        stop = done + size - tree.size
        tree.extend(leaves[done:stop])
        done = stop
        roots[size] = tree.root()
    tree.extend(leaves[done:])


def _check(
    rows: list[tuple[Any, ...]], expected: int, previous: bytes, told: Told, problems: list[str]
) -> tuple[list[bytes], int, bytes]:
    """Checks rows of the log; returns their leaves, the number that should follow, and the last hash.

    This runs a million times: what is wrong with an entry is found out apart, once something is.
    """
    leaves, loads, telling = [], orjson.loads, _TELLING
    for row in rows:
        seq, at, actor, action, case_id, body, digest = row
        leaf = GENESIS
        try:
            leaf = leaf_hash(body)
            entry = loads(body)
            sound = (
                seq == expected
                and chained(previous, leaf) == digest
                and entry["seq"] == seq
                and entry["at"] == at
                and entry["actor"] == actor
                and entry["action"] == action
                and entry.get("case") == case_id
            )
            if entry["action"] in telling:
                told.hear(seq, entry)
        except _UNREADABLE:
            sound = False
        if not sound:
            problems += _wrong(row, expected, previous)
        leaves.append(leaf)
        expected, previous = seq + 1, digest
    return leaves, expected, previous


def _wrong(row: tuple[Any, ...], expected: int, previous: bytes) -> list[str]:
    """What is wrong with an entry."""
    seq, body, digest = row[0], row[5], row[6]
    found = [] if seq == expected else [f"entry {expected}: missing (the next one is {seq})"]
    try:
        follows = chained(previous, leaf_hash(body)) == digest
    except TypeError:
        follows = False
    if not follows:
        found.append(f"entry {seq}: does not follow from the entry before it, or was changed")
    try:
        entry = orjson.loads(body)
        if (entry["seq"], entry["at"], entry["actor"], entry["action"], entry.get("case")) != row[:5]:
            found.append(f"entry {seq}: its columns differ from what was logged")
        Told().hear(seq, entry)
    except _UNREADABLE:
        found.append(f"entry {seq}: its bytes are not readable")
    return found
