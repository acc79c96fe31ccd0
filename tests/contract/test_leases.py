"""The fence: an act is accepted only from the one who holds the case now."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from app.desk.protocol import Desk
from app.model.case import Claim, Decision, Draft, Filter
from app.model.errors import LeaseLost, Refused
from tests.contract.worlds import World, agreeing, decide, decision

Act = Callable[[Desk, Claim], object]
FENCED: dict[str, Act] = {
    "decide": lambda desk, claim: decide(desk, claim),
    "extend": lambda desk, claim: desk.extend(claim.lease),
    "skip": lambda desk, claim: desk.skip(claim.lease),
    "defer": lambda desk, claim: desk.defer(claim.lease, 5),
    "park": lambda desk, claim: desk.park(claim.lease, "odd"),
    "judge": lambda desk, claim: desk.judge(claim.lease, "approve", 3),
}
fenced = pytest.mark.parametrize("act", FENCED.values(), ids=FENCED)


@fenced
def test_refused_after_expiry_even_if_nobody_took_it(world: World, ada: Desk, act: Act) -> None:
    claim = ada.claim("credit")
    world.clock.now = claim.lease.until
    with pytest.raises(LeaseLost) as raised:
        act(ada, claim)
    assert raised.value.holder is None
    assert world.query("SELECT count(*) FROM reviews") == [(0,)]


@fenced
def test_refused_after_somebody_else_took_it(world: World, ada: Desk, ben: Desk, act: Act) -> None:
    claim = ada.claim("credit")
    world.clock.now = claim.lease.until
    taken = ben.claim_case(claim.lease.case_id)
    with pytest.raises(LeaseLost, match="ben") as raised:
        act(ada, claim)
    assert (raised.value.holder, raised.value.settled) == ("ben", False)
    assert decide(ben, taken).case_id == claim.lease.case_id


@fenced
def test_refused_after_somebody_else_decided(world: World, ada: Desk, ben: Desk, act: Act) -> None:
    claim = ada.claim("credit")
    world.clock.now = claim.lease.until
    decide(ben, ben.claim_case(claim.lease.case_id))
    with pytest.raises(LeaseLost, match="settled") as raised:
        act(ada, claim)
    assert raised.value.settled
    assert world.query("SELECT person FROM reviews") == [("ben",)]


@fenced
def test_an_old_token_of_ones_own_is_worth_nothing(world: World, ada: Desk, act: Act) -> None:
    old = ada.claim("credit")
    world.clock.now = old.lease.until
    new = ada.claim("credit")
    assert new.lease.case_id == old.lease.case_id
    with pytest.raises(LeaseLost):
        act(ada, old)
    assert decide(ada, new).case_id == old.lease.case_id


@fenced
def test_the_token_from_before_an_undo_is_worth_nothing(ada: Desk, act: Act) -> None:
    old = ada.claim("credit")
    decide(ada, old)
    again = ada.undo()
    assert again.lease.token > old.lease.token
    with pytest.raises(LeaseLost):
        act(ada, old)
    assert ada.rows([old.lease.case_id])[old.lease.case_id].state == "leased"


@fenced
def test_a_lease_cannot_be_used_by_somebody_else(ada: Desk, ben: Desk, act: Act) -> None:
    claim = ada.claim("credit")
    with pytest.raises(LeaseLost, match="ada"):
        act(ben, claim)
    ben.release(claim.lease)
    assert ada.extend(claim.lease).token == claim.lease.token


def test_a_guessed_token_is_refused(ada: Desk) -> None:
    claim = ada.claim("credit")
    for token in (claim.lease.token + 1, claim.lease.token - 1, 0):
        with pytest.raises(LeaseLost):
            ada.decide(Decision("guess", claim.lease.case_id, token, agreeing(claim.view)))


def test_without_a_token_the_live_lease_counts(world: World, ada: Desk) -> None:
    claim = ada.claim("credit")
    case_id = claim.lease.case_id
    world.clock.now = claim.lease.until
    with pytest.raises(LeaseLost):
        ada.decide(Decision("late", case_id, None, agreeing(claim.view)))
    ada.claim_case(case_id)
    assert ada.decide(Decision("in time", case_id, None, agreeing(claim.view))).verdict == "upheld"


def test_anothers_case_is_refused_with_name_and_time(world: World, ada: Desk, ben: Desk) -> None:
    lease = ada.claim("credit").lease
    world.clock.forward(minutes=5)
    for take_over in (False, True):
        with pytest.raises(Refused, match=r"ada has loan-[0-9]+ for 10 more minutes"):
            ben.claim_case(lease.case_id, take_over=take_over)
    assert ada.extend(lease).token == lease.token


def test_a_settled_case_cannot_be_claimed(ada: Desk, ben: Desk) -> None:
    claim = ada.claim("credit")
    decide(ada, claim)
    for desk in (ada, ben):
        with pytest.raises(Refused, match="settled"):
            desk.claim_case(claim.lease.case_id)


def test_claiming_ones_own_case_again_here_only_extends_it(world: World, ada: Desk) -> None:
    lease = ada.claim("credit").lease
    world.clock.forward(minutes=5)
    again = ada.claim_case(lease.case_id).lease
    assert (again.token, again.until) == (lease.token, lease.until + 5 * 60_000)


def test_a_second_terminal_takes_over_only_when_told_to(world: World, ada: Desk) -> None:
    second = world.desk("ada", session="second")
    claim = ada.claim("credit")
    with pytest.raises(Refused, match="another terminal"):
        second.claim_case(claim.lease.case_id)
    assert ada.extend(claim.lease).token == claim.lease.token

    taken = second.claim_case(claim.lease.case_id, take_over=True)
    assert taken.lease.session == "second"
    with pytest.raises(LeaseLost, match="another terminal") as raised:
        decide(ada, claim)
    assert raised.value.holder == "ada"
    assert world.query("SELECT count(*) FROM reviews") == [(0,)]
    assert decide(second, taken).verdict == "upheld"


def test_the_old_terminal_cannot_give_back_what_was_taken_over(world: World, ada: Desk) -> None:
    second = world.desk("ada", session="second")
    claim = ada.claim("credit")
    taken = second.claim_case(claim.lease.case_id, take_over=True)
    ada.release(claim.lease)
    assert second.extend(taken.lease).token == taken.lease.token


def test_a_clock_moved_back_frees_nothing_and_loses_nothing(world: World, ada: Desk, ben: Desk) -> None:
    claim = ada.claim("credit")
    world.clock.forward(minutes=-60)
    with pytest.raises(Refused, match="ada"):
        ben.claim_case(claim.lease.case_id)
    assert ben.claim("credit").lease.case_id != claim.lease.case_id
    receipt = decide(ada, claim)
    assert receipt.case_id == claim.lease.case_id
    again = ada.undo(claim.lease.case_id)
    assert again.lease.token > claim.lease.token
    assert decide(ada, again).repeated is False
    assert world.verify().ok


def test_tokens_only_grow(world: World, ada: Desk, ben: Desk) -> None:
    case_id = ada.ids(Filter(queue="credit"))[0]
    tokens = []
    for desk in (ada, ben, ada):
        tokens.append(desk.claim_case(case_id).lease.token)
        world.clock.forward(minutes=16)
    claim = ada.claim_case(case_id)
    decide(ada, claim)
    again = ada.undo()
    ada.release(again.lease)
    tokens += [claim.lease.token, again.lease.token, ben.claim_case(case_id).lease.token]
    assert tokens == sorted(set(tokens))


def test_answers_that_came_too_late_are_kept_as_a_draft(world: World, ada: Desk, ben: Desk) -> None:
    claim = ada.claim("credit")
    world.clock.now = claim.lease.until
    late = decision(claim, {"support": "partly", "label": "approve"}, seconds=42)
    with pytest.raises(LeaseLost, match="kept as a draft"):
        ada.decide(late)
    again = ada.claim_case(claim.lease.case_id)
    assert (again.draft.answers, again.draft.seconds) == ({"support": "partly", "label": "approve"}, 42)


def test_a_terminal_that_lost_its_case_does_not_write_over_the_newer_draft(world: World, ada: Desk) -> None:
    second = world.desk("ada", session="second")
    claim = ada.claim("credit")
    taken = second.claim_case(claim.lease.case_id, take_over=True)
    second.save_draft(taken.lease.case_id, Draft({"support": "partly"}))
    with pytest.raises(LeaseLost):
        decide(ada, claim, {"support": "supported"})
    assert second.claim_case(taken.lease.case_id).draft.answers == {"support": "partly"}
