"""A decision_id stands for one decision: sent again it gives the receipt, with other answers it is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest

from app.desk.protocol import Desk
from app.model.case import Claim
from app.model.errors import BadInput, Refused
from tests.contract.test_deciding import state
from tests.contract.worlds import POLICIES, RUBRICS, World, agreeing, decision, overturning

OTHER = "sent before with other answers"


def other_spellings(answers: dict[str, Any]) -> list[dict[str, Any]]:
    """The same answers as another client may write them."""
    as_floats = {name: float(value) if isinstance(value, int) else value for name, value in answers.items()}
    padded = {name: f" {value}\n" if name == "rationale" else value for name, value in answers.items()}
    return [
        orjson.loads(orjson.dumps(answers)),
        dict(reversed(answers.items())),
        as_floats,
        padded,
        {**answers, "reasons": answers["reasons"] * 2},
    ]


def test_the_same_answers_give_the_old_receipt(world: World, ada: Desk) -> None:
    claim = ada.claim("credit")
    answers = overturning(claim.view)
    sent = decision(claim, answers, "once", seconds=3.0)
    first = ada.decide(sent)
    before = state(world)
    for again in other_spellings(answers):
        assert ada.decide(replace(sent, answers=again, seconds=99.0)) == replace(first, repeated=True)
    assert state(world) == before


def changed(claim: Claim) -> list[dict[str, Any]]:
    """Answers that differ from overturning ones, each in another way."""
    answers = overturning(claim.view)
    fewer = {name: value for name, value in answers.items() if name != "reasons"}
    return [
        agreeing(claim.view),
        {**answers, "harm": 2},
        {**answers, "rationale": "Something else altogether is the reason."},
        {**answers, "label": "cannot tell"},
        {**answers, "reasons": []},
        {**answers, "harm": "no number"},
        {**answers, "no such criterion": 1},
        fewer,
        {},
    ]


def test_other_answers_are_refused_and_change_nothing(world: World, ada: Desk) -> None:
    claim = ada.claim("credit")
    sent = decision(claim, overturning(claim.view), "once")
    first = ada.decide(sent)
    before = state(world)
    for answers in changed(claim):
        with pytest.raises(BadInput, match=OTHER):
            ada.decide(replace(sent, answers=answers))
    assert state(world) == before
    assert ada.decide(sent) == replace(first, repeated=True)


def test_other_answers_are_refused_on_a_case_that_still_waits(world: World) -> None:
    reviews = POLICIES["credit"].reviews.model_copy(update={"independent": 2})
    ada = world.desk("ada", reviews=reviews)
    claim = ada.claim("credit")
    sent = decision(claim, overturning(claim.view), "once")
    ada.decide(sent)
    assert ada.decide(sent).repeated
    with pytest.raises(BadInput, match=OTHER):
        ada.decide(replace(sent, answers=agreeing(claim.view)))


def test_what_was_taken_back_and_what_is_another_case_stay_refused(ada: Desk) -> None:
    claim, other = ada.claim("credit"), ada.claim("credit")
    sent = decision(claim, overturning(claim.view), "once")
    ada.decide(sent)
    with pytest.raises(BadInput, match="another decision"):
        ada.decide(decision(other, sent.answers, "once"))
    ada.undo(claim.lease.case_id)
    with pytest.raises(Refused, match="taken back"):
        ada.decide(replace(sent, answers=agreeing(claim.view)))


def test_a_repetition_is_read_under_the_rubric_of_its_time(world: World, ada: Desk) -> None:
    claim = ada.claim("credit")
    sent = decision(claim, overturning(claim.view), "once")
    ada.decide(sent)
    old = RUBRICS["credit"]
    asked = [c.model_copy(update={"min_length": 500} if c.id == "rationale" else {}) for c in old.criteria]
    newer = old.model_copy(update={"version": "99", "criteria": asked})
    later = world.desk("ada", "later", rubrics={**RUBRICS, "credit": newer})
    assert later.decide(sent).repeated
    with pytest.raises(BadInput, match=OTHER):
        later.decide(replace(sent, answers=agreeing(claim.view)))
