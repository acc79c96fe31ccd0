"""Who may be given which case, and which one comes next.

A case needs one or several independent reviews by different people, and an adjudicator where these differ. Nobody gets
a case that they have reviewed, declared a conflict of interest in, or that is kept for somebody else.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from app.model.errors import NothingToDo, Refused
from app.model.policy import QueuePolicy
from app.model.rights import ADJUDICATES, REVIEWS_FIRST, Role
from db import offers, pairs, people, reviews
from db.leases import Holder
from db.offers import Asker, Offer

if TYPE_CHECKING:
    from db.engine import Connection

_DAY_MS = 86_400_000
_HOUR_MS = 3_600_000
# For so long a copy waits for the person whom it is to measure.
_KEPT_MS = _HOUR_MS
# What is known of a person is asked for again after so many seconds.
_KNOWN_SECONDS = 5.0
ANOTHER = "somebody else"


class Eligibility:
    """One person's claim to cases. `roles`: None where everything is allowed."""

    def __init__(self, person: str, roles: frozenset[Role] | None) -> None:
        self._person = person
        self._alone = roles is None
        self.reviews = roles is None or bool(roles & REVIEWS_FIRST)
        self.adjudicates = roles is None or bool(roles & ADJUDICATES)
        self._known: tuple[float, people.Person] = (float("-inf"), people.Person(person))

    def known(self, connection: Connection) -> people.Person:
        """Tags and caps of this person."""
        at, found = self._known
        if time.monotonic() - at >= _KNOWN_SECONDS:
            found = people.known(connection, self._person)
            self._known = (time.monotonic(), found)
        return found

    def asker(self, connection: Connection, policy: QueuePolicy, now: int) -> Asker | None:
        """How to ask for cases of a queue; None where this person lacks one of its tags."""
        rules = policy.reviews
        tags = self.known(connection).tags if rules.tags or rules.route_by else ()
        if not set(rules.tags) <= set(tags):
            return None
        return Asker(
            self._person,
            reviews=self.reviews,
            adjudicates=self.adjudicates,
            domains=_of(tags, "domain:") if "domain" in rules.route_by else None,
            languages=_of(tags, "language:") if "language" in rules.route_by else None,
            kept_since=now - _KEPT_MS,
            fresh_since=now - round(rules.repeat_hours * _HOUR_MS),
        )

    def offers(self, connection: Connection, queue: str, policy: QueuePolicy, now: int) -> tuple[list[Offer], bool]:
        """The cases of a queue from which the next one is chosen, and whether leases or deferrals of it are over."""
        asker = self.asker(connection, policy, now)
        return ([], False) if asker is None else offers.offers(connection, queue, asker, now)

    def choose(self, connection: Connection, queue: str, found: list[Offer], now: int) -> Offer | None:
        """The case among the offers of a queue that comes next for this person."""
        best = min(found, key=order, default=None)
        if best is None or best.stage != "begun":
            return best
        return self._rotated(connection, queue, found, best, now)

    def _rotated(self, connection: Connection, queue: str, found: list[Offer], best: Offer, now: int) -> Offer:
        """Of cases as urgent as `best`: the one begun by whom this person has met least, or a fresh one where there is
        somebody else at work whom they have met less. So no two people always meet."""
        alike = [one for one in found if one.stage != "adjudication" and _alike(one, best, now)]
        begun = [one for one in alike if one.stage == "begun"]
        met = pairs.met(connection, queue, self._person, [one.case_id for one in begun])
        choice = min(begun, key=lambda one: (met.get(one.case_id, 0), order(one)))
        fresh = next((one for one in alike if one.stage == "review"), None)
        if fresh and met.get(choice.case_id, 0) > pairs.least_met(connection, queue, self._person, now - _DAY_MS):
            return fresh
        return choice

    def check_caps(self, connection: Connection, now: int) -> None:
        """Raises NothingToDo where this person has as much as they may take."""
        known = self.known(connection)
        if known.holding is not None:
            held = people.holds(connection, self._person, now)
            if held >= known.holding:
                raise NothingToDo(
                    f"You hold {held} case{'s' if held != 1 else ''}, and may hold {known.holding} at a time. Decide "
                    "one or give it back."
                )
        if known.daily is not None:
            made = people.decided_by(connection, self._person, now - _DAY_MS)
            if made >= known.daily:
                raise NothingToDo(
                    f"You have decided {made} cases within 24 hours, and may decide {known.daily}. Take a rest; a lead "
                    "can change the cap."
                )

    def check_case(self, connection: Connection, held: Holder, policy: QueuePolicy, now: int) -> None:
        """Raises Refused where this person may not be given this case, saying why."""
        name, rules = held.external_id, policy.reviews
        if held.reserved_for not in (None, self._person):
            raise Refused(f"{name} is kept for {ANOTHER if rules.names == 'hidden' else held.reserved_for}.")
        if reviews.stands(connection, held.case_id, self._person):
            raise Refused(f"You have reviewed {name} already; it needs somebody else. `undo` takes your decision back.")
        if reviews.marked(connection, held.case_id, self._person, "conflict"):
            raise Refused(f"You have declared a conflict of interest in {name}: it goes to somebody else.")
        own = held.stage == "adjudication" and reviews.marked(connection, held.case_id, self._person, "escalate")
        if own and not self._alone:
            raise Refused(f"You have escalated {name}: another adjudicator decides it.")
        if held.stage == "adjudication" and not self.adjudicates:
            raise Refused(f"{name} is not for you to review now: it waits for somebody else.")
        if held.stage != "adjudication" and not self.reviews:
            raise Refused(f"{name} is still being reviewed; adjudicators get it where reviewers differ.")
        asker = self.asker(connection, policy, now)
        if asker is None:
            raise Refused(f"This queue is for people with the tags {', '.join(rules.tags)}; you lack one of them.")
        for what, value, mine in (("domain", held.domain, asker.domains), ("language", held.language, asker.languages)):
            if mine is not None and value is not None and value not in mine:
                raise Refused(f"{name} is for people with the tag {what}:{value}.")
        pause = offers.paused(connection, held.queue)
        if pause is not None:
            raise Refused(said_paused(held.queue, pause.reason))
        self.check_caps(connection, now)


def said_paused(queue: str, reason: str) -> str:
    """That a queue is paused, in words."""
    return f"Queue '{queue}' is paused by a lead: {reason}"


def order(offer: Offer) -> tuple[int, int, int]:
    """The most urgent first."""
    return (-offer.priority, offer.due_at, offer.case_id)


def _alike(one: Offer, other: Offer, now: int) -> bool:
    """Whether two cases are as urgent: of one severity, and both overdue or both not."""
    return one.severity == other.severity and (one.due_at < now) == (other.due_at < now)


def _of(tags: Sequence[str], prefix: str) -> list[str]:
    return [tag.removeprefix(prefix) for tag in tags if tag.startswith(prefix)]
