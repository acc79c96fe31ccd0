"""Queues with a first judgement: before it, nothing the desk answers depends on the model's answer.

The strong form of the test is non-interference: two worlds that differ in nothing but what the model
said must answer alike until the person has judged.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from app.desk.protocol import Desk
from app.model.case import Decision, Draft, Filter
from app.model.errors import BadInput, Refused, SecondlookError
from tests.contract.worlds import WORLDS, StoreWorld, World, agreeing, decide, overturning, samples

PLANTED = "zzsecretzz"


@pytest.fixture
def blind(world: World) -> Desk:
    """Ada at a queue that is judged first."""
    return world.desk("ada", queues=("blind",))


def everything_seen(desk: Desk, case_id: int) -> list[Any]:
    """All that can be learned about a case without judging it."""
    row = desk.rows([case_id])[case_id]
    seen: list[Any] = [
        row,
        desk.view(case_id),
        desk.peek("blind"),
        desk.similar(case_id, 50),
        desk.history(case_id),
        desk.backlog(),
        desk.summary(0),
    ]
    words = ("decline", "approve", PLANTED, "proxy_suspected", "0.5565", "loan", "clinic")
    seen += [list(desk.ids(Filter(text=word))) for word in words]
    codes = (PLANTED, "proxy_suspected", "adverse_decision", "appeal", row.flag or "none")
    seen += [list(desk.ids(Filter(flag=code))) for code in codes]
    seen += [list(desk.ids(Filter(flag=code, text="loan"))) for code in codes]
    return seen


def refusals(desk: Desk, claim: Any) -> list[str]:
    """What is said when a person decides before judging, with each label and with nothing."""
    said = []
    for answers in ({}, *({"support": "supported", "label": label} for label in ("approve", "decline"))):
        try:
            desk.decide(Decision("early", claim.lease.case_id, claim.lease.token, answers))
            said.append("accepted")
        except SecondlookError as error:
            said.append(str(error))
    return said


def planted() -> dict[str, Any]:
    """A sample in which the model's words can be told from all others."""
    record = samples("blind")[0]
    record["flags"] = [{"code": PLANTED, "severity": "high", "detail": PLANTED}]
    record["output"] |= {"score": 0.618033, "scores": {"approve": 0.381967, "decline": 0.618033}}
    record["output"]["baseline"] = {"name": PLANTED, "value": PLANTED}
    record["explanations"][0]["items"][2]["contribution"] = 0.271828
    record["explanations"][0]["method"] = PLANTED
    record["extra"] = {"note": PLANTED}
    record["id"] = "planted"
    return record


def test_before_judging_nothing_of_the_models_answer_is_anywhere(world: World, blind: Desk) -> None:
    world.admit("blind", [planted()])
    case_id = blind.find("planted")
    lookers = everything_seen(world.desk("cleo", queues=("blind",)), case_id)
    claim = blind.claim_case(case_id)
    assert claim.view.hidden
    seen = repr([claim, lookers, everything_seen(blind, case_id), refusals(blind, claim)])
    for secret in (PLANTED, "0.618", "0.381", "0.2718"):
        assert secret not in seen
    assert claim.view.prediction.output.label is None

    after = repr([blind.judge(claim.lease, "approve", 4), blind.view(case_id)])
    for secret in (PLANTED, "0.618033", "0.271828", "label='decline'"):
        assert secret in after


def _other(explanation: dict[str, Any]) -> dict[str, Any]:
    """An explanation that says something else, and names the same stand-ins for what is withheld."""
    items = [
        {**item, "contribution": -item["contribution"]} if "contribution" in item else item
        for item in explanation["items"]
    ]
    return {**explanation, "method": "another method", "items": items}


@contextmanager
def two_worlds(folder: Path, kind: str) -> Iterator[Sequence[StoreWorld]]:
    """The same cases twice; in the second the model said the opposite, for other reasons."""
    made = []
    for number in (0, 1):
        (folder / str(number)).mkdir()
        world = WORLDS[kind](folder / str(number))
        records = samples("blind")[:4]
        # The first case is the one that is looked at; its severity alone makes it the most urgent.
        records[0]["flags"] = [{"code": "appeal", "severity": "critical"}]
        records[0]["output"]["score"] = 0.9
        if number:
            records[0]["flags"] = [{"code": "other_code", "severity": "critical", "detail": "other words"}]
            records[0]["output"] = {"label": "approve", "score": 0.2, "threshold": 0.4}
            records[0]["explanations"] = [_other(e) for e in records[0]["explanations"]]
        world.admit("blind", records)
        made.append(world)
    try:
        yield made
    finally:
        for world in made:
            world.close()


@pytest.mark.parametrize("kind", sorted(WORLDS))
def test_two_worlds_that_differ_in_the_models_answer_look_alike(tmp_path: Path, kind: str) -> None:
    seen, after = [], []
    with two_worlds(tmp_path, kind) as worlds:
        for world in worlds:
            desk = world.desk("ada", queues=("blind",))
            case_id = desk.find(samples("blind")[0]["id"])
            before = everything_seen(desk, case_id)
            claim = desk.claim_case(case_id)
            seen.append(repr([before, claim, everything_seen(desk, case_id), refusals(desk, claim)]))
            after.append(repr(desk.judge(claim.lease, "approve", 3)))
    assert seen[0] == seen[1]
    assert after[0] != after[1]


