"""Independent reviews: several people a case, blind to each other; agreement, adjudication, and who gets what."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from typing import Any

import pytest

from app.desk.protocol import Desk
from app.model.case import Filter
from app.model.errors import LeaseLost, NothingToDo, Refused
from app.model.policy import Reviews
from tests.contract.worlds import World, agreeing, decide, overturning, samples

Q = "credit"


def reviewer(world: World, person: str, **rules: Any) -> Desk:
    given = {"independent": 2, **rules}
    return world.desk(person, queues=(Q,), roles=("reviewer",), reviews=Reviews(**given))


def adjudicator(world: World, person: str = "judy", **rules: Any) -> Desk:
    given = {"independent": 2, **rules}
    return world.desk(person, queues=(Q,), roles=("adjudicator",), reviews=Reviews(**given))


def lead(world: World, person: str = "lea", **rules: Any) -> Desk:
    given = {"independent": 2, **rules}
    return world.desk(person, queues=(Q,), roles=("lead",), reviews=Reviews(**given))


def state(world: World, case_id: int) -> tuple[str, str]:
    (row,) = world.query("SELECT state, stage FROM cases WHERE case_id = ?", case_id)
    return str(row[0]), str(row[1])


def verdict(world: World, case_id: int) -> tuple[Any, ...] | None:
    rows = world.query("SELECT verdict, reviewers, agreement FROM verdicts WHERE case_id = ?", case_id)
    return tuple(rows[0]) if rows else None


def dispute(ada: Desk, ben: Desk) -> int:
    """A case on which two people differ."""
    first = ada.claim()
    decide(ada, first, agreeing(first.view))
    second = ben.claim_case(first.lease.case_id)
    decide(ben, second, overturning(second.view))
    return first.lease.case_id


def test_two_people_who_agree_settle_a_case(world: World) -> None:
    ada, ben = reviewer(world, "ada"), reviewer(world, "ben")
    first = ada.claim()
    decide(ada, first)
    assert state(world, first.lease.case_id) == ("open", "begun")
    assert verdict(world, first.lease.case_id) is None
    second = ben.claim()
    assert second.lease.case_id == first.lease.case_id
    decide(ben, second)
    assert state(world, first.lease.case_id)[0] == "settled"
    assert verdict(world, first.lease.case_id) == ("upheld", 2, 1.0)
    assert world.verify().ok


def test_nobody_reviews_a_case_twice(world: World) -> None:
    ada = reviewer(world, "ada")
    first = ada.claim()
    decide(ada, first)
    seen = {first.lease.case_id}
    for _ in range(5):
        claim = ada.claim()
        assert claim.lease.case_id not in seen
        seen.add(claim.lease.case_id)
        decide(ada, claim)
    with pytest.raises(Refused, match=r"reviewed .* already"):
        ada.claim_case(first.lease.case_id)


def test_when_only_others_may_go_on_it_says_so(world: World) -> None:
    ada = reviewer(world, "ada")
    for _ in range(24):
        decide(ada, ada.claim())
    with pytest.raises(NothingToDo, match="24 for somebody else: another reviewer, an adj"):
        ada.claim()


def test_the_second_reviewer_sees_nothing_of_the_first(world: World) -> None:
    ada, ben, rob = reviewer(world, "ada"), reviewer(world, "ben"), reviewer(world, "rob")
    untouched = rob.claim()
    fresh = rob.view(untouched.lease.case_id)
    rob.release(untouched.lease)
    first = ada.claim()
    assert first.lease.case_id == untouched.lease.case_id
    decide(ada, first, overturning(first.view))
    second = ben.claim()
    rob_sees = rob.view(first.lease.case_id)
    assert (rob_sees.prediction, rob_sees.hidden) == (fresh.prediction, fresh.hidden)
    assert rob_sees.row.verdict is None
    assert rob_sees.row.stage == "review"
    actions = {(entry.actor, entry.action) for entry in ben.history(first.lease.case_id)}
    assert actions == {("ben", "claimed"), ("importer", "admitted")} or "ada" not in {a for a, _ in actions}
    assert ben.peers(first.lease.case_id).reviews == ()
    assert second.draft.answers == {}
    assert all(one.verdict is None for one in ben.similar(first.lease.case_id) if one.case_id == first.lease.case_id)


def test_history_tells_reviewers_nothing_that_the_program_noted_along(world: World) -> None:
    ada, ben = reviewer(world, "ada", names="hidden"), reviewer(world, "ben", names="hidden")
    case_id = dispute(ada, ben)
    # That reviews differ tells the last reviewer what the first one said.
    assert {one.action for one in ben.history(case_id) if one.actor == "ben"} == {"claimed", "decided"}
    assert not [one for one in ben.history(case_id) if "differ" in one.detail]
    left = ada.claim()
    world.clock.now = left.lease.until + 1
    taken = ben.claim_case(left.lease.case_id)
    assert [one.action for one in ben.history(taken.lease.case_id) if one.actor == "ben"] == ["claimed"]
    assert "disputed" in {one.action for one in lead(world).history(case_id)}


def test_names_are_hidden_where_the_policy_says(world: World) -> None:
    ada, ben = reviewer(world, "ada", names="hidden"), reviewer(world, "ben", names="hidden")
    claim = ada.claim()
    row = ben.rows([claim.lease.case_id])[claim.lease.case_id]
    assert row.holder == "somebody else"
    with pytest.raises(Refused, match=r"^Somebody else has"):
        ben.claim_case(claim.lease.case_id)
    assert list(ben.ids(Filter(holder="ada"))) == []
    assert list(ada.ids(Filter(holder="ada"))) == [claim.lease.case_id]
    assert "ada" not in str(ben.history(claim.lease.case_id))
    boss = lead(world, names="hidden")
    assert boss.rows([claim.lease.case_id])[claim.lease.case_id].holder == "ada"


def test_those_who_differ_are_settled_by_an_adjudicator(world: World) -> None:
    ada, ben, judy = reviewer(world, "ada"), reviewer(world, "ben"), adjudicator(world)
    case_id = dispute(ada, ben)
    assert state(world, case_id) == ("open", "adjudication")
    assert verdict(world, case_id) is None
    claim = judy.claim()
    assert claim.lease.case_id == case_id
    peers = judy.peers(case_id)
    assert sorted(one.name for one in peers.reviews) == ["reviewer 1", "reviewer 2"]
    assert {one.verdict for one in peers.reviews} == {"upheld", "overturned"}
    assert "ada" not in str(peers) and "ben" not in str(peers)
    decide(judy, claim, overturning(claim.view))
    assert verdict(world, case_id) == ("overturned", 3, 0.5)
    assert {one.name for one in judy.peers(case_id).reviews} == {"ada", "ben", "judy"}
    assert world.verify().ok


def test_an_adjudicator_gets_nothing_else_and_reviewers_no_disputes(world: World) -> None:
    ada, ben, rob, judy = *(reviewer(world, name) for name in ("ada", "ben", "rob")), adjudicator(world)
    with pytest.raises(NothingToDo):
        judy.claim()
    case_id = dispute(ada, ben)
    with pytest.raises(Refused, match="not for you to review now"):
        rob.claim_case(case_id)
    assert rob.claim().lease.case_id != case_id
    other = ada.claim().lease.case_id
    with pytest.raises(Refused):
        judy.claim_case(other)


def test_an_adjudicator_who_reviewed_it_is_not_asked(world: World) -> None:
    ada, ben = reviewer(world, "ada"), reviewer(world, "ben")
    both = world.desk("ada", session="2", queues=(Q,), roles=("adjudicator",), reviews=Reviews(independent=2))
    case_id = dispute(ada, ben)
    with pytest.raises(NothingToDo):
        both.claim()
    with pytest.raises(Refused, match="reviewed"):
        both.claim_case(case_id)


@pytest.mark.parametrize(("rule", "settled"), [("all", False), ("majority", True)])
def test_two_of_three_are_a_majority(world: World, rule: str, settled: bool) -> None:
    people = [reviewer(world, name, independent=3, agreement=rule) for name in ("ada", "ben", "cyd")]
    case_id = 0
    for n, desk in enumerate(people):
        claim = desk.claim_case(case_id) if case_id else desk.claim()
        case_id = claim.lease.case_id
        decide(desk, claim, overturning(claim.view) if n == 1 else agreeing(claim.view))
    found = verdict(world, case_id)
    assert (found is not None) == settled
    if found:
        assert found[:2] == ("upheld", 3)
        assert found[2] == pytest.approx(2 / 3)
    assert world.verify().ok


def test_an_undo_before_others_have_gone_on(world: World) -> None:
    ada, ben = reviewer(world, "ada", independent=3), reviewer(world, "ben", independent=3)
    first = ada.claim()
    decide(ada, first)
    decide(ben, ben.claim())
    again = ada.undo()
    assert again.lease.case_id == first.lease.case_id
    assert state(world, first.lease.case_id) == ("leased", "begun")
    decide(ada, again, overturning(again.view))
    assert state(world, first.lease.case_id) == ("open", "begun")
    assert world.verify().ok


@pytest.mark.parametrize("differ", [True, False])
def test_who_has_seen_what_came_of_it_answers_no_more(world: World, differ: bool) -> None:
    ada, ben = reviewer(world, "ada"), reviewer(world, "ben")
    decide(ada, ada.claim())
    claim = ben.claim()
    decide(ben, claim, overturning(claim.view) if differ else agreeing(claim.view))
    for desk in (ada, ben):
        with pytest.raises(Refused, match="gone on from your decision"):
            desk.undo()
    assert world.verify().ok


def test_how_far_a_case_is_only_adjudicators_and_leads_know(world: World) -> None:
    ada, ben, rob, judy = *(reviewer(world, name) for name in ("ada", "ben", "rob")), adjudicator(world)
    case_id = dispute(ada, ben)
    decide(rob, rob.claim())
    for desk in (ada, ben, rob):
        assert {row.stage for row in desk.rows(range(1, 60)).values()} == {"review"}
        for stage in ("begun", "review", "adjudication"):
            assert list(desk.ids(Filter(stage=stage))) == []
    assert list(judy.ids(Filter(stage="adjudication"))) == [case_id]
    assert judy.rows([case_id])[case_id].stage == "adjudication"
    assert "differ" not in str(rob.history(case_id))


def test_no_undo_once_somebody_has_gone_on(world: World) -> None:
    ada, ben, judy = reviewer(world, "ada"), reviewer(world, "ben"), adjudicator(world)
    decide(ada, ada.claim())
    with pytest.raises(Refused, match="gone on from your decision"):
        ben.claim()
        ada.undo()
    rob, cyd = reviewer(world, "rob"), reviewer(world, "cyd")
    dispute(rob, cyd)
    decide(judy, judy.claim())
    with pytest.raises(Refused, match="gone on from your decision"):
        cyd.undo()
    assert world.verify().ok


def test_an_adjudicators_undo_gives_the_dispute_back(world: World) -> None:
    ada, ben, judy = reviewer(world, "ada"), reviewer(world, "ben"), adjudicator(world)
    case_id = dispute(ada, ben)
    decide(judy, judy.claim())
    again = judy.undo()
    assert state(world, case_id) == ("leased", "adjudication")
    assert len(judy.peers(case_id).reviews) == 2
    judy.release(again.lease)
    assert state(world, case_id) == ("open", "adjudication")


def test_an_escalation_goes_to_an_adjudicator_with_its_reason(world: World) -> None:
    ada, judy = reviewer(world, "ada", independent=1), adjudicator(world, independent=1)
    claim = ada.claim()
    ada.escalate(claim.lease, "the applicant may be a minor")
    with pytest.raises(LeaseLost):
        ada.extend(claim.lease)
    taken = judy.claim()
    assert taken.lease.case_id == claim.lease.case_id
    assert judy.peers(claim.lease.case_id).escalated == ("the applicant may be a minor",)
    decide(judy, taken)
    assert verdict(world, claim.lease.case_id) == ("upheld", 1, 1.0)
    assert world.verify().ok


def test_a_conflict_of_interest_keeps_a_case_away(world: World) -> None:
    ada, ben = reviewer(world, "ada", independent=1), reviewer(world, "ben", independent=1)
    claim = ada.claim()
    ada.recuse(claim.lease, "my neighbour")
    assert ada.claim().lease.case_id != claim.lease.case_id
    with pytest.raises(Refused, match="conflict of interest"):
        ada.claim_case(claim.lease.case_id)
    assert ben.claim().lease.case_id == claim.lease.case_id
    assert "neighbour" not in str(ben.history(claim.lease.case_id))


def test_tags_and_routing(world: World) -> None:
    records = samples(Q)[-3:]
    for n, (record, more) in enumerate(
        zip(records, ({"domain": "mortgage"}, {"domain": "card", "language": "de"}, {}), strict=True)
    ):
        record.pop("domain", None)
        record["flags"] = [{"code": "x", "severity": "critical"}]
        record.update(more, id=f"routed-{n}")
    world.admit(Q, records)
    rules = {"independent": 1, "tags": ["credit"], "route_by": ["domain", "language"]}
    with world.store() as store:
        from db import people

        with store.write() as connection:
            people.keep(connection, people.Person("ada", ("credit", "domain:mortgage")))
            people.keep(connection, people.Person("ben", ("domain:card",)))
            people.keep(connection, people.Person("cyd", ("credit", "domain:card", "language:de")))
    ada, ben, cyd = (reviewer(world, name, **rules) for name in ("ada", "ben", "cyd"))
    with pytest.raises(NothingToDo, match="lack a tag for credit"):
        ben.claim()
    assert {ada.claim().view.row.id for _ in range(2)} == {"routed-0", "routed-2"}
    claim = cyd.claim()
    assert claim.view.row.id == "routed-1"
    cyd.release(claim.lease)
    with pytest.raises(Refused, match="domain:card"):
        ada.claim_case(ada.find("routed-1"))


def test_caps_are_kept(world: World) -> None:
    with world.store() as store:
        from db import people

        with store.write() as connection:
            people.keep(connection, people.Person("ada", (), daily=2, holding=1))
    ada = reviewer(world, "ada", independent=1)
    claim = ada.claim()
    with pytest.raises(NothingToDo, match="may hold 1"):
        ada.claim()
    decide(ada, claim)
    decide(ada, ada.claim())
    with pytest.raises(NothingToDo, match="may decide 2"):
        ada.claim()
    world.clock.forward(minutes=24 * 60 + 1)
    ada.claim()


def test_no_two_people_always_meet(world: World) -> None:
    names = ("ada", "ben", "cyd", "dan")
    desks = {name: reviewer(world, name) for name in names}
    met: Counter[tuple[str, str]] = Counter()
    for _ in range(12):
        for desk in desks.values():
            try:
                decide(desk, desk.claim())
            except NothingToDo:
                continue
    by_case: dict[int, list[str]] = {}
    for case_id, person in world.query("SELECT case_id, person FROM reviews ORDER BY seq"):
        by_case.setdefault(case_id, []).append(person)
    for people in by_case.values():
        met.update(tuple(sorted(pair)) for pair in combinations(people, 2))  # type: ignore[misc]
    assert set(met) == set(combinations(names, 2))
    assert max(met.values()) - min(met.values()) <= 3, met


def test_a_lead_takes_over_and_reassigns(world: World) -> None:
    ada, ben, boss = reviewer(world, "ada"), reviewer(world, "ben"), lead(world)
    claim = ada.claim()
    with pytest.raises(Refused):
        ben.take_over(claim.lease.case_id, "ada is ill")
    taken = boss.take_over(claim.lease.case_id, "ada is ill")
    with pytest.raises(LeaseLost):
        decide(ada, claim)
    boss.assign(taken.lease.case_id, "ben", "ben knows such cases")
    with pytest.raises(LeaseLost, match=r"A lead has given .* to ben"):
        decide(ada, claim)
    with pytest.raises(Refused, match="kept for ben"):
        ada.claim_case(claim.lease.case_id)
    assert ben.claim().lease.case_id == claim.lease.case_id
    with pytest.raises(Refused):
        ada.people()
    holding = {one.person: one.held for one in boss.people()}
    assert [held[0] for held in holding["ben"]] == [claim.lease.case_id]
    assert world.verify().ok


def test_a_paused_queue_gives_nothing_out_and_says_why(world: World) -> None:
    ada, boss = reviewer(world, "ada"), lead(world)
    held = ada.claim()
    boss.pause(Q, "the model was rolled back")
    with pytest.raises(NothingToDo, match="paused by a lead: the model was rolled back"):
        ada.claim()
    with pytest.raises(Refused, match="paused"):
        ada.claim_case(next(iter(ada.ids(Filter(state="open")))))
    decide(ada, held)
    with pytest.raises(Refused, match="paused already, by"):
        boss.pause(Q, "another reason")
    assert [(one.queue, one.reason) for one in ada.paused()] == [(Q, "the model was rolled back")]
    boss.resume(Q)
    ada.claim()
    assert ada.paused() == []


def test_peers_are_compared_once_a_case_is_settled(world: World) -> None:
    ada, ben = reviewer(world, "ada"), reviewer(world, "ben")
    decide(ada, ada.claim())
    (mine,) = ada.quality()
    assert mine.peers == 0
    decide(ben, ben.claim())
    world.clock.forward(minutes=24 * 60 + 1)
    (mine,) = ada.quality()
    assert (mine.peers, mine.peers_same) == (1, 1)
