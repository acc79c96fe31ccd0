"""`RemoteDesk`: the desk through the hub."""

from __future__ import annotations

import base64
import math
import uuid
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from app.desk import wire
from app.http import Answer, Http
from app.model.case import (
    CaseRow,
    CaseView,
    Claim,
    ConnectionStatus,
    Decision,
    Draft,
    Filter,
    HistoryEntry,
    Lease,
    QueueOutcome,
    QueueStatus,
    Receipt,
    SessionSummary,
    SimilarCase,
)
from app.model.errors import BadInput, Refused, Unavailable
from app.model.policy import QueuePolicy
from app.model.reveal import RevealRequest, SealedAnswer
from app.model.rubric import Rubric

SESSION_HEADER = "secondlook-session"
_SECONDS = 20.0


class RemoteDesk:
    """One person's window on the cases behind a hub. Safe to use from several threads."""

    def __init__(self, url: str, token: str, session: str = "") -> None:
        """`url`: the hub's address, https unless it is this machine. Raises SettingsError for another address,
        Refused for a token that is not valid, Unavailable where nobody answers."""
        headers = {"authorization": f"Bearer {token}", SESSION_HEADER: session or uuid.uuid4().hex}
        self._http = Http(url, headers=headers, timeout=_SECONDS)
        self._queues: dict[str, tuple[QueuePolicy, Rubric]] = {}
        try:
            self._person = str(self._get("/me")["person"])
            for queue in self._get("/queues"):
                found = wire.load(QueuePolicy, queue["policy"]), wire.load(Rubric, queue["rubric"])
                self._queues[queue["name"]] = found
        except BaseException:
            self._http.close()
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
        return wire.load(CaseView, self._get(f"/cases/{case_id}"))

    def peek(self, queue: str | None, beside: int | None = None) -> CaseView | None:
        """The case that `claim` would give out now."""
        found = self._get("/next", queue=queue, beside=beside)
        return None if found is None else wire.load(CaseView, found)

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
        """Leases the most urgent case."""
        return wire.load(Claim, self._post("/claims", {"queue": queue}))

    def claim_case(self, case_id: int, take_over: bool = False) -> Claim:
        """Leases one case."""
        return wire.load(Claim, self._post(f"/cases/{case_id}/claim", {"take_over": take_over}))

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

    def save_draft(self, case_id: int, draft: Draft) -> None:
        """Keeps answers that are not submitted."""
        body = {"answers": dict(draft.answers), "seconds": _finite(draft.seconds)}
        self._ask("PUT", f"/cases/{case_id}/draft", json=body)

    def decide(self, decision: Decision) -> Receipt:
        """Settles a case."""
        body = {**asdict(decision), "seconds": _finite(decision.seconds)}
        return wire.load(Receipt, self._post("/decisions", body))

    def undo(self, case_id: int | None = None) -> Claim:
        """Takes back one's newest decision, or that of one case."""
        return wire.load(Claim, self._post("/undo", {"case_id": case_id}))

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

    def report_leak(self, case_id: int, text: str) -> int:
        """Masks a text in every copy of the case; returns in how many places."""
        return int(self._post(f"/cases/{case_id}/leaks", {"text": text}))

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

    def close(self) -> None:
        """Closes all connections."""
        self._http.close()

    # -- asking ---------------------------------------------------------------------------------

    def _queue(self, name: str) -> tuple[QueuePolicy, Rubric]:
        if name not in self._queues:
            raise BadInput(f"There is no queue '{name}'. Queues: {', '.join(self._queues) or 'none'}.")
        return self._queues[name]

    def _get(self, path: str, **query: Any) -> Any:
        given = {name: value for name, value in query.items() if value is not None}
        return self._ask("GET", path, params=given)

    def _post(self, path: str, body: Any) -> Any:
        return self._ask("POST", path, json=body)

    def _ask(self, method: str, path: str, **more: Any) -> Any:
        answer = self._http.request(method, f"/v1{path}", **more)
        if answer.status in (200, 201):
            return answer.json()
        if answer.status == 204:
            return None
        raise _error(answer)


def _finite(seconds: float) -> float:
    """JSON knows no NaN and no infinity; such a time is none."""
    return seconds if math.isfinite(seconds) else 0.0


def _error(answer: Answer) -> Exception:
    if answer.status == 401:
        return Refused("The hub does not know this token, or not any more. `secondlook login` signs in anew.")
    if not answer.headers.get("content-type", "").startswith("application/problem+json"):
        return Unavailable(f"{answer.where} answered {answer.status}, and not as a hub does. Check the address.")
    return wire.error_of(answer.json())
