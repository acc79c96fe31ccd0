"""Verification: is the log whole, and do the reviews agree with it?"""

from __future__ import annotations

from dataclasses import dataclass

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
    entry, and reviews that were changed, added or removed beside the log. An end that was cut off
    leaves a whole log: only a copy of `head` kept elsewhere shows that.
    """
    problems: list[str] = []
    decided: dict[str, str] = {}
    with store.read() as connection:
        count, head = _walk(connection, decided, problems)
        n_reviews = _hold_against_reviews(connection, decided, problems)
    if len(problems) > _LISTED:
        problems = [*problems[:_LISTED], f"… and {len(problems) - _LISTED} more"]
    return Verification(count, n_reviews, head.hex(), tuple(problems))


def _walk(connection: Connection, decided: dict[str, str], problems: list[str]) -> tuple[int, bytes]:
    expected, previous = 1, GENESIS
    count = 0
    for entry in audit.entries(connection):
        count += 1
        if entry.seq != expected:
            problems.append(f"entry {expected}: missing (the next one is {entry.seq})")
        if link(previous, entry.body) != entry.hash:
            problems.append(f"entry {entry.seq}: does not follow from the entry before it, or was changed")
        problem = _body_problem(entry, decided)
        if problem:
            problems.append(f"entry {entry.seq}: {problem}")
        expected, previous = entry.seq + 1, entry.hash
    return count, previous


def _body_problem(entry: audit.Entry, decided: dict[str, str]) -> str | None:
    try:
        body = orjson.loads(entry.body)
    except orjson.JSONDecodeError:
        return "its bytes are not readable"
    if (body["seq"], body["at"], body["actor"], body["action"], body.get("case")) != entry[:5]:
        return "its columns differ from what was logged"
    if entry.action == "decided":
        decided[body["data"]["review"]] = body["data"]["commitment"]
    return None


def _hold_against_reviews(connection: Connection, decided: dict[str, str], problems: list[str]) -> int:
    count = 0
    for row in reviews.everything(connection):
        count += 1
        committed = decided.pop(row.review_id, None)
        if committed is None:
            problems.append(f"review {row.review_id}: is not in the log")
        elif committed != commitment(row.salt, review_content(row)):
            problems.append(f"review {row.review_id}: was changed after it was logged")
    problems += [f"review {review_id}: is in the log but not kept" for review_id in decided]
    return count


def review_content(row: object) -> bytes:
    """The bytes of a review that the log commits to."""
    return orjson.dumps([getattr(row, name) for name in COMMITTED])


COMMITTED: tuple[str, ...] = (
    "review_id",
    "case_id",
    "person",
    "rubric_hash",
    "answers",
    "verdict",
    "label",
    "correction",
    "decided_at",
)
