"""The Desk: everything that a screen or the line mode may ask.

Nothing that crosses it holds a raw sensitive value: what a reveal hands out is sealed to the officer
who asked. All methods may block: screens call them in thread workers. They raise only errors of
`app.model.errors`.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from app.model.case import (
    Ageing,
    CaseRow,
    CaseView,
    Claim,
    ConnectionStatus,
    Decision,
    Draft,
    Filter,
    HistoryEntry,
    LeakReport,
    Lease,
    Note,
    PausedQueue,
    Peers,
    PersonStatus,
    Quality,
    QueueOutcome,
    QueueStatus,
    Receipt,
    SessionSummary,
    SimilarCase,
    Unsent,
)
from app.model.policy import QueuePolicy
from app.model.reveal import RevealRequest, SealedAnswer
from app.model.rubric import Rubric


class Desk(Protocol):
    """One person's window on the cases."""

    @property
    def person(self) -> str:
        """Who works here."""

    @property
    def queues(self) -> tuple[str, ...]:
        """The queues this person may work on."""

    def policy(self, queue: str) -> QueuePolicy:
        """A queue's policy."""

    def rubric(self, queue: str) -> Rubric:
        """A queue's current rubric."""

    def backlog(self) -> list[QueueStatus]:
        """Every queue's backlog."""

    def ageing(self) -> list[Ageing]:
        """What waits, by queue, severity and age."""

    def outcomes(self) -> list[QueueOutcome]:
        """What the settled cases of each queue came to."""

    def connections(self) -> list[ConnectionStatus]:
        """How the sources and sinks are doing that were used so far."""

    def ids(self, wanted: Filter, limit: int | None = None) -> array[int]:
        """case_ids that match, by priority, due time, age. With a text: the best matches first."""

    def rows(self, case_ids: Iterable[int]) -> dict[int, CaseRow]:
        """Lines of the inbox by case_id; unknown ids are left out."""

    def find(self, reference: str, queue: str | None = None) -> int:
        """The case_id behind a prediction's id. Raises BadInput where none or several are meant."""

    def view(self, case_id: int) -> CaseView:
        """A case to look at, without a lease."""

    def peek(self, queue: str | None, beside: int | None = None) -> CaseView | None:
        """The case that `claim` would give out now, leaving `beside` aside; nothing is leased."""

    def claim(self, queue: str | None = None) -> Claim:
        """Leases the most urgent case. Raises NothingToDo saying why there is none."""

    def claim_case(self, case_id: int, take_over: bool = False) -> Claim:
        """Leases one case. Raises Refused naming who has it; `take_over` moves one's own lease here."""

    def held_lease(self, case_id: int) -> Lease:
        """The lease that this person has on a case. Raises LeaseLost where there is none."""

    def extend(self, lease: Lease) -> Lease:
        """More time for a lease. Raises LeaseLost where it is over."""

    def release(self, lease: Lease) -> None:
        """Gives a case back."""

    def judge(self, lease: Lease, label: str, confidence: int | None) -> CaseView:
        """Keeps a first judgement (confidence 1–5, None if it was not asked) and shows the model's answer."""

    def save_draft(self, case_id: int, draft: Draft) -> None:
        """Keeps answers that are not submitted; needs no lease. While the hub is away they are kept here."""

    def decide(self, decision: Decision) -> Receipt:
        """Settles a case. Raises RubricError or LeaseLost; a repeated decision_id is harmless. While the hub is away
        the decision is kept here, and the receipt is not `sent`."""

    def undo(self, case_id: int | None = None) -> Claim:
        """Takes back one's newest decision (or that of one case) and leases the case again."""

    def skip(self, lease: Lease) -> None:
        """Gives a case back and does not offer it to this person again."""

    def unskip(self, queue: str | None = None) -> int:
        """Offers skipped cases again; returns how many."""

    def defer(self, lease: Lease, minutes: float) -> None:
        """Takes a case out of the queue for a while."""

    def flag(self, case_id: int, note: str) -> None:
        """Leaves a note for the lead; the case stays as it is."""

    def park(self, lease: Lease, reason: str) -> None:
        """Sets a case aside until somebody puts it back."""

    def unpark(self, case_id: int) -> None:
        """Puts a parked or deferred case back."""

    def escalate(self, lease: Lease, reason: str) -> None:
        """Gives a case to an adjudicator."""

    def recuse(self, lease: Lease, reason: str) -> None:
        """Declares a conflict of interest: the case goes to somebody else, for good."""

    def peers(self, case_id: int) -> Peers:
        """What several people said of a case: for its adjudicator, and for everybody once it is settled."""

    def notes(self, case_id: int) -> list[Note]:
        """What people wrote about a case, newest first: for leads all, for everybody else their own, and once the case
        is settled those of peers."""

    def mark_seen(self, case_id: int) -> None:
        """Takes a case off the list of those with notes for the lead. Raises Refused where this person is no lead."""

    def quality(self) -> list[Quality]:
        """How decisions compare: this person's, for a lead everybody's."""

    def people(self) -> list[PersonStatus]:
        """Who works here and what they have on their hands. Raises Refused where this person is no lead; so do the
        acts below."""

    def take_over(self, case_id: int, reason: str) -> Claim:
        """Takes a case that somebody else holds."""

    def assign(self, case_id: int, person: str | None, reason: str) -> None:
        """Keeps a case for one person, or for nobody in particular; whoever holds it loses it."""

    def pause(self, queue: str, reason: str) -> None:
        """Gives out no more cases of a queue; who holds one may finish it."""

    def resume(self, queue: str) -> None:
        """Gives out cases of a paused queue again."""

    def paused(self) -> list[PausedQueue]:
        """The queues that give out no cases now; anybody may ask."""

    def trust(self, case_id: int, trusted: bool = True) -> None:
        """Says that a settled case's outcome is right, or takes that back: it may measure reviewers."""

    def similar(self, case_id: int, limit: int = 5) -> list[SimilarCase]:
        """Cases near to this one, among them the nearest with another predicted label."""

    def history(self, case_id: int) -> list[HistoryEntry]:
        """What was done with a case, newest first."""

    def summary(self, since: int) -> SessionSummary:
        """What this person did since a moment."""

    def report_leak(self, case_id: int, text: str) -> None:
        """Masks a text that should not be seen in every copy of the case that this person may change; the rest goes to
        a lead. Raises BadInput where it does not stand in what they see."""

    def leak_reports(self) -> list[LeakReport]:
        """Reported leaks that wait for a lead. Raises Refused where this person is no lead; so does the next act."""

    def dismiss_leaks(self, case_id: int) -> None:
        """Forgets what was reported of a case."""

    def sealed_fields(self, case_id: int) -> tuple[str, ...]:
        """The withheld fields of a case that officers can see again."""

    def ask_reveal(self, case_id: int, fields: Sequence[str], reason: str) -> RevealRequest:
        """Asks to see withheld fields. Raises Refused where this person is no officer."""

    def reveals(self, case_id: int | None = None) -> list[RevealRequest]:
        """Requests of the last 30 days, newest first."""

    def approval_challenge(self, reveal_id: int) -> tuple[str, bytes]:
        """What an approving officer has to open first: the name of their key, and a secret sealed to it."""

    def approve_reveal(self, reveal_id: int, secret: bytes) -> RevealRequest:
        """Approves another officer's request; `secret` is what the challenge held."""

    def decline_reveal(self, reveal_id: int) -> None:
        """Says no to a request."""

    def reveal_key(self, case_id: int) -> str:
        """The name of this person's key that opens the case's values."""

    def open_reveal(self, reveal_id: int) -> SealedAnswer:
        """Hands out an approved request's sealed values, once; the intent is in the log before."""

    def unsent(self) -> Unsent:
        """What is kept on this machine until the hub takes it; never waits. Without a hub nothing ever is."""

    def watch_unsent(self, changed: Callable[[], None]) -> None:
        """Calls `changed`, in some thread, whenever `unsent` answers something else."""

    def seen_refused(self) -> None:
        """The person was told what the hub would not take; it is not told again."""

    def close(self) -> None:
        """Lets go of everything that is open."""
