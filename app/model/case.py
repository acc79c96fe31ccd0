"""What crosses the Desk: cases, leases, drafts, decisions and what comes back.

Times are integers, milliseconds since 1970 UTC. Nothing in here carries a raw sensitive value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import computed_field

from app.model.explanation_warning import ExplanationWarning
from app.model.prediction import Prediction
from app.model.rubric import Rubric, Verdict
from app.model.words import Severity, Stage, State


@dataclass(frozen=True, slots=True)
class CaseRow:
    """One line of the inbox. `id` is the prediction's own id, `case_id` ours.

    Where the queue asks for a first judgement and the person has not given one, `flag` is empty, `severity` None and
    `priority` 0, and `admitted_at` is told to the hour.
    `wake_at` is when a lease or a deferral ends.
    """

    case_id: int
    id: str
    revision: int
    queue: str
    state: State
    severity: Severity | None
    priority: int
    due_at: int
    admitted_at: int
    flag: str
    title: str
    holder: str | None
    wake_at: int | None
    verdict: Verdict | None
    note: str | None = None
    stage: Stage = "review"


@dataclass(frozen=True, slots=True)
class Filter:
    """Which cases to list; None means any. `text` is searched, the rest must be equal. `overdue`: those that should
    have been decided by now, the latest first. With a `severity` or a `flag` there are none of queues that are judged
    first. `noted`: those with a note for the lead that no lead has marked as seen, the oldest note first; only leads
    get any."""

    queue: str | None = None
    state: State | None = None
    severity: Severity | None = None
    flag: str | None = None
    holder: str | None = None
    text: str = ""
    stage: Stage | None = None
    overdue: bool = False
    noted: bool = False


@dataclass(frozen=True, slots=True)
class Note:
    """What somebody wrote about a case without deciding it. `kind`: flag, park, escalate, conflict or assign; `seen`:
    a lead has marked the case's notes as seen since."""

    person: str
    kind: str
    text: str
    at: int
    seen: bool = False


@dataclass(frozen=True, slots=True)
class Lease:
    """One person's right to decide one case until `until`; `token` only grows (a fence)."""

    case_id: int
    token: int
    person: str
    session: str
    until: int


@dataclass(frozen=True, slots=True)
class Judgement:
    """A first judgement, given before the model's answer was shown. `confidence` is 1–5, None if not asked."""

    label: str
    confidence: int | None
    at: int


@dataclass(frozen=True, slots=True)
class Draft:
    """Answers not yet submitted. `seconds` is the time spent so far, without pauses."""

    answers: Mapping[str, Any] = field(default_factory=dict)
    judgement: Judgement | None = None
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class CaseView:
    """A case as this person may see it now.

    While `hidden`, the model's output, flags and explanations are not in `prediction`. `masked_after`: when a reported
    leak was masked in it, if that was after its reviews. `warnings` say what is wrong with its explanations; worked out
    when asked for, so that a claim does not wait for it.
    """

    row: CaseRow
    prediction: Prediction
    rubric: Rubric
    hidden: bool
    masked_after: int | None = None

    @computed_field  # type: ignore[prop-decorator]
    @property
    def warnings(self) -> tuple[ExplanationWarning, ...]:
        """What is wrong with the explanations; none while they are hidden."""
        from app.model.explanation_checks import warnings_of

        return () if self.hidden else warnings_of(self.prediction)


@dataclass(frozen=True, slots=True)
class Claim:
    """A case handed to a person, with the lease and what was drafted before."""

    lease: Lease
    view: CaseView
    draft: Draft


@dataclass(frozen=True, slots=True)
class Decision:
    """A person's answers for one case. `decision_id` is made by the client: a retry is harmless."""

    decision_id: str
    case_id: int
    lease_token: int | None
    answers: Mapping[str, Any]
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a decision did. `moved` says whether the label left the first judgement.

    Not `sent`: it is kept on this machine until the hub answers; the verdict is `kept`, all else unknown.
    """

    decision_id: str
    case_id: int
    id: str
    verdict: Verdict | Literal["kept"]
    label: str | None
    moved: bool | None
    undo_until: int
    repeated: bool = False
    sent: bool = True


@dataclass(frozen=True, slots=True)
class NotTaken:
    """What was kept on this machine and the hub will not take, or what cannot be read any more, and why."""

    case_id: int | None
    id: str
    why: str


@dataclass(frozen=True, slots=True)
class Unsent:
    """What is kept on this machine until the hub takes it.

    `since`: when the hub stopped to answer (`reachable` is false then), or to know the token (`signed_out`).
    `sent`: how many kept things it took since the desk was opened.
    """

    decisions: int = 0
    drafts: int = 0
    refused: tuple[NotTaken, ...] = ()
    since: int | None = None
    reachable: bool = True
    signed_out: bool = False
    sent: int = 0


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One line of a case's history."""

    at: int
    actor: str
    action: str
    detail: str


