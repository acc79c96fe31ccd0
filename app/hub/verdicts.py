"""The route by which programs read what became of cases: since a cursor, in the order in which it was settled.

A cursor is a place in the log: an entry's number, and the beginning of its hash. So a cursor of another database, or of
entries that a restored backup no longer holds, is recognised; it opens nothing by itself.
"""

from __future__ import annotations

import base64
import binascii
import struct
from datetime import UTC, datetime
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field
from pydantic.dataclasses import dataclass
from starlette.responses import Response

from app.audit.chain import GENESIS
from app.hub.asking import allowed, answer, hub_of
from app.hub.hub import Hub, Identity
from app.model.errors import BadInput
from app.protect.own_id import SEALED, is_pseudonymised, opened_id
from db import audit, changes, connections
from db.engine import Connection

router = APIRouter(tags=["programs"])
_MOST = 1000
# So many entries of the log are looked through for one page, whatever is found.
_SPAN = 20_000
# Version, number of the entry, beginning of its hash.
_CURSOR = struct.Struct(">BQ8s")
_VERSION = 1
_EXAMPLE = {
    "case": 7,
    "id": "loan-2611195",
    "revision": 1,
    "queue": "credit",
    "verdict": "overturned",
    "label": "approve",
    "correction": None,
    "reviewers": 1,
    "agreement": 1.0,
    "settled_at": "2027-05-12T09:30:00.000Z",
    "rubric": {"id": "adverse-credit-decision", "version": "1", "hash": "9f2c…"},
    "decision_id": "6f9619ff-8b86-4d01-b42d-00cf4fc964ff",
    "erased": False,
    "cursor": "AQAAAAAAAAAq3q2-796tvu8",
}


@dataclass
class RubricUsed:
    """The rubric that a verdict was made by."""

    id: str
    version: str
    hash: str


@dataclass
class Verdict:
    """What holds of a case now. It takes the place of all that was said of the case before.

    `verdict` is null where none stands any more: it was taken back. `erased`: nothing is kept of the case but its
    number, and what was read of it before should go too. `cursor` goes on after this one.
    """

    case: int
    id: str | None
    revision: int | None
    queue: str | None
    verdict: str | None
    label: str | None
    correction: str | None
    reviewers: int | None
    agreement: Annotated[float, Field(ge=-1, le=1)] | None
    settled_at: str | None
    rubric: RubricUsed | None
    decision_id: str | None
    erased: bool
    cursor: str


@dataclass
class Verdicts:
    """A page. `next` is the cursor for the next one and stays good; `more`: there may be more right now."""

    verdicts: list[Verdict]
    next: str
    more: bool


_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            "application/json": {
                "example": {"verdicts": [_EXAMPLE], "next": "AQAAAAAAAAAr3q2-796tvu8", "more": False},
            }
        }
    }
}


@router.get("/verdicts", response_model=Verdicts, responses=_ANSWERS)
def verdicts(
    request: Request,
    who: Annotated[Identity, Depends(allowed("verdicts"))],
    queue: Annotated[str | None, Query(max_length=64, description="Left out: all queues.")] = None,
    after: Annotated[str, Query(max_length=100, description="`next` of the page before; left out: all.")] = "",
    limit: Annotated[int, Query(ge=1, le=_MOST)] = 100,
) -> Response:
    """What became of cases, in the order in which it did. Each case comes once, as it stands now; whoever goes on from
    `next` hears of every case that has changed since."""
    hub = hub_of(request)
    if queue is not None and queue not in hub.policies:
        raise BadInput("queue: there is no such queue for this token.")
    return answer(Verdicts, _page(hub, [queue] if queue else list(hub.policies), after, limit))


def _page(hub: Hub, queues: list[str], after: str, limit: int) -> Verdicts:
    with hub.store.read() as connection:
        start = _place(connection, after)
        newest = audit.head(connection) or (0, GENESIS)
        until = min(newest[0], start + _SPAN)
        found = changes.outcomes(connection, queues, start, until, limit)
        if len(found) == limit:
            end, digest = found[-1].seq, found[-1].hash
        else:
            end, digest = until, _hash_at(connection, until)
        # That somebody has reviewed a case is nobody's business until all reviews are in.
        none = [one.case_id for one in found if one.verdict is None and one.queue is not None]
        untold = set(none) - changes.had_outcome(connection, none) if none else set()
        told = [_verdict(one) for one in found if one.case_id not in untold]
        _with_own_ids(hub, connection, told)
    return Verdicts(told, _cursor(end, digest), end < newest[0])


def _with_own_ids(hub: Hub, connection: Connection, told: list[Verdict]) -> None:
    """Puts the ids that predictions came with in place of tokens: the program that asks knows no others."""
    hidden = [one.case for one in told if one.queue in hub.policies and is_pseudonymised(hub.policies[one.queue])]
    origins = connections.origins(connection, hidden) if hidden else {}
    for one in told:
        sealed = orjson.loads(origins[one.case][1]).get(SEALED) if one.case in origins else None
        if sealed is not None and one.id is not None and one.queue is not None:
            one.id = opened_id(hub.keys.quarantine, one.queue, one.id, sealed)


def _verdict(found: changes.Standing) -> Verdict:
    rubric = None
    if found.rubric_id is not None and found.rubric_version is not None and found.rubric_hash is not None:
        rubric = RubricUsed(found.rubric_id, found.rubric_version, found.rubric_hash)
    return Verdict(
        case=found.case_id,
        id=found.id,
        revision=found.revision,
        queue=found.queue,
        verdict=found.verdict,
        label=found.label,
        correction=found.correction,
        reviewers=found.reviewers,
        agreement=found.agreement,
        settled_at=None if found.settled_at is None else _iso(found.settled_at),
        rubric=rubric,
        decision_id=found.decision_id,
        erased=found.queue is None,
        cursor=_cursor(found.seq, bytes(found.hash)),
    )


def _cursor(seq: int, digest: bytes) -> str:
    return base64.urlsafe_b64encode(_CURSOR.pack(_VERSION, seq, digest[:8])).rstrip(b"=").decode()


def _place(connection: Connection, cursor: str) -> int:
    """The number of the entry behind a cursor. Raises BadInput for what is no cursor of this log."""
    if not cursor:
        return 0
    try:
        version, seq, begins = _CURSOR.unpack(
            base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        )
    except (binascii.Error, ValueError, struct.error):
        version, seq, begins = 0, 0, b""
    good = version == _VERSION and seq < 2**63 and cursor == _cursor(seq, begins)
    if not good or _hash_at(connection, seq)[:8] != begins:
        raise BadInput(
            "after: this is no cursor of this hub's log: it is mistyped, or the database was restored from a backup. "
            "Begin without it; what you read before is told again as it stands now."
        )
    return int(seq)


def _hash_at(connection: Connection, seq: int) -> bytes:
    return GENESIS if seq == 0 else changes.hash_at(connection, seq) or b""


def _iso(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
