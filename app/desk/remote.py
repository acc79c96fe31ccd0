"""`RemoteDesk`: the desk through the hub."""

from __future__ import annotations

import base64
import contextlib
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from app.desk import wire
from app.desk.journal import left_behind
from app.desk.remote_asking import SESSION_HEADER, Away, SignedOut
from app.desk.remote_keeping import Keeping
from app.desk.remote_team import RemoteTeam
from app.desk.unsent_words import counted
from app.model.case import (
    CaseRow,
    CaseView,
    Claim,
    ConnectionStatus,
    Filter,
    HistoryEntry,
    Lease,
    QueueOutcome,
    QueueStatus,
    SessionSummary,
    SimilarCase,
)
from app.model.errors import BadInput, NothingToDo, Refused
from app.model.policy import QueuePolicy
from app.model.reveal import RevealRequest, SealedAnswer
from app.model.rubric import Rubric

__all__ = ["SESSION_HEADER", "RemoteDesk"]


class RemoteDesk(Keeping, RemoteTeam):
    """One person's window on the cases behind a hub. Safe to use from several threads."""

    def __init__(self, url: str, token: str, session: str = "") -> None:
        """`url`: the hub's address, https unless it is this machine. What an earlier terminal could not send is sent
        first. Raises SettingsError for another address, Refused for a token that is not valid, Unavailable where nobody
        answers; both say what is kept here."""
        super().__init__(url, token, session)
        self._queues: dict[str, tuple[QueuePolicy, Rubric]] = {}
        # Which cases this terminal was given, as far as it heard; and whether there may be one more.
        self._heard_of: set[int] = set()
        self._answers_lost = False
        try:
            self._take_up(str(self._get("/me")["person"]), token)
            for queue in self._get("/queues"):
                found = wire.load(QueuePolicy, queue["policy"]), wire.load(Rubric, queue["rubric"])
                self._queues[queue["name"]] = found
        except (Away, SignedOut) as error:
            self.close()
            raise type(error)(f"{error}{_kept_still(url, token)}") from None
        except BaseException:
            self.close()
            raise

    @property
    def person(self) -> str:
        """Who works here."""
        return self._person

    @property
    def queues(self) -> tuple[str, ...]:
        """The queues this person may work on."""
        return tuple(self._queues)

    def policy(self, queue: str) -> QueuePolicy:
        """A queue's policy."""
        return self._queue(queue)[0]

    def rubric(self, queue: str) -> Rubric:
        """A queue's current rubric."""
        return self._queue(queue)[1]

    # -- looking --------------------------------------------------------------------------------

    def backlog(self) -> list[QueueStatus]:
        """Every queue's backlog."""
        return wire.load(list[QueueStatus], self._get("/backlog"))

    def outcomes(self) -> list[QueueOutcome]:
        """What the settled cases of each queue came to."""
        return wire.load(list[QueueOutcome], self._get("/outcomes"))

    def connections(self) -> list[ConnectionStatus]:
        """How the sources and sinks are doing."""
        return wire.load(list[ConnectionStatus], self._get("/connections"))

    def ids(self, wanted: Filter, limit: int | None = None) -> array[int]:
        """case_ids that match."""
        return array("q", self._post("/cases/search", {**asdict(wanted), "limit": limit}))

    def rows(self, case_ids: Iterable[int]) -> dict[int, CaseRow]:
        """Lines of the inbox by case_id."""
        return wire.load(dict[int, CaseRow], self._post("/cases/rows", {"case_ids": list(case_ids)}))

    def find(self, reference: str, queue: str | None = None) -> int:
        """The case_id behind a prediction's id."""
        return int(self._get("/cases/find", id=reference, queue=queue))

    def view(self, case_id: int) -> CaseView:
        """A case to look at, without a lease."""
        return self._seen(self._get(f"/cases/{case_id}"))

    def peek(self, queue: str | None, beside: int | None = None) -> CaseView | None:
        """The case that `claim` would give out now."""
        found = self._get("/next", queue=queue, beside=beside)
        return None if found is None else self._seen(found)

    def similar(self, case_id: int, limit: int = 5) -> list[SimilarCase]:
        """Cases near to this one."""
        return wire.load(list[SimilarCase], self._get(f"/cases/{case_id}/similar", limit=limit))

    def history(self, case_id: int) -> list[HistoryEntry]:
        """What was done with a case, newest first."""
        return wire.load(list[HistoryEntry], self._get(f"/cases/{case_id}/history"))

    def summary(self, since: int) -> SessionSummary:
        """What this person did since a moment."""
        return wire.load(SessionSummary, self._get("/summary", since=since))

    def sealed_fields(self, case_id: int) -> tuple[str, ...]:
        """The withheld fields of a case that officers can see again."""
        return wire.load(tuple[str, ...], self._get(f"/cases/{case_id}/sealed"))

    # -- reviewing ------------------------------------------------------------------------------

    def claim(self, queue: str | None = None) -> Claim:
        """Leases the most urgent case; first of all one that was leased to this terminal with an answer that got
        lost."""
        self._send_first("claimed")
        found = self._unheard(queue) if self._answers_lost else None
        if found is not None:
            return found
        try:
            return self._claimed(self._post("/claims", {"queue": queue}))
        except Away:
            self._answers_lost = True
            raise

    def _unheard(self, queue: str | None) -> Claim | None:
        """A case that this terminal holds and never heard of."""
        for case_id in self.ids(Filter(queue=queue, state="leased", holder=self._person)):
            if case_id not in self._heard_of:
                # This person's other terminals have cases too: those are refused.
                with contextlib.suppress(Refused, NothingToDo):
                    return self.claim_case(case_id)
        self._answers_lost = False
        return None

    def claim_case(self, case_id: int, take_over: bool = False) -> Claim:
        """Leases one case."""
        self._send_first("claimed")
        return self._claimed(self._post(f"/cases/{case_id}/claim", {"take_over": take_over}))

    def held_lease(self, case_id: int) -> Lease:
        """The lease that this person has on a case."""
        return wire.load(Lease, self._get(f"/cases/{case_id}/lease"))

    def extend(self, lease: Lease) -> Lease:
        """More time for a lease."""
        return wire.load(Lease, self._post(f"/cases/{lease.case_id}/extend", {"token": lease.token}))

    def release(self, lease: Lease) -> None:
        """Gives a case back."""
        self._post(f"/cases/{lease.case_id}/release", {"token": lease.token})

    def judge(self, lease: Lease, label: str, confidence: int | None) -> CaseView:
        """Keeps a first judgement and shows the model's answer."""
        body = {"token": lease.token, "label": label, "confidence": confidence}
        return wire.load(CaseView, self._post(f"/cases/{lease.case_id}/judge", body))

    def undo(self, case_id: int | None = None) -> Claim:
        """Takes back one's newest decision, or that of one case."""
        self._send_first("taken back")
        return self._claimed(self._post("/undo", {"case_id": case_id}))

    def take_over(self, case_id: int, reason: str) -> Claim:
        """Takes a case that somebody else holds."""
        claim = super().take_over(case_id, reason)
        self._remember(claim)
        return claim

    def skip(self, lease: Lease) -> None:
        """Gives a case back and does not offer it to this person again."""
        self._post(f"/cases/{lease.case_id}/skip", {"token": lease.token})

    def unskip(self, queue: str | None = None) -> int:
        """Offers skipped cases again; returns how many."""
        return int(self._post("/unskip", {"queue": queue}))

    def defer(self, lease: Lease, minutes: float) -> None:
        """Takes a case out of the queue for a while."""
        self._post(f"/cases/{lease.case_id}/defer", {"token": lease.token, "minutes": minutes})

    def flag(self, case_id: int, note: str) -> None:
        """Leaves a note for the lead."""
        self._post(f"/cases/{case_id}/flag", {"note": note})

    def park(self, lease: Lease, reason: str) -> None:
        """Sets a case aside until somebody puts it back."""
        self._post(f"/cases/{lease.case_id}/park", {"token": lease.token, "reason": reason})

    def unpark(self, case_id: int) -> None:
        """Puts a parked or deferred case back."""
        self._post(f"/cases/{case_id}/unpark", None)

    def report_leak(self, case_id: int, text: str) -> None:
        """Masks a text in every copy of the case that this person may change; the rest goes to a lead."""
        self._post(f"/cases/{case_id}/leaks", {"text": text})

    # -- sealed values --------------------------------------------------------------------------

    def ask_reveal(self, case_id: int, fields: Sequence[str], reason: str) -> RevealRequest:
        """Asks to see withheld fields."""
        body = {"case_id": case_id, "fields": list(fields), "reason": reason}
        return wire.load(RevealRequest, self._post("/reveals", body))

    def reveals(self, case_id: int | None = None) -> list[RevealRequest]:
        """Requests of the last 30 days, newest first."""
        return wire.load(list[RevealRequest], self._get("/reveals", case_id=case_id))

    def approval_challenge(self, reveal_id: int) -> tuple[str, bytes]:
        """What an approving officer has to open first."""
        found = self._get(f"/reveals/{reveal_id}/challenge")
        return str(found["key_id"]), base64.b64decode(found["sealed"])

    def approve_reveal(self, reveal_id: int, secret: bytes) -> RevealRequest:
        """Approves another officer's request."""
        body = {"secret": base64.b64encode(secret).decode()}
        return wire.load(RevealRequest, self._post(f"/reveals/{reveal_id}/approve", body))

    def decline_reveal(self, reveal_id: int) -> None:
        """Says no to a request."""
        self._post(f"/reveals/{reveal_id}/decline", None)

    def reveal_key(self, case_id: int) -> str:
        """The name of this person's key that opens the case's values."""
        return str(self._get(f"/cases/{case_id}/reveal-key"))

    def open_reveal(self, reveal_id: int) -> SealedAnswer:
        """Hands out an approved request's sealed values, once."""
        return wire.load_sealed(self._post(f"/reveals/{reveal_id}/open", None))

    # -- in short -------------------------------------------------------------------------------

    def _queue(self, name: str) -> tuple[QueuePolicy, Rubric]:
        if name not in self._queues:
            raise BadInput(f"There is no queue '{name}'. Queues: {', '.join(self._queues) or 'none'}.")
        return self._queues[name]

    def _seen(self, data: Any) -> CaseView:
        view = wire.load(CaseView, data)
        self._met(view.row)
        return view

    def _claimed(self, data: Any) -> Claim:
        claim = wire.load(Claim, data)
        self._remember(claim)
        return claim

    def _remember(self, claim: Claim) -> None:
        self._met(claim.view.row)
        self._heard_of.add(claim.lease.case_id)


def _kept_still(url: str, token: str) -> str:
    """What is kept here for a hub that does not let us in, as a sentence."""
    decisions, drafts = left_behind(url, token)
    kept = counted(decisions, drafts)
    if not kept:
        return ""
    are = "is" if decisions + drafts == 1 else "are"
    return f" {kept} that {are} not sent yet {are} kept here, and sent when secondlook opens and the hub answers."
