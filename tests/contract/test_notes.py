"""What people write about a case: leads read it, peers not before the case is settled, adjudicators without names."""

from __future__ import annotations

import orjson
import pytest

from app.cli.plain import row_json, view_json
from app.desk.protocol import Desk
from app.model.case import Filter
from app.model.errors import Refused
from tests.contract.test_independent import adjudicator, dispute, lead, reviewer
from tests.contract.worlds import World, decide, overturning

SECRET = "Zvorakel clearly defaults"


def everything(desk: Desk, case_id: int) -> str:
    """All that a person may read of a case, as text."""
    view, row = desk.view(case_id), desk.rows([case_id])[case_id]
    shown = [view_json(view), row_json(row)]
    return orjson.dumps(shown, default=str).decode() + repr(
        (desk.history(case_id), desk.notes(case_id), desk.peers(case_id), row, view)
    )


def test_what_one_reviewer_writes_is_not_read_by_the_next(world: World) -> None:
    ada, ben, boss = reviewer(world, "ada"), reviewer(world, "ben"), lead(world)
    claim = ada.claim()
    case_id = claim.lease.case_id
    ada.flag(case_id, f"{SECRET} (flag)")
    world.clock.forward(minutes=1)
    ada.park(claim.lease, f"{SECRET} (park)")
    assert SECRET not in everything(ben, case_id)
    assert ben.notes(case_id) == []
    assert [note.kind for note in ada.notes(case_id)] == ["park", "flag"]
    assert ada.rows([case_id])[case_id].note == f"{SECRET} (park)"
    assert boss.rows([case_id])[case_id].note == f"{SECRET} (park)"
    assert [(note.person, note.kind) for note in boss.notes(case_id)] == [("ada", "park"), ("ada", "flag")]
    assert everything(boss, case_id).count("(flag)") >= 2
    # The next reviewer takes it, and still reads nothing.
    boss.unpark(case_id)
    second = ben.claim_case(case_id)
    assert SECRET not in everything(ben, case_id)
    decide(ben, second)
    third = ada.claim_case(case_id)
    decide(ada, third)
    assert world.query("SELECT state FROM cases WHERE case_id = ?", case_id)[0][0] == "settled"
    assert SECRET in everything(ben, case_id)


def test_also_where_one_review_is_enough(world: World) -> None:
    ada, ben = reviewer(world, "ada", independent=1), reviewer(world, "ben", independent=1)
    claim = ada.claim()
    ada.park(claim.lease, SECRET)
    assert SECRET not in everything(ben, claim.lease.case_id)
    ben.claim_case(claim.lease.case_id)
    assert SECRET not in everything(ben, claim.lease.case_id)


def test_conflicts_of_interest_stay_with_leads(world: World) -> None:
    ada, ben, rob = (reviewer(world, name) for name in ("ada", "ben", "rob"))
    claim = ada.claim()
    case_id = claim.lease.case_id
    ada.recuse(claim.lease, SECRET)
    for desk in (ben, rob):
        decide(desk, desk.claim_case(case_id))
    assert SECRET not in everything(ben, case_id)
    assert SECRET in everything(lead(world), case_id)


def test_leads_see_which_cases_have_notes_until_they_have_seen_them(world: World) -> None:
    ada, boss = reviewer(world, "ada"), lead(world)
    first, second = list(ada.ids(Filter(queue="credit")))[:2]
    ada.flag(second, "look at this")
    world.clock.forward(minutes=1)
    ada.flag(first, "and at this")
    assert list(boss.ids(Filter(noted=True))) == [second, first]
    assert list(ada.ids(Filter(noted=True))) == []
    boss.mark_seen(second)
    assert list(boss.ids(Filter(noted=True))) == [first]
    assert [note.seen for note in boss.notes(second)] == [True]
    world.clock.forward(minutes=1)
    ada.flag(second, "still wrong")
    assert list(boss.ids(Filter(noted=True))) == [first, second]
    with pytest.raises(Refused):
        ada.mark_seen(first)
    with pytest.raises(Refused, match="no note"):
        boss.mark_seen(list(ada.ids(Filter(queue="credit")))[5])
    assert world.verify().ok


def test_an_adjudicator_cannot_tell_who_said_what(world: World) -> None:
    ada, ben, judy = reviewer(world, "ada"), reviewer(world, "ben"), adjudicator(world)
    case_id = dispute(ada, ben)
    judy.claim_case(case_id)
    seen = everything(judy, case_id)
    assert "ada" not in seen.replace("adapt", "")
    assert "ben" not in seen.replace("benefit", "")
    assert {entry.actor for entry in judy.history(case_id)} <= {"judy", "somebody else", "reviewer 1", "reviewer 2"}
    assert [one.name for one in judy.peers(case_id).reviews] == ["reviewer 1", "reviewer 2"]


def test_the_order_of_reviews_follows_from_nothing_that_is_seen(world: World) -> None:
    """The first review stands first in some cases and second in others, and stays where it is."""
    ada, ben, judy = reviewer(world, "ada"), reviewer(world, "ben"), adjudicator(world)
    found = {}
    for _ in range(10):
        case_id = dispute(ada, ben)
        judy.claim_case(case_id)
        verdicts = [one.verdict for one in judy.peers(case_id).reviews]
        assert [one.verdict for one in judy.peers(case_id).reviews] == verdicts
        found[case_id] = verdicts[0]
        decide(judy, judy.claim_case(case_id), overturning(judy.view(case_id)))
    kept = world.query("SELECT case_id, salt, person FROM reviews WHERE stage = 'review'")
    first = {row[0]: min((bytes(r[1]), r[2]) for r in kept if r[0] == row[0])[1] for row in kept}
    assert found == {i: "upheld" if first[i] == "ada" else "overturned" for i in found}
    # Ada was first each time. A coin that falls ten times alike is one in five hundred.
    assert set(found.values()) == {"upheld", "overturned"} or len(set(first.values())) == 1
