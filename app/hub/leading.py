"""Routes for work that several people share: what they said, escalation, and a lead's acts."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from app.hub.asking import Body, Looking, Managing, Number, Reviewing, Text, Word, answer, lease_of, nothing
from app.model.case import Ageing, Claim, Note, PausedQueue, Peers, PersonStatus, Quality

router = APIRouter(tags=["team"])


class Escalating(Body):
    """What one has a case with, and why somebody else should have it."""

    token: Number
    reason: Text


class Reason(Body):
    """Why."""

    reason: Text


class Assigning(Body):
    """To whom (left out: to nobody in particular), and why."""

    person: Word | None = None
    reason: Text


class Trusting(Body):
    """Whether the outcome is trusted."""

    trusted: bool = True


@router.get("/ageing", response_model=list[Ageing])
def ageing(desk: Looking) -> Response:
    """What waits, by queue, severity and age."""
    return answer(list[Ageing], desk.ageing())


@router.post("/cases/{case_id}/escalate", status_code=204)
def escalate(desk: Reviewing, case_id: Number, given: Escalating) -> Response:
    """Gives a case to an adjudicator."""
    desk.escalate(lease_of(desk, case_id, given.token), given.reason)
    return nothing()


@router.post("/cases/{case_id}/recuse", status_code=204)
def recuse(desk: Reviewing, case_id: Number, given: Escalating) -> Response:
    """Declares a conflict of interest: the case goes to somebody else, for good."""
    desk.recuse(lease_of(desk, case_id, given.token), given.reason)
    return nothing()


@router.get("/cases/{case_id}/peers", response_model=Peers)
def peers(desk: Looking, case_id: Number) -> Response:
    """What several people said of a case: for its adjudicator, and for everybody once it is settled."""
    return answer(Peers, desk.peers(case_id))


@router.get("/cases/{case_id}/notes", response_model=list[Note])
def notes(desk: Looking, case_id: Number) -> Response:
    """What people wrote about a case: for leads all, for others their own, and those of peers once it is settled."""
    return answer(list[Note], desk.notes(case_id))


@router.post("/cases/{case_id}/seen", status_code=204)
def mark_seen(desk: Managing, case_id: Number) -> Response:
    """Takes a case off the list of those with notes for the lead."""
    desk.mark_seen(case_id)
    return nothing()


@router.get("/quality", response_model=list[Quality])
def quality(desk: Looking) -> Response:
    """How decisions compare with trusted outcomes, with one's own and with those of others; for a lead everybody's."""
    return answer(list[Quality], desk.quality())


@router.get("/people", response_model=list[PersonStatus])
def people(desk: Managing) -> Response:
    """Who works here and what they have on their hands."""
    return answer(list[PersonStatus], desk.people())


@router.post("/cases/{case_id}/take-over", response_model=Claim)
def take_over(desk: Managing, case_id: Number, given: Reason) -> Response:
    """Takes a case that somebody else holds."""
    return answer(Claim, desk.take_over(case_id, given.reason))


@router.post("/cases/{case_id}/assign", status_code=204)
def assign(desk: Managing, case_id: Number, given: Assigning) -> Response:
    """Keeps a case for one person, or for nobody in particular; whoever holds it loses it."""
    desk.assign(case_id, given.person, given.reason)
    return nothing()


@router.post("/cases/{case_id}/trust", status_code=204)
def trust(desk: Managing, case_id: Number, given: Trusting) -> Response:
    """Says that a settled case's outcome is right: it may measure reviewers."""
    desk.trust(case_id, given.trusted)
    return nothing()


@router.get("/paused", response_model=list[PausedQueue])
def paused(desk: Looking) -> Response:
    """The queues that give out no cases now."""
    return answer(list[PausedQueue], desk.paused())


@router.post("/queues/{queue}/pause", status_code=204)
def pause(desk: Managing, queue: Word, given: Reason) -> Response:
    """Gives out no more cases of a queue; who holds one may finish it."""
    desk.pause(queue, given.reason)
    return nothing()


@router.post("/queues/{queue}/resume", status_code=204)
def resume(desk: Managing, queue: Word) -> Response:
    """Gives out cases of a paused queue again."""
    desk.resume(queue)
    return nothing()
