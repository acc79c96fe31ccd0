"""Verification: is the log whole, is it the one that was signed, and do the rows beside it agree with it?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import orjson

from app.audit.chain import commitment
from app.audit.checkpoint import Checkpoint
from app.audit.walk import Settled, Told, Walked, walk
from db import audit, reviews
from db.engine import Connection, Store

# More problems than these are counted, not listed.
_LISTED = 20


@dataclass(frozen=True, slots=True)
class Verification:
    """What was found. `problems` is empty if all is well.

    `head` is the hash of the newest entry, `root` that of the Merkle tree over all entries (both hex).
    """

    entries: int
    reviews: int
    head: str
    root: str
    problems: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing was found."""
        return not self.problems


def verify(store: Store, checkpoints: Sequence[Checkpoint] = ()) -> Verification:
    """Walks the whole log, then holds it against checkpoints, and every review and officer's key against it.

    Finds changed, swapped, missing, doubled and inserted entries, columns that do not repeat their
    entry, reviews that were changed, added, removed or taken back beside the log, verdicts that are
    not what their review says, and keys that were added beside the log. A log that was cut off or
    written anew is whole in itself: only a checkpoint shows that. The signatures of the checkpoints
    are the caller's to check (`Checkpoint.doubt`).
    """
    with store.read() as connection:
        return examine(connection, checkpoints)


def examine(connection: Connection, checkpoints: Sequence[Checkpoint] = ()) -> Verification:
    """`verify`, on what a connection sees."""
    problems: list[str] = []
    with audit.any_text(connection):
        walked = walk(connection, (point.size for point in checkpoints), problems)
        # What checkpoints say comes first: it weighs most, and a long list is cut.
        problems[:0] = _not_as_signed(walked, checkpoints)
        count = _hold_reviews(connection, walked.told, problems)
        problems += _wrong_retractions(connection, walked.told)
        problems += _wrong_verdicts(connection, walked.told)
        problems += _wrong_officers(connection, walked.told)
    if len(problems) > _LISTED:
        problems = [*problems[:_LISTED], f"… and {len(problems) - _LISTED} more"]
    return Verification(
        walked.entries, count, walked.head.hex(), walked.root.hex(), tuple(_readable(text) for text in problems)
    )


def _readable(text: str) -> str:
    """Text without the lone surrogates that stand for bytes which are no UTF-8."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _not_as_signed(walked: Walked, checkpoints: Sequence[Checkpoint]) -> Iterator[str]:
    for point in checkpoints:
        if point.size > walked.entries:
            yield (
                f"checkpoint {point.name}: the log was cut off: "
                f"it has {walked.entries} entries, the checkpoint says {point.size}"
            )
        elif walked.roots[point.size] != point.root:
            yield f"checkpoint {point.name}: entries 1…{point.size} are not those that were signed"


def _hold_reviews(connection: Connection, told: Told, problems: list[str]) -> int:
    """Holds every review against its entry; returns how many there are."""
    count, seen = 0, set()
    problems += [f"review {review_id}: is decided twice in the log" for review_id in told.twice]
    for rows in audit.stored_reviews(connection, ("salt", "seq", "stage", *COMMITTED)):
        count += len(rows)
        for salt, seq, stage, *content in rows:
            review_id, case_id = content[0], content[1]
            seen.add(review_id)
            logged = told.decided.get(review_id)
            if logged is None:
                problems.append(f"review {review_id}: is not in the log")
            elif logged.commitment != _committed(salt, content):
                problems.append(f"review {review_id}: was changed after it was logged")
            elif logged.stage != stage:
                problems.append(f"review {review_id}: its stage was changed")
            elif logged.seq != seq:
                problems.append(f"review {review_id}: its place in the log was changed")
            if logged is not None and told.is_erased(case_id, logged.seq):
                problems.append(f"case {case_id}: was erased, but review {review_id} is still kept")
    problems += [
        f"review {review_id}: is in the log but not kept"
        for review_id, logged in told.decided.items()
        if review_id not in seen and not told.is_erased(logged.case_id, logged.seq)
    ]
    return count


def _wrong_retractions(connection: Connection, told: Told) -> Iterator[str]:
    kept = reviews.retracted(connection)
    for review_id in sorted(kept - told.undone.keys(), key=str):
        yield f"review {review_id}: was taken back beside the log"
    for review_id, undone in told.undone.items():
        erased = told.is_erased(undone.case_id, undone.seq)
        if review_id in kept and erased:
            yield f"case {undone.case_id}: was erased, but the taking back of review {review_id} is still kept"
        elif review_id not in kept and not erased:
            yield f"review {review_id}: its taking back is not kept"


def _wrong_verdicts(connection: Connection, told: Told) -> Iterator[str]:
    kept = reviews.outcomes(connection)
    # Where the log goes on after an erasure, something is wrong that is told elsewhere.
    erased = {case_id for case_id in kept.keys() & told.erased.keys() if case_id not in told.settled}
    for case_id in sorted(erased):
        yield f"case {case_id}: was erased, but its verdict is still kept"
    wrong = set(reviews.unsound_verdicts(connection))
    for case_id, (review_id, reviewers, agreement) in kept.items():
        logged = told.settled.get(case_id)
        if logged != Settled(review_id, reviewers, _share(agreement)):
            wrong.add(case_id)
    wrong |= told.settled.keys() - kept.keys()
    for case_id in sorted(wrong - erased, key=str):
        yield f"case {case_id}: its verdict is not what its reviews say"


def _share(agreement: Any) -> str | None:
    """A share as the log writes it; None of what is none."""
    return f"{agreement:.4f}" if isinstance(agreement, (int, float)) else None


def _wrong_officers(connection: Connection, told: Told) -> Iterator[str]:
    missing = {key_id for key_id, logged in told.officers.items() if not logged.retired}
    for key_id, person, public, retired_at in audit.officer_rows(connection):
        missing.discard(key_id)
        logged = told.officers.get(key_id)
        if logged is None or (logged.person, logged.public) != (person, _digest(public)):
            yield f"officer key {key_id}: was added beside the log"
        elif logged.retired and retired_at is None:
            yield f"officer key {key_id}: was retired in the log but is in use"
        elif retired_at is not None and not logged.retired:
            yield f"officer key {key_id}: was retired beside the log"
    for key_id in sorted(missing, key=str):
        yield f"officer key {key_id}: is in the log but not kept"


def _digest(content: Any) -> str | None:
    """SHA-256 (hex) of bytes; None of what is none."""
    return sha256(content).hexdigest() if isinstance(content, bytes) else None


def _committed(salt: Any, content: list[Any]) -> str | None:
    """What the log should hold for a review; None where the row cannot even be written down."""
    try:
        return commitment(salt, orjson.dumps(content))
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
