"""A case that somebody does not see, since they see its copy or are not measured by it, is no case to any act."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.desk import controls
from app.desk.protocol import Desk
from app.model.case import Claim, Decision, Draft, Lease
from app.model.errors import SecondlookError
from tests.contract.test_controls import Q, gold, invented, lead, original_of, reviewer, until_given
from tests.contract.worlds import WORLDS, World, decide

NO_CASE = 10_000


@pytest.fixture(params=sorted(WORLDS))
def measured(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[World, Desk, Desk, Claim]]:
    """Ben has decided a case; Ada holds its copy."""
    monkeypatch.setattr(controls, "_chance", random.Random(4))
    world = WORLDS[str(request.param)](tmp_path)
    world.admit(Q, invented(40, seed=7))
    ben, ada = reviewer(world, "ben", repeat_hours=24), reviewer(world, "ada", gold=0.5, repeat_hours=24)
    gold(world, ben, lead(world))
    yield world, ben, ada, until_given(world, ada)
    world.close()


def acts(desk: Desk, case_id: int, text: str) -> dict[str, Callable[[], object]]:
    """All that a reviewer can ask of a number, or do with it."""
    lease = Lease(case_id, 1, desk.person, "first", 0)
    return {
        "view": lambda: desk.view(case_id),
        "history": lambda: desk.history(case_id),
        "similar": lambda: desk.similar(case_id),
        "peers": lambda: desk.peers(case_id),
        "notes": lambda: desk.notes(case_id),
        "sealed": lambda: desk.sealed_fields(case_id),
        "claim": lambda: desk.claim_case(case_id),
        "held": lambda: desk.held_lease(case_id),
        "extend": lambda: desk.extend(lease),
        "release": lambda: desk.release(lease),
        "skip": lambda: desk.skip(lease),
        "defer": lambda: desk.defer(lease, 5),
        "park": lambda: desk.park(lease, "why"),
        "escalate": lambda: desk.escalate(lease, "why"),
        "recuse": lambda: desk.recuse(lease, "why"),
        "judge": lambda: desk.judge(lease, "approve", 3),
        "draft": lambda: desk.save_draft(case_id, Draft({"label": "approve"})),
        "decide": lambda: desk.decide(Decision(f"{desk.person}-{case_id}", case_id, None, {})),
        "flag": lambda: desk.flag(case_id, "a note"),
        "leak": lambda: desk.report_leak(case_id, text),
        "no leak": lambda: desk.report_leak(case_id, "stands nowhere at all"),
    }


def said(act: Callable[[], object]) -> str:
    """What an act gives, or how it is refused."""
    try:
        return repr(act())
    except SecondlookError as error:
        return f"{type(error).__name__}: {error}"


def test_no_act_tells_a_case_that_is_not_seen_from_none(measured: tuple[World, Desk, Desk, Claim]) -> None:
    world, ben, ada, claim = measured
    copy, original = claim.lease.case_id, original_of(world, claim.lease.case_id)
    text = str(claim.view.prediction.inputs[1].value)[:30]
    before = world.query("SELECT count(*) FROM audit"), world.query("SELECT count(*) FROM marks")
    for desk, unseen in ((ada, original), (ben, copy)):
        for name, act in acts(desk, unseen, text).items():
            nothing = acts(desk, NO_CASE, text)[name]
            assert said(act) == said(nothing), name
    assert (world.query("SELECT count(*) FROM audit"), world.query("SELECT count(*) FROM marks")) == before
    assert world.query("SELECT count(*) FROM drafts") == [(0,)]
    decide(ada, claim)


def test_a_reporter_is_not_told_whether_a_report_went_to_a_lead(measured: tuple[World, Desk, Desk, Claim]) -> None:
    world, ben, ada, claim = measured
    other = ben.claim(Q)
    told = []
    for desk, given in ((ada, claim), (ben, other)):
        case_id = given.lease.case_id
        desk.report_leak(case_id, " ".join(str(given.view.prediction.inputs[1].value).split()[2:5]))
        done = [(one.action, one.detail) for one in desk.history(case_id)][:3]
        told.append((desk.notes(case_id), done))
        desk.flag(case_id, "look at this")
        assert [note.text for note in desk.notes(case_id)] == ["look at this"]
    assert told[0] == told[1]
    # The original of Ada's case is settled: that is for the lead, who reads it.
    (note,) = (one for one in lead(world).notes(claim.lease.case_id) if one.kind == "flag")
    assert note.text.startswith("reported leak") and note.text.endswith("look at this")