def test_ones_own_judgement_opens_nothing_for_others(world: World, blind: Desk) -> None:
    ben = world.desk("ben", queues=("blind",))
    claim = blind.claim("blind")
    assert not blind.judge(claim.lease, "approve", 3).hidden
    assert not blind.view(claim.lease.case_id).hidden
    assert ben.view(claim.lease.case_id).hidden
    assert blind.rows([claim.lease.case_id])[claim.lease.case_id].flag == ""


def test_likeness_to_a_judged_case_tells_nothing_of_cases_not_judged(blind: Desk) -> None:
    claim = blind.claim("blind")
    blind.judge(claim.lease, "approve", 3)
    case_id = claim.lease.case_id
    assert {(s.role, s.label, s.verdict) for s in blind.similar(case_id, 23)} == {(None, None, None)}
    decide(blind, claim, agreeing(blind.view(case_id)))
    assert {(s.role, s.label, s.verdict) for s in blind.similar(case_id, 23)} == {(None, None, None)}
    second = blind.claim("blind")
    blind.judge(second.lease, "approve", 3)
    told = {s.case_id: s for s in blind.similar(second.lease.case_id, 23)}
    assert told[case_id].label is not None
    assert [i for i, s in told.items() if s.label] == [case_id]


def test_a_settled_case_is_open_to_all(world: World, blind: Desk) -> None:
    ben = world.desk("ben", queues=("blind",))
    claim = blind.claim("blind")
    view = blind.judge(claim.lease, "approve", 3)
    decide(blind, claim, agreeing(view))
    assert not ben.view(claim.lease.case_id).hidden
    assert ben.history(claim.lease.case_id)[0].detail.startswith("upheld")


def test_deciding_before_judging_is_refused(world: World, blind: Desk) -> None:
    claim = blind.claim("blind")
    said = refusals(blind, claim)
    assert len(set(said)) == 1
    assert "Judge" in said[0]
    assert world.query("SELECT count(*) FROM reviews") == [(0,)]


@pytest.mark.parametrize(("first", "agrees", "moved"), [("same", True, False), ("other", True, True)])
def test_it_is_recorded_whether_the_person_moved(
    world: World, blind: Desk, first: str, agrees: bool, moved: bool
) -> None:
    claim = blind.claim("blind")
    truth = next(r["output"]["label"] for r in samples("blind") if r["id"] == claim.view.row.id)
    other = next(label for label in ("approve", "decline") if label != truth)
    view = blind.judge(claim.lease, truth if first == "same" else other, 2)
    receipt = decide(blind, claim, agreeing(view) if agrees else overturning(view))
    assert (receipt.label, receipt.moved) == (truth, moved)
    kept = world.query("SELECT judged_label, judged_confidence, moved FROM reviews")
    assert kept == [(truth if first == "same" else other, 2, int(moved))]


def test_the_first_judgement_stays_the_first(world: World, blind: Desk) -> None:
    claim = blind.claim("blind")
    blind.judge(claim.lease, "approve", 2)
    at = world.clock.now
    world.clock.forward(minutes=1)
    view = blind.judge(claim.lease, "decline", 5)
    assert not view.hidden
    judgement = blind.claim_case(claim.lease.case_id).draft.judgement
    assert judgement is not None
    assert (judgement.label, judgement.confidence, judgement.at) == ("approve", 2, at)
    assert world.query("SELECT count(*) FROM audit WHERE action = 'judged'") == [(1,)]


def test_a_draft_does_not_change_the_first_judgement(blind: Desk) -> None:
    claim = blind.claim("blind")
    blind.judge(claim.lease, "approve", 2)
    kept = blind.claim_case(claim.lease.case_id).draft.judgement
    blind.save_draft(claim.lease.case_id, Draft({"support": "partly"}, judgement=None))
    assert blind.claim_case(claim.lease.case_id).draft.judgement == kept


def test_a_judgement_survives_expiry_and_undo(world: World, blind: Desk) -> None:
    claim = blind.claim("blind")
    blind.judge(claim.lease, "approve", 2)
    world.clock.now = claim.lease.until
    again = blind.claim_case(claim.lease.case_id)
    assert not again.view.hidden
    decide(blind, again, agreeing(again.view))
    back = blind.undo()
    assert not back.view.hidden
    assert back.draft.judgement is not None


@pytest.mark.parametrize(("label", "confidence"), [("maybe", 3), ("", 3), ("approve", 0), ("approve", 6)])
def test_a_judgement_must_fit(blind: Desk, label: str, confidence: int) -> None:
    claim = blind.claim("blind")
    with pytest.raises(BadInput):
        blind.judge(claim.lease, label, confidence)
    assert blind.view(claim.lease.case_id).hidden


def test_not_to_be_able_to_tell_is_a_judgement(blind: Desk) -> None:
    assert not blind.judge(blind.claim("blind").lease, "cannot tell", 1).hidden


def test_judging_needs_the_lease(world: World, blind: Desk) -> None:
    ben = world.desk("ben", queues=("blind",))
    claim = blind.claim("blind")
    with pytest.raises(Refused):
        ben.judge(claim.lease, "approve", 3)
    assert ben.view(claim.lease.case_id).hidden
