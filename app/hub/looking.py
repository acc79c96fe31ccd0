"""Routes to look: queues, lists, cases."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import Field
from pydantic.dataclasses import dataclass
from starlette.responses import Response

from app.hub.asking import Body, Looking, Number, Word, allowed, answer
from app.hub.hub import Identity
from app.model.case import (
    CaseRow,
    CaseView,
    ConnectionStatus,
    Filter,
    HistoryEntry,
    QueueOutcome,
    QueueStatus,
    SessionSummary,
    SimilarCase,
)
from app.model.policy import QueuePolicy
from app.model.rubric import Rubric
from app.model.words import Severity, Stage, State

router = APIRouter(tags=["look"])
_MOST_ROWS = 1000


@dataclass
class Me:
    """Who is signed in."""

    person: str
    roles: list[str]


@dataclass
class Queue:
    """A queue as its reviewers know it."""

    name: str
    policy: QueuePolicy
    rubric: Rubric


class Wanted(Body):
    """Which cases to list; what is left out means any."""

    queue: Word | None = None
    state: State | None = None
    severity: Severity | None = None
    flag: Word | None = None
    holder: Word | None = None
    text: Annotated[str, Field(max_length=1000)] = ""
    stage: Stage | None = None
    overdue: bool = False
    noted: bool = False
    limit: Annotated[int, Query(ge=1, le=10_000_000)] | None = None


class Which(Body):
    """Cases by number."""

    case_ids: list[Number]


@router.get("/me", response_model=Me)
def me(who: Annotated[Identity, Depends(allowed("look"))]) -> Response:
    """Who is signed in."""
    return answer(Me, Me(who.person, list(who.roles)))


@router.get("/queues", response_model=list[Queue])
def queues(desk: Looking) -> Response:
    """The queues this person may work on, with policies and rubrics."""
    return answer(list[Queue], [Queue(name, desk.policy(name), desk.rubric(name)) for name in desk.queues])


@router.get("/backlog", response_model=list[QueueStatus])
def backlog(desk: Looking) -> Response:
    """Every queue's backlog."""
    return answer(list[QueueStatus], desk.backlog())


@router.get("/outcomes", response_model=list[QueueOutcome])
def outcomes(desk: Looking) -> Response:
    """What the settled cases of each queue came to."""
    return answer(list[QueueOutcome], desk.outcomes())


@router.get("/connections", response_model=list[ConnectionStatus])
def connections(desk: Looking) -> Response:
    """How sources and sinks are doing."""
    return answer(list[ConnectionStatus], desk.connections())


@router.get("/summary", response_model=SessionSummary)
def summary(desk: Looking, since: Annotated[int, Query(ge=0, lt=2**63)] = 0) -> Response:
    """What this person did since a moment (milliseconds since 1970)."""
    return answer(SessionSummary, desk.summary(since))


@router.post("/cases/search", response_model=list[int])
def search(desk: Looking, wanted: Wanted) -> Response:
    """Numbers of cases that match, the most urgent first; with a text, the best matches first."""
    given = wanted.model_dump(exclude={"limit"})
    return answer(list[int], list(desk.ids(Filter(**given), wanted.limit)))


@router.post("/cases/rows", response_model=dict[int, CaseRow])
def rows(desk: Looking, which: Which) -> Response:
    """Lines of the inbox; unknown numbers are left out, and of a long list the rest."""
    return answer(dict[int, CaseRow], desk.rows(which.case_ids[:_MOST_ROWS]))


@router.get("/cases/find", response_model=int)
def find(
    desk: Looking, reference: Annotated[str, Query(alias="id", max_length=1000)], queue: Word | None = None
) -> Response:
    """The number of the case behind a prediction's id."""
    return answer(int, desk.find(reference, queue))


@router.get("/next", response_model=CaseView | None)
def peek(
    desk: Looking, queue: Word | None = None, beside: Annotated[int | None, Query(ge=0, lt=2**63)] = None
) -> Response:
    """The case that a claim would give out now; nothing is leased."""
    return answer(CaseView | None, desk.peek(queue, beside))


@router.get("/cases/{case_id}", response_model=CaseView)
def view(desk: Looking, case_id: Number) -> Response:
    """A case to look at, without a lease."""
    return answer(CaseView, desk.view(case_id))


@router.get("/cases/{case_id}/similar", response_model=list[SimilarCase])
def similar(desk: Looking, case_id: Number, limit: Annotated[int, Query(ge=1, le=50)] = 5) -> Response:
    """Cases near to this one, among them the nearest with another predicted label."""
    return answer(list[SimilarCase], desk.similar(case_id, limit))


@router.get("/cases/{case_id}/history", response_model=list[HistoryEntry])
def history(desk: Looking, case_id: Number) -> Response:
    """What was done with a case, newest first."""
    return answer(list[HistoryEntry], desk.history(case_id))


@router.get("/cases/{case_id}/sealed", response_model=list[str])
def sealed(desk: Looking, case_id: Number) -> Response:
    """The withheld fields of a case that officers can see again."""
    return answer(list[str], list(desk.sealed_fields(case_id)))
