"""Where a case stands in a queue that is judged first: by domain and age, and drawn among cases of about one age.

Nothing of what the model said may show in it. Severity, score, threshold and flags do not count; nor does the order in
which records come, since senders sort them: due times are drawn within an hour, numbers within a batch.
"""

from __future__ import annotations

import hmac
import random
from typing import NamedTuple

from app.model.policy import QueuePolicy
from app.model.words import UNTOLD

_MINUTE_MS = 60_000
# Due times are drawn within so much time, or a quarter of what a case has where that is less.
_MOST_DRAWN_MS = 60 * _MINUTE_MS
_SHARE = 4
_WIDTH = 2**64


class Lot(NamedTuple):
    """What is drawn for a case, each in [0, 2**64): for its due time, and for its number in its batch."""

    due: int
    number: int


class Place(NamedTuple):
    """Where a case stands: points, when it is due (milliseconds), and its severity's number."""

    priority: int
    due_at: int
    severity: int


def draw(key: bytes, queue: str, external_id: str) -> Lot:
    """The lot of a prediction: always the same, and nothing in it but the id."""
    drawn = hmac.digest(key, f"order|{queue}|{external_id}".encode(), "sha256")
    return Lot(int.from_bytes(drawn[:8]), int.from_bytes(drawn[8:16]))


def place(policy: QueuePolicy, domain: str | None, admitted_at: int, lot: Lot) -> Place:
    """The place of a case that came in at a moment. It is due no later than the policy says, and at most twice the
    time within which due times are drawn sooner."""
    span = round(policy.due.blind_minutes(domain) * _MINUTE_MS)
    width = _width(span)
    end = (admitted_at + span) // width * width
    due_at = end - 1 - lot.due * width // _WIDTH
    return Place(policy.priority.blind_points(domain), due_at, UNTOLD)


def due_beside(policy: QueuePolicy, domain: str | None, due_at: int, chance: random.Random) -> int:
    """Another due time that a case beside one with this due time could have."""
    width = _width(round(policy.due.blind_minutes(domain) * _MINUTE_MS))
    return due_at // width * width + chance.randrange(width)


def _width(span: int) -> int:
    return max(1, min(_MOST_DRAWN_MS, span // _SHARE))
