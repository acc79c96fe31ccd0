"""Drafts: what was answered and not submitted outlives everything but the decision."""

from __future__ import annotations

import pytest

from app.desk.protocol import Desk
from app.model.case import Draft
from app.model.errors import RubricError
from app.model.rubric import Rubric
from tests.contract.worlds import RUBRICS, World, decide

HALF = {"support": "partly", "rationale": "Überlegung: 半分 — “quoted”"}


def test_a_draft_survives_release_expiry_takeover_and_a_crash(world: World, ada: Desk) -> None:
    claim = ada.claim("credit")
    case_id = claim.lease.case_id
    assert (claim.draft.answers, claim.draft.seconds) == ({}, 0.0)
    ada.save_draft(case_id, Draft(HALF, seconds=12.5))

    ada.release(claim.lease)
    again = ada.claim_case(case_id)
    assert (again.draft.answers, again.draft.seconds) == (HALF, 12.5)

    world.clock.now = again.lease.until
    assert ada.claim_case(case_id).draft.answers == HALF

    second = world.desk("ada", session="second")
    assert second.claim_case(case_id, take_over=True).draft.answers == HALF

    after_crash = world.desk("ada", session="third")
    assert after_crash.claim_case(case_id, take_over=True).draft.answers == HALF


def test_the_last_draft_counts(ada: Desk) -> None:
    case_id = ada.claim("credit").lease.case_id
    for answers in ({"support": "partly"}, {"support": "supported"}, {}):
        ada.save_draft(case_id, Draft(answers))
    assert ada.claim_case(case_id).draft.answers == {}
    assert ada.summary(0).drafts == 1


def test_a_draft_belongs_to_its_author(world: World, ada: Desk, ben: Desk) -> None:
    claim = ada.claim("credit")
    ada.save_draft(claim.lease.case_id, Draft(HALF))
    ada.release(claim.lease)
    assert ben.claim_case(claim.lease.case_id).draft.answers == {}
    assert (ada.summary(0).drafts, ben.summary(0).drafts) == (1, 0)


def test_a_draft_needs_no_lease(world: World, ada: Desk) -> None:
    claim = ada.claim("credit")
    world.clock.now = claim.lease.until
    ada.save_draft(claim.lease.case_id, Draft(HALF))
    assert ada.claim_case(claim.lease.case_id).draft.answers == HALF


def test_a_draft_belongs_to_its_version_of_the_rubric(world: World, ada: Desk) -> None:
    claim = ada.claim("credit")
    case_id = claim.lease.case_id
    ada.save_draft(case_id, Draft(HALF))
    reworded = Rubric.model_validate({**RUBRICS["credit"].model_dump(), "guidance": "Read it twice."})
    newer = world.desk("ada", rubrics={**RUBRICS, "credit": reworded})
    assert newer.rubric("credit").hash != ada.rubric("credit").hash
    assert newer.claim_case(case_id).draft.answers == {}
    newer.save_draft(case_id, Draft({"support": "supported"}))
    assert newer.claim_case(case_id).draft.answers == {"support": "supported"}
    assert ada.claim_case(case_id).draft.answers == HALF


def test_a_decision_uses_up_the_draft(ada: Desk) -> None:
    claim = ada.claim("credit")
    ada.save_draft(claim.lease.case_id, Draft(HALF))
    assert ada.summary(0).drafts == 1
    decide(ada, claim)
    assert ada.summary(0).drafts == 0


def test_a_refused_decision_keeps_the_draft(ada: Desk) -> None:
    claim = ada.claim("credit")
    ada.save_draft(claim.lease.case_id, Draft(HALF))
    with pytest.raises(RubricError):
        decide(ada, claim, {"support": "partly"})
    assert ada.claim_case(claim.lease.case_id).draft.answers == HALF
