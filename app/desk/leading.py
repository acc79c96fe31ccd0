"""What several people said of a case, and a lead's acts: take over, re-assign, pause, see how people do."""

from __future__ import annotations

from typing import Any

import orjson

from app.desk.aliases import aliases, independent_reviews
from app.desk.history import without_report
from app.desk.settling import Settling
from app.insight.rates import wilson
from app.model.case import Claim, Lease, Note, PausedQueue, PeerReview, Peers, PersonStatus, Quality
from app.model.errors import BadInput, Refused
from db import controls, leases, lists, offers, people, reviews, shown

_DAY_MS = 86_400_000
# Marks with words for others; `skip` and `seen` have none.
_WORDED = frozenset(("flag", "park", "escalate", "conflict", "assign"))


class Leading(Settling):
    """Looking after the work of several people."""

    def peers(self, case_id: int) -> Peers:
        """What several people said: for the adjudicator who holds the case, and for everybody once it is settled."""
        with self._store.read() as connection:
            row = self._seen_row(connection, case_id)
            adjudicating = self._adjudicates(row)
            if not adjudicating and not self._oversees() and row.state != "settled":
                return Peers()
            if self._is_hidden(row):
                # Whether a peer's label upholds or overturns it tells the model's.
                return Peers()
            found = reviews.standing(connection, case_id)
            notes = reviews.notes(connection, case_id)
        # Until it is decided an adjudicator weighs what was said, not who said it.
        named, alias = not self._unnamed(row), aliases(found)
        in_order = [*independent_reviews(found), *(one for one in found if one.stage == "adjudication")]
        told = [_peer(one, one.person if named else alias[one.review_id], named) for one in in_order]
        reasons = tuple(sorted(note for (_, kind), note in notes.items() if kind == "escalate"))
        return Peers(tuple(told) if len(told) > 1 or reasons else (), reasons)

    def notes(self, case_id: int) -> list[Note]:
        """What people wrote about a case, as far as this person may read it."""
        with self._store.read() as connection:
            row = self._seen_row(connection, case_id)
            found = reviews.marks(connection, case_id)
            reads = self._reads_others(row, reviews.standing(connection, case_id))
        if not self._reads_all_notes():
            told = [one._replace(note=without_report(one.note)) for one in found]
            found = [one for one in told if one.note or one.kind not in _WORDED]
        seen = max((one.at for one in found if one.kind == "seen"), default=-1)
        return [
            Note(self._called(row.queue, one.person), one.kind, one.note, one.at, seen=one.at <= seen)
            for one in found
            if one.kind in _WORDED and self._may_read(row, one.person, one.kind, reads)
        ]

    def mark_seen(self, case_id: int) -> None:
        """Takes a case off the list of those with notes for the lead."""
        self._check_leads()
        with self._store.write() as connection:
            held = self._seen_holder(connection, case_id)
            if not any(one.kind == "flag" for one in reviews.marks(connection, case_id)):
                raise Refused(f"{held.external_id} has no note for the lead. Nothing was changed.")
            reviews.mark(connection, case_id, self._person, "seen", "", self._now())
            self._log(connection, "notes_seen", case_id)

    def quality(self) -> list[Quality]:
        """How people agree with trusted outcomes, with themselves and with others: this person, for a lead all.

        One's own figures are those of whole days, half a day old: else they would tell which case was a control, and
        what to answer instead.
        """
        day_over = (self._now() - _DAY_MS // 2) // _DAY_MS * _DAY_MS
        until = controls.Until(self._now() + 1 if self._oversees() else day_over, self._person, day_over)
        with self._store.read() as connection:
            gold = controls.against_gold(connection, until)
            again = controls.against_self(connection, until)
            peers = controls.against_peers(connection, until)
        everybody = sorted({*gold, *again, *peers}) if self._leads() else [self._person]
        none = controls.Tally(0, 0)
        return [
            Quality(
                person,
                *_figures(gold.get(person, none)),
                *_figures(again.get(person, none)),
                *_figures(peers.get(person, none)),
            )
            for person in everybody
        ]

    def people(self) -> list[PersonStatus]:
        """Who works here: what they hold, how much they decided within 24 hours, tags and caps."""
        self._check_leads()
        now = self._now()
        with self._store.read() as connection:
            held = people.held(connection, now)
            made = people.decided_since(connection, now - _DAY_MS)
            known = {person.person: person for person in people.everybody(connection)}
        return [
            PersonStatus(
                person=name,
                tags=known[name].tags if name in known else (),
                daily=known[name].daily if name in known else None,
                holding=known[name].holding if name in known else None,
                decided=made.get(name, 0),
                held=tuple((row.case_id, row.external_id, row.wake_at) for row in held.get(name, ())),
            )
            for name in sorted({*held, *made, *known})
        ]

    def take_over(self, case_id: int, reason: str) -> Claim:
        """Takes a case that somebody else holds; their draft is kept, their lease is worth nothing from now on."""
        reason = self._reason(reason, "Taking a case over")
        with self._store.write() as connection:
            now = self._now()
            held = self._seen_holder(connection, case_id)
            if held.state != "leased" or held.owner == self._person:
                raise Refused(f"{held.external_id} is held by nobody else. Nothing was changed; claim it.")
            self._may.check_case(connection, held, self._policies[held.queue], now)
            reviews.mark(connection, case_id, self._person, "assign", reason, now)
            until = now + self._lease_ms(held.queue)
            token = leases.seize(connection, case_id, self._person, self._session, until, now, counts=True)
            self._log(connection, "seized", case_id, token=token, holder=held.owner or "")
            return self._claim(connection, Lease(case_id, token, self._person, self._session, until), held.queue)

    def assign(self, case_id: int, person: str | None, reason: str) -> None:
        """Keeps a case for one person, or (None) for nobody in particular; whoever holds it loses it."""
        reason = self._reason(reason, "Re-assigning a case")
        with self._store.write() as connection:
            held = self._seen_holder(connection, case_id)
            if held.state == "settled":
                raise Refused(f"{held.external_id} is settled already. Nothing was changed.")
            if person is not None and not people.is_known(connection, person):
                raise BadInput(f"Nobody called '{person}' has a token, tags or decisions here. Nothing was changed.")
            if person is not None and reviews.stands(connection, case_id, person):
                raise Refused(f"{person} has reviewed {held.external_id} already; choose somebody else.")
            if person is not None and shown.hidden_among(connection, self._seer()._replace(person=person), (case_id,)):
                raise Refused(f"{person} knows a case like {held.external_id}; choose somebody else.")
            if person is not None and reviews.marked(connection, case_id, person, "conflict"):
                raise Refused(f"{person} has a conflict of interest in {held.external_id}; choose somebody else.")
            reviews.mark(connection, case_id, self._person, "assign", reason, self._now())
            leases.reopen(connection, case_id, forget_claim=False)
            leases.forget_claims(connection, case_id)
            leases.reserve(connection, case_id, person)
            self._log(connection, "assigned", case_id, person=person or "")

    def pause(self, queue: str, reason: str) -> None:
        """Gives out no more cases of a queue; who holds one may finish it."""
        reason = self._reason(reason, "Pausing a queue")
        self.policy(queue)
        with self._store.write() as connection:
            standing = offers.paused(connection, queue)
            if standing:
                raise Refused(
                    f"Queue '{queue}' is paused already, by {self._called(queue, standing.person)}: its reason stays."
                )
            offers.pause(connection, queue, self._person, reason, self._now())
            self._log(connection, "paused", None, queue=queue)

    def resume(self, queue: str) -> None:
        """Gives out cases of a paused queue again."""
        self._check_leads()
        self.policy(queue)
        with self._store.write() as connection:
            if not offers.resume(connection, queue):
                raise Refused(f"Queue '{queue}' is not paused.")
            self._log(connection, "resumed_queue", None, queue=queue)

    def paused(self) -> list[PausedQueue]:
        """The queues that give out no cases now."""
        with self._store.read() as connection:
            found = offers.pauses(connection)
        return [
            PausedQueue(row.queue, self._called(row.queue, row.person), row.reason, row.at)
            for row in found
            if row.queue in self._policies
        ]

    def trust(self, case_id: int, trusted: bool = True) -> None:
        """Says that a settled case's outcome is right (or takes that back): it may measure reviewers from now on."""
        self._check_leads()
        with self._store.write() as connection:
            held = self._seen_holder(connection, case_id)
            row = lists.with_record(connection, case_id)
            # Who sees of a case and its copy only one is not told here which it is; a copy is not copied again.
            if held.state != "settled" or (row.control and self._oversees()):
                raise Refused(f"{held.external_id} has no outcome that could be trusted: settle it first.")
            if trusted:
                controls.trust(connection, case_id, held.queue, self._person, self._now())
            elif not controls.distrust(connection, case_id):
                raise Refused(f"{held.external_id} is no gold case.")
            self._log(connection, "trusted" if trusted else "distrusted", case_id)

    def _check_leads(self) -> None:
        if not self._leads():
            raise Refused("This is a lead's act. Nothing was changed.")

    def _reason(self, reason: str, what: str) -> str:
        self._check_leads()
        if not reason.strip():
            raise BadInput(f"{what} needs a reason.")
        return reason.strip()[:500]


def _peer(row: Any, name: str, named: bool) -> PeerReview:
    return PeerReview(
        name=name,
        verdict=row.verdict,
        label=row.label,
        correction=row.correction,
        answers=orjson.loads(row.answers),
        judged_label=row.judged_label,
        # With what is seen of leases, the time it took could tell whose review this is.
        seconds=row.seconds if named else None,
        adjudicated=row.stage == "adjudication",
    )


def _figures(tally: controls.Tally) -> tuple[int, int, tuple[float, float]]:
    return tally.n, tally.same, wilson(tally.same, tally.n)
