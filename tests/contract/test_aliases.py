"""Where names are not shown, nothing links a review to its author: not the history, not the order, not the times."""

from __future__ import annotations

import re

import pytest

from app.desk.protocol import Desk
from app.model.case import Filter
from app.model.policy import Reviews
from app.model.rights import Role
from tests.contract.worlds import World, agreeing, decide, overturning

Q = "credit"
NAMES = ("ada", "ben", "zoe")


def somebody(world: World, person: str, role: Role = "reviewer", names: str = "shown", independent: int = 3) -> Desk:
    rules = Reviews(independent=independent, names=names)
    return world.desk(person, queues=(Q,), roles=(role,), reviews=rules)


def reviewed(world: World, people: tuple[str, ...] = NAMES, names: str = "shown") -> int:
    """A case on which the last of some people differs from the others, each at a time of their own."""
    case_id = 0
    for person in people:
        desk = somebody(world, person, names=names, independent=len(people))
        claim = desk.claim_case(case_id) if case_id else desk.claim()
        case_id = claim.lease.case_id
        world.clock.forward(minutes=len(person) + len(people))
        decide(desk, claim, overturning(claim.view) if person == people[-1] else agreeing(claim.view), seconds=7.5)
        world.clock.forward(minutes=1)
    return case_id


def told(desk: Desk, case_id: int) -> str:
    """All that an adjudicator is told about a case."""
    return str((desk.peers(case_id), desk.history(case_id), desk.view(case_id), desk.rows([case_id])))


def test_an_adjudicator_reads_the_same_aliases_everywhere(world: World) -> None:
    case_id = reviewed(world)
    judy = somebody(world, "judy", "adjudicator")
    claim = judy.claim()
    assert claim.lease.case_id == case_id
    assert not re.search("|".join(NAMES), told(judy, case_id) + str(claim))
    by_alias = {one.name: one for one in judy.peers(case_id).reviews}
    made = [entry for entry in judy.history(case_id) if entry.action == "decided"]
    assert {entry.actor for entry in made} == set(by_alias) == {"reviewer 1", "reviewer 2", "reviewer 3"}
    for entry in made:
        assert entry.detail.startswith(by_alias[entry.actor].verdict)
    # One moment for all, whatever came first; no claims, no seconds.
    assert len({entry.at for entry in made}) == 1
    assert {one.seconds for one in by_alias.values()} == {None}
    assert {entry.action for entry in judy.history(case_id)} == {"decided", "disputed", "claimed"}
    assert {entry.actor for entry in judy.history(case_id)} == {*by_alias, "somebody else", "judy"}
    decide(judy, claim, overturning(claim.view))
    assert {one.name for one in judy.peers(case_id).reviews} == {*NAMES, "judy"}
    assert set(NAMES) < {entry.actor for entry in judy.history(case_id)}


def test_what_an_adjudicator_reads_does_not_depend_on_who_reviewed(world: World) -> None:
    first, second = reviewed(world), reviewed(world, tuple(reversed(NAMES)))
    judy = somebody(world, "judy", "adjudicator")
    found = []
    for case_id in (first, second):
        judy.claim_case(case_id)
        reviews = sorted((one.verdict, one.seconds) for one in judy.peers(case_id).reviews)
        found.append((reviews, sorted((e.action, e.detail, e.actor[:8]) for e in judy.history(case_id))))
    assert found[0] == found[1]


def test_the_order_is_the_same_for_everybody_and_follows_no_time(world: World) -> None:
    case_id = reviewed(world)
    judy, boss = somebody(world, "judy", "adjudicator"), somebody(world, "lea", "lead")
    judy.claim_case(case_id)
    shown = [one.answers for one in judy.peers(case_id).reviews]
    assert shown == [one.answers for one in judy.peers(case_id).reviews]
    by_name = {one.name: one.answers for one in boss.peers(case_id).reviews}
    assert shown == list(by_name.values())
    salts = dict(world.query("SELECT person, salt FROM reviews WHERE case_id = ?", case_id))
    assert list(by_name) == sorted(NAMES, key=lambda name: bytes(salts[name]))


@pytest.mark.parametrize("role", ["reviewer", "adjudicator"])
def test_where_names_are_hidden_they_stay_so_when_the_case_is_settled(world: World, role: Role) -> None:
    case_id = reviewed(world, names="hidden")
    judy = somebody(world, "judy", "adjudicator", "hidden")
    decide(judy, judy.claim_case(case_id))
    cyd = somebody(world, "cyd", role, "hidden")
    assert not re.search("|".join((*NAMES, "judy")), told(cyd, case_id))
    made = [entry for entry in cyd.history(case_id) if entry.action == "decided"]
    assert {entry.actor for entry in made} == {one.name for one in cyd.peers(case_id).reviews}
    assert len({entry.at for entry in made if entry.actor.startswith("reviewer")}) == 1
    ada = somebody(world, "ada", names="hidden")
    assert [entry.actor for entry in ada.history(case_id) if entry.actor == "ada"]
    assert not re.search("ben|zoe|judy", told(ada, case_id))
    assert set(NAMES) < {entry.actor for entry in somebody(world, "lea", "lead", "hidden").history(case_id)}


def test_reasons_of_an_escalation_come_without_a_name(world: World) -> None:
    ada, judy = somebody(world, "ada"), somebody(world, "judy", "adjudicator")
    lease = ada.claim().lease
    ada.escalate(lease, "the applicant may be a minor")
    judy.claim_case(lease.case_id)
    assert judy.peers(lease.case_id).escalated == ("the applicant may be a minor",)
    (entry,) = [one for one in judy.history(lease.case_id) if one.action == "escalated"]
    assert (entry.actor, entry.detail) == ("somebody else", "the applicant may be a minor")
    assert "ada" not in told(judy, lease.case_id)


def test_a_token_does_not_count_who_had_a_case(world: World) -> None:
    ada, ben = somebody(world, "ada"), somebody(world, "ben")
    claim = ada.claim()
    decide(ada, claim)
    world.clock.forward(minutes=1)
    second = ben.claim_case(claim.lease.case_id)
    fresh = somebody(world, "cyd").claim_case(next(iter(ben.ids(Filter(state="open")))))
    assert second.lease.token == fresh.lease.token
