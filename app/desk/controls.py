"""Quality controls: now and then a claim gives out a case again, to measure, and nothing on the screen tells.

A control is a copy of a case under another id of the same form. It is given to one person, is in no dataset, and nobody
is told a verdict of it.
"""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING, Any

import orjson

from app.intake.drawn import due_beside
from app.model.policy import QueuePolicy
from db import cases, controls
from db.offers import Offer

if TYPE_CHECKING:
    from db.engine import Connection

_HOUR_MS = 3_600_000
# Ids that are tried before no copy is made.
_TRIES = 20
_chance = random.SystemRandom()


def maybe_control(connection: Connection, head: Offer, policy: QueuePolicy, person: str, now: int) -> int | None:
    """At the rates of the queue: the number of a new copy for this person; None: an ordinary case comes next."""
    rules, queue = policy.reviews, head.queue
    if not (rules.gold or rules.repeats):
        return None
    roll = _chance.random()
    if roll < rules.gold:
        kind, found = "gold", controls.gold_for(connection, queue, person)
    elif roll < rules.gold + rules.repeats:
        before = now - round(rules.repeat_hours * _HOUR_MS)
        kind, found = "repeat", controls.repeats_for(connection, queue, person, before)
    else:
        return None
    if not found:
        return None
    of_case = _chance.choice(found)
    original = controls.original(connection, of_case)
    due_at = head.due_at
    if policy.provisional:
        # Two cases of such a queue are hardly ever due at the same moment.
        due_at = due_beside(policy, original["domain"], due_at, _chance)
    row = _disguised(connection, original, due_at)
    return None if row is None else controls.copy(connection, row, of_case, person, kind, now)


def _disguised(connection: Connection, row: dict[str, Any], due_at: int) -> dict[str, Any] | None:
    """A case's row under another id, due with the case in whose place it comes."""
    name = _other_name(connection, row["external_id"], row["queue"])
    if name is None:
        return None
    record = orjson.loads(row["record"])
    record["id"] = name
    return {
        **row,
        "external_id": name,
        "revision": 1,
        "content_hash": _chance.randbytes(32),
        "admitted_at": due_at - (row["due_at"] - row["admitted_at"]),
        "due_at": due_at,
        "record": orjson.dumps(record).decode(),
    }


def _other_name(connection: Connection, name: str, queue: str) -> str | None:
    """An id of the same form that nobody has; None where there is hardly one."""
    runs = [match.span() for match in re.finditer(r"[0-9]+", name)]
    if not runs:
        return None
    # Only the longest number differs from case to case; short ones name a model, a batch, a year.
    start, end = max(runs, key=lambda run: run[1] - run[0])
    for _ in range(_TRIES):
        number = "".join(_chance.choice("0123456789") for _ in range(end - start))
        other = name[:start] + number + name[end:]
        if other != name and not cases.find(connection, other, queue):
            return other
    return None
