"""Quality controls: now and then a case comes into a queue once more, as a copy, to measure who reviews it.

A copy is a case of its queue in everything: it is made after a claim, among the cases that come next, and is given out
in its turn; who claims it has the case that the lists, a peek and the search have shown before. It
takes one way with all others through reviews, adjudication and undo. Only datasets, sinks, feeds of verdicts and a
lead's figures leave it out. Who sees the copy does not see the original (`db.shown`).

Its number, its id and its times come from free places among those of one batch (`app.intake.admission` leaves numbers
free), each place with the same chance. Where there is none that would not stand out, no copy is made.
"""

from __future__ import annotations

import random
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from app.desk import invented
from app.desk.disguise import disguised, renamed
from app.intake.drawn import Lot, due_beside
from app.intake.drawn import place as drawn_place
from app.model.policy import QueuePolicy
from db import cases, controls, offers
from db.controls import Candidate
from db.offers import Asker, Offer

if TYPE_CHECKING:
    from db.engine import Connection

_HOUR_MS = 3_600_000
# Cases on each side among which a copy finds its place.
_HALF = 40
# The next cases of a queue, among which a copy comes.
_AHEAD = 8
# The nearest cases by priority, one of which is copied.
_NEAREST = 3
# Points of urgency by which a case may differ from what it comes among: its score tells more of them.
_TOO_FAR = 12
# Points below the last case of a queue at which a copy comes, at most.
_BELOW = 4
# Share of the newest cases that have an admission time of their own where cases come in one by one.
_ONE_BY_ONE = 0.8
# Places that are tried, and records on each side among which a copy has to look like one of them.
_PLACES = 8
_RECORDS = 12
_chance = random.SystemRandom()


class Slot(NamedTuple):
    """A free place in a queue: number (None: the next one), id, when it came in, the numbers of the cases near it, and
    how many of these come before it."""

    number: int | None
    external_id: str
    admitted_at: int
    near: list[int]
    before: int


def drawn(policy: QueuePolicy) -> str | None:
    """By the rates of the queue: which kind of copy comes next, if one does."""
    rules = policy.reviews
    if not (rules.gold or rules.repeats):
        return None
    roll = _chance.random()
    return "gold" if roll < rules.gold else "repeat" if roll < rules.gold + rules.repeats else None


def plant(connection: Connection, kind: str, policy: QueuePolicy, asker: Asker, last: Offer, now: int) -> int | None:
    """Puts a copy among the cases that come next, to measure the person who asks; returns its number. `last`: the case
    that this person has just been given."""
    if kind == "gold":
        found = controls.gold_for(connection, last.queue, asker.person)
    else:
        before = now - round(policy.reviews.repeat_hours * _HOUR_MS)
        found = controls.repeats_for(connection, last.queue, asker.person, before)
    found = [one for one in found if _is_for(asker, one)]
    if not found:
        return None
    # Where one review settles a case, a copy of what this person decided measures no other reviewer.
    alone = kind == "repeat" and policy.reviews.independent == 1
    ahead = offers.upcoming(connection, last.queue, _AHEAD)
    if alone:
        others = len(controls.at_work(connection, now - _HOUR_MS) - {asker.person})
        ahead = ahead[max(0, others - 1) : others + 2]
    placed = _placed(found, last, ahead)
    slot = _slot(connection, placed.beside, now) if placed else None
    if placed is None or slot is None:
        return None
    row = controls.original(connection, placed.chosen.case_id)
    row |= {
        "external_id": slot.external_id,
        "state": "open",
        "revision": 1,
        "content_hash": _chance.randbytes(32),
        "priority": placed.priority,
        "admitted_at": slot.admitted_at,
        "due_at": _due(policy, row, placed.beside.due_at if slot.number is not None else None, now),
    }
    made = disguised(row, controls.records(connection, slot.near), slot.before, _chance)
    if made is None:
        return None
    kept = asker.person if alone else ""
    return controls.copy(connection, made, placed.chosen.case_id, kept, kind, now, slot.number)


def _due(policy: QueuePolicy, row: dict[str, Any], beside: int | None, now: int) -> int:
    """When a copy is due: with the case beside which it comes, or like a case that comes in now."""
    if not policy.provisional:
        return now + (row["due_at"] - row["admitted_at"]) if beside is None else beside
    # Where due times are drawn, two cases are hardly ever due at the same moment.
    if beside is None:
        return drawn_place(policy, row["domain"], now, Lot(_chance.getrandbits(64), 0)).due_at
    return due_beside(policy, row["domain"], beside, _chance)