@dataclass(frozen=True, slots=True)
class LeakReport:
    """A text that a person reported as a leak, and that waits for a lead."""

    case_id: int
    id: str
    queue: str
    person: str
    text: str
    at: int


@dataclass(frozen=True, slots=True)
class PeerReview:
    """One of several independent reviews, as an adjudicator sees it. `name` is the reviewer's, or `reviewer 1`, … where
    names are not shown, and `seconds` is None then; `adjudicated`: it is the adjudicator's own."""

    name: str
    verdict: Verdict
    label: str | None
    correction: str | None
    answers: Mapping[str, Any]
    judged_label: str | None
    seconds: float | None
    adjudicated: bool = False


@dataclass(frozen=True, slots=True)
class Peers:
    """What several people said of a case, in no telling order. `escalated`: why reviewers gave it to an adjudicator."""

    reviews: tuple[PeerReview, ...] = ()
    escalated: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Quality:
    """How a person's decisions compare: how many were compared, how many were the same, and the share's 95 % Wilson
    interval.

    `gold`: with trusted outcomes; `again`: with one's own earlier decision of the same case; `peers`: with independent
    reviews by others. Same is the same verdict and label. Raw agreement, which chance alone makes larger than 0.
    """

    person: str
    gold: int
    gold_same: int
    gold_interval: tuple[float, float]
    again: int
    again_same: int
    again_interval: tuple[float, float]
    peers: int
    peers_same: int
    peers_interval: tuple[float, float]


@dataclass(frozen=True, slots=True)
class PersonStatus:
    """What somebody has on their hands. `decided` within 24 hours; `daily`, `holding`: caps, None without;
    `held`: case_id, id and end of each lease."""

    person: str
    tags: tuple[str, ...]
    daily: int | None
    holding: int | None
    decided: int
    held: tuple[tuple[int, str, int], ...]


@dataclass(frozen=True, slots=True)
class Ageing:
    """A queue's waiting cases of one severity: how many came in within the last hour, 8 hours, day, 3 days, or before
    (each counted once), and how many should have been decided by now. Without a severity: all of a queue that is
    judged first."""

    queue: str
    severity: Severity | None
    hour: int
    shift: int
    day: int
    days: int
    older: int
    overdue: int


@dataclass(frozen=True, slots=True)
class PausedQueue:
    """A queue that gives out no cases since a moment, by whose word, and why."""

    queue: str
    person: str
    reason: str
    at: int


@dataclass(frozen=True, slots=True)
class Difference:
    """A field in which a similar case differs."""

    name: str
    here: str
    there: str


@dataclass(frozen=True, slots=True)
class SimilarCase:
    """A case near to this one. `likeness` is in [0, 1], 1 is equal.

    `role`: `same` or `opposite` predicted label; None while the model's answer is hidden.
    """

    case_id: int
    id: str
    likeness: float
    role: Literal["same", "opposite"] | None
    label: str | None
    verdict: Verdict | None
    excerpt: str
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class QueueStatus:
    """A queue's backlog. `oldest_at` is the admission of its oldest open case."""

    queue: str
    title: str
    open: int
    leased: int
    deferred: int
    parked: int
    settled: int
    overdue: int
    oldest_at: int | None


@dataclass(frozen=True, slots=True)
class QueueOutcome:
    """What a queue's settled cases came to. `rate`: overturned or corrected among those with a label;
    `interval`: its 95 % Wilson interval. Flagged cases are no sample of all predictions."""

    queue: str
    verdicts: Mapping[str, int]
    rate: float
    interval: tuple[float, float]
    mean_seconds: float


@dataclass(frozen=True, slots=True)
class SessionSummary:
    """What one person did since a moment. `median_seconds` is active time per case."""

    decided: int
    undone: int
    overturned: int
    skipped: int
    deferred: int
    median_seconds: float | None
    drafts: int


@dataclass(frozen=True, slots=True)
class ConnectionStatus:
    """How a source (`direction` in) or a sink (out) is doing. `state`: ok, failing, stopped, `since` a moment.

    `items` came or went through it; `waiting` are at the source, or to be sent; `dead` were given up.
    """

    name: str
    direction: Literal["in", "out"]
    state: str
    since: int
    error: str
    items: int
    waiting: int | None
    dead: int = 0
