"""Verification: is the log whole, and do the reviews agree with it?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from app.audit.chain import GENESIS, commitment, link
from db import audit, reviews
from db.engine import Connection, Store

# More problems than these are counted, not listed.
_LISTED = 20


@dataclass(frozen=True, slots=True)
class Verification:
    """What was found. `head` is the hash (hex) of the newest entry; `problems` is empty if all is well."""

    entries: int
    reviews: int
    head: str
    problems: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing was found."""
        return not self.problems


def verify(store: Store) -> Verification:
    """Walks the whole log, then holds every review against its entry.

    Finds changed, swapped, missing, doubled and inserted entries, columns that do not repeat their
    entry, reviews that were changed, added, removed or taken back beside the log, and verdicts that
    are not what their review says. An end that was cut off leaves a whole log: only a copy of `head`
    kept elsewhere shows that.
    """
    problems: list[str] = []
    told = _Told({}, set())
    with store.read() as connection:
        count, head = _walk(connection, told, problems)
        n_reviews = _hold_against_reviews(connection, told, problems)
    if len(problems) > _LISTED:
        problems = [*problems[:_LISTED], f"… and {len(problems) - _LISTED} more"]
    return Verification(count, n_reviews, head.hex(), tuple(problems))


@dataclass(frozen=True, slots=True)
class _Told:
    """What the log says of reviews: their commitments by id, and which were taken back."""

    decided: dict[str, str]
    undone: set[str]


def _walk(connection: Connection, told: _Told, problems: list[str]) -> tuple[int, bytes]:
    expected, previous = 1, GENESIS
    count = 0
    for entry in audit.entries(connection):
        count += 1
        if entry.seq != expected:
            problems.append(f"entry {expected}: missing (the next one is {entry.seq})")
        if not _follows(previous, entry):
            problems.append(f"entry {entry.seq}: does not follow from the entry before it, or was changed")
        problem = _body_problem(entry, told)
        if problem:
            problems.append(f"entry {entry.seq}: {problem}")
        expected, previous = entry.seq + 1, entry.hash
    return count, previous


def _follows(previous: bytes, entry: audit.Entry) -> bool:
    """Whether an entry's hash is the one that its bytes and the entry before give."""
    try:
        return link(previous, entry.body) == entry.hash
    except TypeError:
        # SQLite lets text stand where bytes should.
        return False


def _body_problem(entry: audit.Entry, told: _Told) -> str | None:
    try:
        body = orjson.loads(entry.body)
        if body["action"] == "decided":
            told.decided[body["data"]["review"]] = body["data"]["commitment"]
        elif body["action"] == "undone":
            told.undone.add(body["data"]["review"])
        if (body["seq"], body["at"], body["actor"], body["action"], body.get("case")) != entry[:5]:
            return "its columns differ from what was logged"
    except (ValueError, KeyError, TypeError, AttributeError):
        # Any JSON can stand where an entry was changed.
        return "its bytes are not readable"
    return None


def _hold_against_reviews(connection: Connection, told: _Told, problems: list[str]) -> int:
    count, decided = 0, told.decided
    for row in reviews.everything(connection):
        count += 1
        committed = decided.pop(row.review_id, None)
        if committed is None:
            problems.append(f"review {row.review_id}: is not in the log")
        elif committed != _commitment(row):
            problems.append(f"review {row.review_id}: was changed after it was logged")
    problems += [f"review {review_id}: is in the log but not kept" for review_id in decided]
    kept = reviews.retracted(connection)
    problems += [f"review {review_id}: was taken back beside the log" for review_id in sorted(kept - told.undone)]
    problems += [f"review {review_id}: its taking back is not kept" for review_id in sorted(told.undone - kept)]
    problems += [f"case {i}: its verdict is not what its reviews say" for i in reviews.unsound_verdicts(connection)]
    return count


def _commitment(row: Any) -> str | None:
    """What the log should hold for a review; None where the row cannot even be written down."""
    try:
        return commitment(row.salt, review_content(row))
    except TypeError:
        return None


def review_content(row: object) -> bytes:
    """The bytes of a review that the log commits to."""
    return orjson.dumps([getattr(row, name) for name in COMMITTED])


COMMITTED: tuple[str, ...] = (
    "review_id",
    "case_id",
    "person",
    "lease_token",
    "rubric_hash",
    "answers",
    "verdict",
    "label",
    "correction",
    "reasons",
    "critical",
    "judged_label",
    "judged_confidence",
    "moved",
    "decided_at",
)
