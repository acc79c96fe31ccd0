"""Quality controls: now and then a claim gives out a case again, to measure, and nothing on the screen tells.

A control is a copy of a case under another id of the same form. It is given to one person, is in no dataset, and nobody
is told a verdict of it.
"""

from __future__ import annotations

import random
import string
from typing import TYPE_CHECKING, Any

import orjson

from app.model.policy import QueuePolicy
from db import cases, controls

if TYPE_CHECKING:
    from db.engine import Connection

_HOUR_MS = 3_600_000
# Ids that are tried before no copy is made.
_TRIES = 20
_chance = random.SystemRandom()


def maybe_control(connection: Connection, queue: str, policy: QueuePolicy, person: str, now: int) -> int | None:
    """At the rates of the queue: the number of a new copy for this person; None: an ordinary case comes next."""
    rules = policy.reviews
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
    row = _disguised(connection, controls.original(connection, of_case), now)
    return None if row is None else controls.copy(connection, row, of_case, person, kind, now)


def _disguised(connection: Connection, row: dict[str, Any], now: int) -> dict[str, Any] | None:
    """A case's row under another id, as if it had come in a while ago."""
    name = _other_name(connection, row["external_id"], row["queue"])
    if name is None:
        return None
    record = orjson.loads(row["record"])
    record["id"] = name
    time_allowed = row["due_at"] - row["admitted_at"]
    admitted = now - round(time_allowed * _chance.random())
    return {
        **row,
        "external_id": name,
        "revision": 1,
        "content_hash": _chance.randbytes(32),
        "admitted_at": admitted,
        "due_at": admitted + time_allowed,
        "record": orjson.dumps(record).decode(),
    }


def _other_name(connection: Connection, name: str, queue: str) -> str | None:
    """An id of the same form that nobody has; None where there is hardly one."""
    for _ in range(_TRIES):
        other = "".join(map(_other_character, name))
        if other != name and not cases.find(connection, other, queue):
            return other
    return None


def _other_character(character: str) -> str:
    """Another digit for a digit; letters stay."""
    return _chance.choice(string.digits) if character in string.digits else character
