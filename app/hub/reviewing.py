"""Routes to review: claims, drafts, decisions, and what gives a case back."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from app.hub.asking import Body, Managing, Number, Reviewing, Text, Unparking, Word, answer, in_turn, lease_of, nothing
from app.model.case import CaseView, Claim, Decision, Draft, LeakReport, Lease, Receipt

router = APIRouter(tags=["review"])
Answers = dict[Annotated[str, Field(max_length=64)], Any]


class InQueue(Body):
    """A queue; left out: any."""

    queue: Word | None = None


class TakeOver(Body):
    """`take_over` moves one's own lease to this terminal."""

    take_over: bool = False


class Held(Body):
    """What one has a case with: the lease's token."""

    token: Number


class Judging(Held):
    """A first judgement."""

    label: Text
    confidence: Annotated[int, Field(ge=1, le=5)] | None = None


class Deferring(Held):
    """For how long."""

    minutes: Annotated[float, Field(gt=0, le=525_600)]


class Parking(Held):
    """Why."""

    reason: Text


class Drafted(Body):
    """Answers that are not submitted; `seconds` spent so far."""

    answers: Answers = {}
    seconds: float = 0.0


class Deciding(Body):
    """A decision. `decision_id` is made by the client: sent twice it counts once."""

    decision_id: Text
    case_id: Number
    lease_token: Number | None = None
    answers: Answers
    seconds: float = 0.0


class Undoing(Body):
    """Which case's decision; left out: one's newest."""

    case_id: Number | None = None


class Noting(Body):
    """A note for the lead."""

    note: Text


class Leak(Body):
    """A text that should not be seen."""

    text: Text


@router.post("/claims", response_model=Claim)
async def claim(request: Request, desk: Reviewing, wanted: InQueue) -> Response:
    """Leases the most urgent case."""
    return await in_turn(request, lambda: answer(Claim, desk.claim(wanted.queue)))


@router.post("/cases/{case_id}/claim", response_model=Claim)
def claim_case(desk: Reviewing, case_id: Number, how: TakeOver) -> Response:
    """Leases one case."""
    return answer(Claim, desk.claim_case(case_id, how.take_over))


@router.get("/cases/{case_id}/lease", response_model=Lease)
def held_lease(desk: Reviewing, case_id: Number) -> Response:
    """The lease that this person has on a case."""
    return answer(Lease, desk.held_lease(case_id))


@router.post("/cases/{case_id}/extend", response_model=Lease)
def extend(desk: Reviewing, case_id: Number, held: Held) -> Response:
    """More time for a lease."""
    return answer(Lease, desk.extend(lease_of(desk, case_id, held.token)))


@router.post("/cases/{case_id}/release", status_code=204)
def release(desk: Reviewing, case_id: Number, held: Held) -> Response:
    """Gives a case back."""
    desk.release(lease_of(desk, case_id, held.token))
    return nothing()


@router.post("/cases/{case_id}/judge", response_model=CaseView)
def judge(desk: Reviewing, case_id: Number, given: Judging) -> Response:
    """Keeps a first judgement and shows the model's answer."""
    return answer(CaseView, desk.judge(lease_of(desk, case_id, given.token), given.label, given.confidence))


@router.put("/cases/{case_id}/draft", status_code=204)
def save_draft(desk: Reviewing, case_id: Number, given: Drafted) -> Response:
    """Keeps answers that are not submitted; needs no lease."""
    desk.save_draft(case_id, Draft(given.answers, seconds=given.seconds))
    return nothing()


@router.post("/decisions", response_model=Receipt)
async def decide(request: Request, desk: Reviewing, given: Deciding) -> Response:
    """Settles a case."""
    made = Decision(given.decision_id, given.case_id, given.lease_token, given.answers, given.seconds)
    return await in_turn(request, lambda: answer(Receipt, desk.decide(made)))


@router.post("/undo", response_model=Claim)
def undo(desk: Reviewing, which: Undoing) -> Response:
    """Takes back one's newest decision, or that of one case, and leases the case again."""
    return answer(Claim, desk.undo(which.case_id))


@router.post("/cases/{case_id}/skip", status_code=204)
def skip(desk: Reviewing, case_id: Number, held: Held) -> Response:
    """Gives a case back and does not offer it to this person again."""
    desk.skip(lease_of(desk, case_id, held.token))
    return nothing()


@router.post("/unskip", response_model=int)
def unskip(desk: Reviewing, wanted: InQueue) -> Response:
    """Offers skipped cases again; how many."""
    return answer(int, desk.unskip(wanted.queue))


@router.post("/cases/{case_id}/defer", status_code=204)
def defer(desk: Reviewing, case_id: Number, given: Deferring) -> Response:
    """Takes a case out of the queue for a while."""
    desk.defer(lease_of(desk, case_id, given.token), given.minutes)
    return nothing()


@router.post("/cases/{case_id}/flag", status_code=204)
def flag(desk: Reviewing, case_id: Number, given: Noting) -> Response:
    """Leaves a note for the lead; the case stays as it is."""
    desk.flag(case_id, given.note)
    return nothing()


@router.post("/cases/{case_id}/park", status_code=204)
def park(desk: Reviewing, case_id: Number, given: Parking) -> Response:
    """Sets a case aside until somebody puts it back."""
    desk.park(lease_of(desk, case_id, given.token), given.reason)
    return nothing()


@router.post("/cases/{case_id}/unpark", status_code=204)
def unpark(desk: Unparking, case_id: Number) -> Response:
    """Puts a parked or deferred case back."""
    desk.unpark(case_id)
    return nothing()


@router.post("/cases/{case_id}/leaks", status_code=204)
def report_leak(desk: Reviewing, case_id: Number, leak: Leak) -> Response:
    """Masks a text that should not be seen in every copy of the case that this person may change; the rest goes to a
    lead. The answer is the same for both."""
    desk.report_leak(case_id, leak.text)
    return nothing()


@router.get("/leaks", response_model=list[LeakReport])
def leak_reports(desk: Managing) -> Response:
    """Reported leaks that wait for a lead."""
    return answer(list[LeakReport], desk.leak_reports())


@router.post("/cases/{case_id}/leaks/dismiss", status_code=204)
def dismiss_leaks(desk: Managing, case_id: Number) -> Response:
    """Forgets what was reported of a case: a lead has looked at it."""
    desk.dismiss_leaks(case_id)
    return nothing()