def _is_for(asker: Asker, one: Candidate) -> bool:
    wanted = ((asker.domains, one.domain), (asker.languages, one.language))
    return all(mine is None or value is None or value in mine for mine, value in wanted)


class Placed(NamedTuple):
    """A case to be copied, how urgent the copy is, and a case beside which it comes."""

    chosen: Candidate
    priority: int
    beside: Offer


def _placed(found: list[Candidate], last: Offer, upcoming: list[Offer]) -> Placed | None:
    """One of the cases that are about as urgent as what comes next: others would stand out there."""
    severities = {one.severity for one in found}
    ahead = [one for one in upcoming or [last] if one.severity in severities]
    if not ahead:
        return None
    severity = _chance.choice(ahead).severity
    ahead = [one for one in ahead if one.severity == severity]
    low, high = min(one.priority for one in ahead), max(one.priority for one in ahead)
    if not upcoming:
        low -= _BELOW
    priority = _chance.randint(low, high)
    fitting = [one for one in found if one.severity == severity and abs(one.priority - priority) <= _TOO_FAR]
    if not fitting:
        return None
    fitting.sort(key=lambda one: abs(one.priority - priority))
    chosen = _chance.choice(fitting[:_NEAREST])
    if low <= chosen.priority <= high:
        priority = chosen.priority
    return Placed(chosen, priority, min(ahead, key=lambda one: abs(one.priority - priority)))


def _slot(connection: Connection, beside: Offer, now: int) -> Slot | None:
    """A free place in the batch of a case. Where cases come in one by one, a copy comes as the newest case."""
    near = controls.around(connection, beside.queue, beside.case_id, _HALF)
    here = next(one for one in near if one.case_id == beside.case_id)
    names = [one.external_id for one in near]
    rooms = invented.rooms(names)
    weights = [
        (two.case_id - one.case_id - 1) * rooms[n] if one.admitted_at == two.admitted_at == here.admitted_at else 0
        for n, (one, two) in enumerate(pairwise(near), 1)
    ]
    free = _is_free(connection, beside.queue)
    if any(weights):
        for place in _chance.choices(range(1, len(near)), weights, k=_PLACES):
            one, two = near[place - 1], near[place]
            number = _chance.randrange(one.case_id + 1, two.case_id)
            name = None if controls.was_given(connection, number) else invented.invent(names, place, free, _chance)
            if name is not None:
                first = max(0, place - _RECORDS)
                close = [case.case_id for case in near[first : place + _RECORDS]]
                return Slot(number, name, here.admitted_at, close, place - first)
        return None
    return _as_newest(connection, beside.queue, free, now)


def _as_newest(connection: Connection, queue: str, free: invented.IsFree, now: int) -> Slot | None:
    near = controls.around(connection, queue, controls.newest(connection, queue), 2 * _HALF)
    moments = len({one.admitted_at for one in near})
    if moments < _ONE_BY_ONE * len(near):
        return None
    name = invented.invent([one.external_id for one in near], len(near), free, _chance) if len(near) > 1 else None
    close = [case.case_id for case in near[-_RECORDS:]]
    return None if name is None else Slot(None, name, now, close, len(close))


def _is_free(connection: Connection, queue: str) -> invented.IsFree:
    return lambda name: not cases.find(connection, name, queue)


def make_way(connection: Connection, queue: str, external_id: str) -> bool:
    """Gives a copy that bears an id another one, since a prediction has come to which it belongs; False where none
    does."""
    case_id = controls.named(connection, queue, external_id)
    if case_id is None:
        return False
    row = controls.original(connection, case_id)
    near = [one.external_id for one in controls.around(connection, queue, case_id, _HALF)]
    place = near.index(external_id)
    free = _is_free(connection, queue)
    others = [name for name in near if name != external_id]
    name = invented.invent(others, place, free, _chance) if len(others) > 1 else None
    while name is None or not free(name):
        # A copy that stands out is better than a prediction that cannot come in.
        name = f"{external_id}{_chance.randrange(1000)}"
    changed = renamed({**row, "external_id": name})
    controls.rename(connection, case_id, name, changed["record"], changed["search"])
    return True
