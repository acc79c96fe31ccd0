"""Holding: claims, leases, and giving a case back in one way or another."""

from __future__ import annotations

from typing import Any

import orjson

from app.desk.controls import drawn, plant
from app.desk.eligibility import ANOTHER
from app.desk.emptiness import why_nothing
from app.desk.leaking import Leaking
from app.model.case import Claim, Draft, Judgement, Lease
from app.model.errors import BadInput, LeaseLost, NothingToDo, Refused
from db import leases, reviews
from db.engine import Connection
from db.offers import Offer


class Holding(Leaking):
    """Leases, and every way out of them but a decision."""

    def claim(self, queue: str | None = None) -> Claim:
        """Leases the most urgent case of a queue, or of all, that this person may be given."""
        queues = [queue] if queue else list(self._policies)
        for name in queues:
            self.policy(name)
        with self._store.write() as connection:
            now = self._now()
            self._may.check_caps(connection, now)
            head = self._head(connection, queue, self._wake)
            if head is not None:
                claimed = self._take(connection, head, now)
        if head is not None:
            return self._as_claim(*claimed)
        with self._store.read() as connection:
            tagless = [name for name in queues if self._may.asker(connection, self._policies[name], now) is None]
            hidden = self._hidden(connection)
            raise NothingToDo(why_nothing(connection, queues, self._person, self._now(), tagless, hidden))

    def claim_case(self, case_id: int, take_over: bool = False) -> Claim:
        """Leases one case, if this person may have it and nobody else has."""
        with self._store.write() as connection:
            now = self._now()
            self._check_seen(connection, case_id)
            held = self._holder(connection, case_id)
            self._wake(connection, held.queue, now)
            held = self._holder(connection, case_id)
            if held.state == "leased" and held.owner == self._person:
                if held.session == self._session:
                    return self._claim(connection, self._extended(connection, held, now), held.queue)
                if not take_over:
                    raise Refused(
                        "You have this case open in another terminal. Nothing was changed there; "
                        "take it over to go on here."
                    )
                return self._seize(connection, held, now, "taken_over")
            if held.state in ("open", "deferred", "parked"):
                self._may.check_case(connection, held, self._policies[held.queue], now)
                return self._seize(connection, held, now, "claimed")
            raise Refused(self._not_open(held, now))

    def held_lease(self, case_id: int) -> Lease:
        """The lease that this person has on a case."""
        with self._store.read() as connection:
            held = self._live(connection, case_id, None, self._now())
        return Lease(case_id, held.token, self._person, held.session or "", held.wake_at or 0)

    def extend(self, lease: Lease) -> Lease:
        """More time for a live lease."""
        with self._store.write() as connection:
            now = self._now()
            held = self._live(connection, lease.case_id, lease.token, now)
            return self._extended(connection, held, now)

    def release(self, lease: Lease) -> None:
        """Gives a case back; one that is not held any more is left alone."""
        with self._store.write() as connection:
            held = self._seen_holder(connection, lease.case_id)
            if held.state == "leased" and held.owner == self._person and held.token == lease.token:
                leases.reopen(connection, lease.case_id, forget_claim=True)
                self._log(connection, "released", lease.case_id)

    def skip(self, lease: Lease) -> None:
        """Gives a case back and does not offer it to this person again."""
        with self._store.write() as connection:
            now = self._now()
            self._live(connection, lease.case_id, lease.token, now)
            reviews.mark(connection, lease.case_id, self._person, "skip", "", now)
            leases.reopen(connection, lease.case_id, forget_claim=False)
            self._log(connection, "skipped", lease.case_id)

    def unskip(self, queue: str | None = None) -> int:
        """Offers skipped cases again."""
        with self._store.write() as connection:
            n = reviews.unmark(connection, "skip", self._person, queue)
            if n:
                self._log(connection, "unskipped", None, cases=n)
            return n

    def defer(self, lease: Lease, minutes: float) -> None:
        """Takes a case out of the queue for a while."""
        if not 0 < minutes <= 60 * 24 * 90:
            raise BadInput("A case can be deferred for up to 90 days.")
        with self._store.write() as connection:
            now = self._now()
            self._live(connection, lease.case_id, lease.token, now)
            until = now + round(minutes * 60_000)
            leases.defer(connection, lease.case_id, until)
            self._log(connection, "deferred", lease.case_id, until=until)

    def flag(self, case_id: int, note: str) -> None:
        """Leaves a note for the lead."""
        if not note.strip():
            raise BadInput("A flag needs a note: what should the lead know?")
        with self._store.write() as connection:
            self._seen_holder(connection, case_id)
            reviews.mark(connection, case_id, self._person, "flag", note.strip(), self._now())
            self._log(connection, "flagged", case_id)

    def park(self, lease: Lease, reason: str) -> None:
        """Sets a case aside."""
        if not reason.strip():
            raise BadInput("Parking a case needs a reason.")
        with self._store.write() as connection:
            self._live(connection, lease.case_id, lease.token, self._now())
            leases.park(connection, lease.case_id, reason.strip()[:500])
            # What people write stays out of the log, from which nothing can be erased.
            reviews.mark(connection, lease.case_id, self._person, "park", reason.strip()[:500], self._now())
            self._log(connection, "parked", lease.case_id)

    def escalate(self, lease: Lease, reason: str) -> None:
        """Gives a case to an adjudicator."""
        if not reason.strip():
            raise BadInput("An escalation needs a reason: what should the adjudicator look at?")
        with self._store.write() as connection:
            now = self._now()
            held = self._live(connection, lease.case_id, lease.token, now)
            if held.stage == "adjudication":
                raise Refused(f"{held.external_id} is with an adjudicator already: you. Decide it, or park it.")
            leases.pass_on(connection, lease.case_id, "adjudication")
            reviews.mark(connection, lease.case_id, self._person, "escalate", reason.strip()[:500], now)
            self._log(connection, "escalated", lease.case_id)

    def recuse(self, lease: Lease, reason: str) -> None:
        """Declares a conflict of interest: the case goes to somebody else, and never comes back to this person."""
        if not reason.strip():
            raise BadInput("Say in a few words what the conflict of interest is; only leads and auditors read it.")
        with self._store.write() as connection:
            now = self._now()
            self._live(connection, lease.case_id, lease.token, now)
            reviews.mark(connection, lease.case_id, self._person, "conflict", reason.strip()[:500], now)
            reviews.drop_draft(connection, lease.case_id, self._person)
            leases.reopen(connection, lease.case_id, forget_claim=True)
            self._log(connection, "recused", lease.case_id)

    def unpark(self, case_id: int) -> None:
        """Puts a parked or deferred case back."""
        with self._store.write() as connection:
            held = self._seen_holder(connection, case_id)
            if held.state not in ("parked", "deferred"):
                raise Refused(f"{held.external_id} is {held.state}, neither parked nor deferred.")
            leases.reopen(connection, case_id, forget_claim=False)
            leases.forget_claims(connection, case_id)
            self._log(connection, "unparked", case_id)

    # Inside a transaction.

    def _wake(self, connection: Connection, queue: str, now: int) -> None:
        """Puts back what has expired or come due; a case that was claimed too often is parked."""
        for held in leases.due_to_wake(connection, queue, now):
            if held.state == "deferred":
                leases.reopen(connection, held.case_id, forget_claim=False)
                self._log(connection, "resumed", held.case_id)
            elif held.claims >= self._policies[queue].max_claims:
                reason = f"claimed {held.claims} times and not decided"
                leases.park(connection, held.case_id, reason)
                self._log(connection, "parked", held.case_id, reason=reason)
            else:
                leases.reopen(connection, held.case_id, forget_claim=False)
                self._log(connection, "expired", held.case_id, holder=held.owner or "")

    def _take(self, connection: Connection, head: Offer, now: int) -> tuple[Lease, Any]:
        case_id = head.case_id
        token = leases.next_token(head.token, now)
        lease = Lease(case_id, token, self._person, self._session, now + self._lease_ms(head.queue))
        leases.take(connection, case_id, self._person, self._session, token, lease.until)
        self._log(connection, "claimed", case_id, token=lease.token)
        kind = drawn(self._policies[head.queue])
        if kind is not None:
            self._plant(connection, kind, head, now)
        return lease, self._row(connection, case_id, self._rubrics[head.queue].hash, last=True)

    def _plant(self, connection: Connection, kind: str, last: Offer, now: int) -> None:
        """Puts a copy that measures this person among what comes after the case that they were just given."""
        policy = self._policies[last.queue]
        asker = self._may.asker(connection, policy, now)
        if asker is None or not asker.reviews or last.stage == "adjudication":
            return
        plant(connection, kind, policy, asker, last, now)

    def _seize(self, connection: Connection, held: leases.Holder, now: int, action: str) -> Claim:
        until = now + self._lease_ms(held.queue)
        counts = action == "claimed"
        token = leases.seize(connection, held.case_id, self._person, self._session, until, now, counts)
        self._log(connection, action, held.case_id, token=token)
        return self._claim(connection, Lease(held.case_id, token, self._person, self._session, until), held.queue)

    def _claim(self, connection: Connection, lease: Lease, queue: str) -> Claim:
        return self._as_claim(lease, self._row(connection, lease.case_id, self._rubrics[queue].hash))

    def _as_claim(self, lease: Lease, row: Any) -> Claim:
        drafted: dict[str, Any] = orjson.loads(row.draft) if row.draft else {"answers": {}, "seconds": 0.0}
        judged = row.judged_at is not None
        judgement = Judgement(row.judged_label, row.judged_confidence, row.judged_at) if judged else None
        return Claim(lease, self._view(row), Draft(drafted["answers"], judgement, drafted["seconds"]))

    def _extended(self, connection: Connection, held: leases.Holder, now: int) -> Lease:
        until = now + self._lease_ms(held.queue)
        leases.extend(connection, held.case_id, until)
        return Lease(held.case_id, held.token, self._person, self._session, until)

    def _live(self, connection: Connection, case_id: int, token: int | None, now: int) -> leases.Holder:
        """The lease, if it is this person's, current, and not over. The fence of every act."""
        return self._checked(self._seen_holder(connection, case_id), token, now)

    def _checked(self, held: leases.Holder, token: int | None, now: int) -> leases.Holder:
        mine = held.state == "leased" and held.owner == self._person and token in (None, held.token)
        if mine and held.wake_at is not None and held.wake_at > now:
            return held
        if held.state == "settled":
            raise LeaseLost(f"{held.external_id} is settled already.", settled=True)
        if held.state == "leased" and held.owner != self._person:
            raise LeaseLost(self._not_open(held, now), holder=self._called(held.queue, held.owner or ""))
        if held.owner == self._person and held.wake_at is not None and held.wake_at > now:
            raise LeaseLost(
                f"You took {held.external_id} up again, here or in another terminal. Nothing was changed; "
                "go on there, or claim the case again.",
                holder=held.owner,
            )
        if held.reserved_for not in (None, self._person):
            who = self._called(held.queue, held.reserved_for or "")
            raise LeaseLost(f"A lead has given {held.external_id} to {who}. There is nothing left to do for you.")
        raise LeaseLost(
            f"You do not hold {held.external_id}: it was never claimed by you, or the lease ran out or was given up. "
            "Claim it to go on."
        )

    def _not_open(self, held: leases.Holder, now: int) -> str:
        if held.state == "settled":
            return f"{held.external_id} is settled already."
        minutes = max(0, ((held.wake_at or now) - now) // 60_000)
        who = self._called(held.queue, held.owner or "")
        who = who.capitalize() if who == ANOTHER else who
        return f"{who} has {held.external_id} for {minutes} more minutes; take-over is free after that."
