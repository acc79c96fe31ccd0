"""Revealing: withheld values shown again, for a stated reason, to an officer, for minutes, once.

The desk holds no key that opens anything: it hands out sealed values after the intent is in the log, and the
officer's own private key opens them where the officer sits.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import orjson

from app.audit.chain import commitment
from app.desk.looking import Looking
from app.desk.views import seen_first
from app.model.errors import BadInput, NothingToDo, Refused
from app.model.reveal import RevealRequest, RevealState, SealedAnswer
from app.model.rights import may
from app.protect.envelope import OfficerKey, challenge, place
from db import controls, leases, reveals, sealed
from db.engine import Connection
from db.reveals import Reveal

# A request that was not opened by then has to be made again.
_DAY_MS = 86_400_000


class Revealing(Looking):
    """An officer's acts."""

    def sealed_fields(self, case_id: int) -> tuple[str, ...]:
        """The withheld fields of a case that officers can see again."""
        with self._store.read() as connection:
            return tuple(self._sealed(connection, case_id))

    def ask_reveal(self, case_id: int, fields: Sequence[str], reason: str) -> RevealRequest:
        """Asks to see withheld fields. It is approved at once where the queue's policy asks for no second person."""
        reason = reason.strip()
        if len(reason) < 8:
            raise BadInput("A reveal needs a reason that an auditor will understand (at least 8 characters).")
        with self._store.write() as connection:
            now, held = self._now(), self._seen_holder(connection, case_id)
            self._own_key(connection, case_id)
            _check_fields(self._sealed(connection, case_id), fields, held.external_id)
            salt = os.urandom(16)
            state = "asked" if self.policy(held.queue).reveal.approval else "approved"
            reveal_id = reveals.ask(
                connection,
                {"case_id": case_id, "person": self._person, "fields": orjson.dumps(list(fields)).decode(),
                 "reason": reason, "salt": salt, "state": state, "asked_at": now},
            )  # fmt: skip
            self._log(
                connection, "reveal_asked", case_id,
                reveal=reveal_id, fields=", ".join(fields), reason=commitment(salt, reason.encode()),
            )  # fmt: skip
            return self._request(self._reveal(connection, reveal_id), now)

    def reveals(self, case_id: int | None = None) -> list[RevealRequest]:
        """Requests of the last 30 days, newest first."""
        with self._store.read() as connection:
            now = self._now()
            found = reveals.listed(connection, now - 30 * _DAY_MS, case_id)
            unseen = self._hidden_among(connection, {row.case_id for row in found})
            told = [row for row in found if row.case_id not in unseen]
            return [replace(self._request(row, now), fields=self._told_fields(connection, row)) for row in told]

    def approval_challenge(self, reveal_id: int) -> tuple[str, bytes]:
        """What an approving officer has to open first: the name of their key, and a secret sealed to it."""
        with self._store.write() as connection:
            row = self._awaiting(connection, reveal_id)
            if row.person == self._person:
                raise Refused("A second officer has to approve: nobody approves their own request.")
            officer = self._officer(connection)
            secret, closed = challenge(officer, approval_purpose(reveal_id))
            reveals.change(connection, reveal_id, challenge=_expected(secret, self._person))
            return officer.key_id, closed

    def approve_reveal(self, reveal_id: int, secret: bytes) -> RevealRequest:
        """Approves a request; `secret` proves that the approver has their private key."""
        with self._store.write() as connection:
            row, now = self._awaiting(connection, reveal_id), self._now()
            expected = row.challenge or b""
            if row.person == self._person or not hmac.compare_digest(expected, _expected(secret, self._person)):
                raise Refused("This is not the answer of the officer who was asked. Nothing was approved.")
            reveals.change(connection, reveal_id, state="approved", approver=self._person, challenge=None)
            self._log(connection, "reveal_approved", row.case_id, reveal=reveal_id)
            return self._request(self._reveal(connection, reveal_id), now)

    def decline_reveal(self, reveal_id: int) -> None:
        """Says no to a request, one's own or another's."""
        with self._store.write() as connection:
            row = self._awaiting(connection, reveal_id, also="approved")
            if row.person != self._person:
                self._officer(connection)
            reveals.change(connection, reveal_id, state="declined", approver=self._person)
            self._log(connection, "reveal_declined", row.case_id, reveal=reveal_id)

    def reveal_key(self, case_id: int) -> str:
        """The name of this person's key that opens the case's values. Raises Refused where there is none."""
        with self._store.read() as connection:
            return self._own_key(connection, case_id).key_id

    def open_reveal(self, reveal_id: int) -> SealedAnswer:
        """Hands out the sealed values of an approved request, once. The intent is in the log before."""
        with self._store.write() as connection:
            row, now = self._reveal(connection, reveal_id), self._now()
            if row.person != self._person:
                raise Refused(f"This request is {row.person}'s. Ask for what you need yourself.")
            self._check_state(row, now)
            held = self._holder(connection, row.case_id)
            self._check_cap(connection, held, now)
            key = self._own_key(connection, row.case_id)
            placed = sealed.key(connection, controls.root(connection, row.case_id), key.key_id)
            assert placed is not None  # by _own_key, in this transaction
            fields = orjson.loads(row.fields)
            until = now + round(self.policy(held.queue).reveal.minutes * 60_000)
            reveals.change(connection, reveal_id, state="opened", until=until, opened_at=now)
            self._log(connection, "revealing", row.case_id, reveal=reveal_id, fields=", ".join(fields), until=until)
            where = place(placed.queue, placed.external_id, placed.content_hash)
            return SealedAnswer(
                sealed.values(connection, controls.root(connection, row.case_id), fields),
                placed.sealed,
                key.key_id,
                where,
                until,
            )

    # Inside a transaction.

    def _sealed(self, connection: Connection, case_id: int) -> list[str]:
        """The sealed fields of a case, as far as this person may know of them: what was masked in an explanation or a
        flag tells what the model said, and people who review judge first."""
        held = self._seen_holder(connection, case_id)
        # A copy has no values of its own: they are those of its original.
        found = sealed.fields(connection, controls.root(connection, case_id))
        if not self.policy(held.queue).provisional or not (self._roles is None or may(self._roles, "review")):
            return found
        row = self._row(connection, case_id)
        return seen_first(found, row) if self._is_hidden(row) else found

    def _told_fields(self, connection: Connection, asked: Reveal) -> tuple[str, ...]:
        """The fields of a request, as far as this person may know of them: another officer may have asked after
        judging."""
        fields = orjson.loads(asked.fields)
        policy = self._policies.get(asked.queue or "")
        judges = self._roles is None or may(self._roles, "review")
        if policy is None or not policy.provisional or not judges:
            return tuple(fields)
        row = self._row(connection, asked.case_id)
        return tuple(seen_first(fields, row) if self._is_hidden(row) else fields)

    def _reveal(self, connection: Connection, reveal_id: int) -> Reveal:
        row = reveals.one(connection, reveal_id)
        if row is None or (row.queue not in self._policies and row.state != "erased"):
            raise BadInput(f"There is no request {reveal_id} to reveal.")
        return row

    def _awaiting(self, connection: Connection, reveal_id: int, also: str = "asked") -> Reveal:
        row = self._reveal(connection, reveal_id)
        if self._state(row, self._now()) not in ("asked", also):
            raise Refused(f"Request {reveal_id} is {self._state(row, self._now())} already.")
        return row

    def _state(self, row: Reveal, now: int) -> RevealState:
        if row.state in ("asked", "approved") and now > row.asked_at + _DAY_MS:
            return "expired"
        policy = self._policies.get(row.queue or "")
        if row.state == "approved" and row.approver is None and policy and policy.reveal.approval:
            # Asked for when the policy wanted no second person; today's counts.
            return "asked"
        return cast(RevealState, row.state)

    def _check_state(self, row: Reveal, now: int) -> None:
        match self._state(row, now):
            case "asked":
                raise NothingToDo(
                    f"Request {row.reveal_id} waits for another officer: `secondlook reveal approve {row.reveal_id}`."
                )
            case "declined":
                raise Refused(f"Request {row.reveal_id} was declined by {row.approver}.")
            case "opened":
                raise Refused(f"Request {row.reveal_id} was opened already; it counts once. Ask again with a reason.")
            case "erased":
                raise Refused(f"The case of request {row.reveal_id} was erased: nothing of it is kept.")
            case "expired":
                raise Refused(f"Request {row.reveal_id} is older than 24 hours. Ask again with a reason.")

    def _check_cap(self, connection: Connection, held: leases.Holder, now: int) -> None:
        cap = self.policy(held.queue).reveal.daily
        if reveals.opened_since(connection, self._person, now - _DAY_MS) >= cap:
            raise Refused(
                f"You opened {cap} reveals within 24 hours; '{held.queue}' allows no more. Nothing was shown. "
                "Another officer can ask for it, or the lead can change `reveal.daily`."
            )

    def _officer(self, connection: Connection) -> OfficerKey:
        mine = [o for o in sealed.officers(connection) if o.person == self._person]
        if not mine:
            raise Refused(f"{self._person} is no officer here. `secondlook officer setup` makes one.")
        return OfficerKey(self._person, mine[-1].public_key)

    def _own_key(self, connection: Connection, case_id: int) -> OfficerKey:
        """The newest key of this person to which the case's data key is sealed."""
        self._officer(connection)
        fields = self._sealed(connection, case_id)
        mine = [o for o in sealed.officers(connection) if o.person == self._person]
        for officer in reversed(mine):
            if fields and sealed.key(connection, controls.root(connection, case_id), officer.key_id):
                return OfficerKey(officer.person, officer.public_key)
        if fields:
            raise Refused(
                "This case was sealed before you became an officer. Another officer hands it on with "
                "`secondlook officer share`."
            )
        raise NothingToDo(
            "Nothing is sealed of this case: it came in before there was an officer, its values were let go or every "
            "key to them was retired, or nothing was withheld."
        )

    def _request(self, row: Reveal, now: int) -> RevealRequest:
        return RevealRequest(
            reveal_id=row.reveal_id,
            case_id=row.case_id,
            id=row.external_id or "",
            queue=row.queue or "",
            person=row.person,
            fields=tuple(orjson.loads(row.fields)),
            reason=row.reason,
            state=self._state(row, now),
            asked_at=row.asked_at,
            approver=row.approver,
            until=row.until,
        )


def approval_purpose(reveal_id: int) -> str:
    """What an approval's challenge is bound to."""
    return f"approve reveal {reveal_id}"


def _expected(secret: bytes, person: str) -> bytes:
    return hashlib.sha256(secret + person.encode()).digest()


def _check_fields(there: Sequence[str], wanted: Sequence[str], external_id: str) -> None:
    unknown = [field for field in wanted if field not in there]
    if unknown or not wanted:
        raise BadInput(
            (f"{external_id} has no sealed field '{unknown[0]}'. " if unknown else "Name the fields to see. ")
            + f"There are: {', '.join(there) or 'none'}."
        )
