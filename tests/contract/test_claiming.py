"""Claims: in which order, for how long, and what is said where there is nothing to claim."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from app.desk.protocol import Desk
from app.model.case import CaseRow, Filter
from app.model.errors import BadInput, LeaseLost, NothingToDo, Refused
from tests.contract.worlds import OPEN_QUEUES, World, decide, decision, samples


def urgency(row: CaseRow) -> tuple[int, int, int]:
    """What cases are ordered by: priority, due time, age."""
    return (-row.priority, row.due_at, row.case_id)


def settle_all(desk: Desk, queue: str) -> int:
    """Decides everything that a queue gives out."""
    n = 0
    while True:
        try:
            claim = desk.claim(queue)
        except NothingToDo:
            return n
        decide(desk, claim)
        n += 1


def claim_all_but(desk: Desk, queue: str, left: int) -> None:
    """Leases the head of a queue until `left` cases are open."""
    while next(s for s in desk.backlog() if s.queue == queue).open > left:
        desk.claim(queue)


@pytest.mark.parametrize("queue", [*OPEN_QUEUES, None])
def test_the_most_urgent_comes_first(ada: Desk, queue: str | None) -> None:
    listed = list(ada.ids(Filter(queue=queue)))
    rows = ada.rows(listed)
    assert listed == sorted(listed, key=lambda i: urgency(rows[i]))
    given = [ada.claim(queue).lease.case_id for _ in listed]
    assert given == listed
    with pytest.raises(NothingToDo):
        ada.claim(queue)


def test_equal_priority_goes_by_due_time_then_age(world: World, ada: Desk) -> None:
    record = samples("credit")[0]
    world.clock.forward(minutes=-60)
    world.admit("credit", [{**record, "id": "early"}])
    world.clock.forward(minutes=60)
    world.admit("credit", [{**record, "id": "late-1"}, {**record, "id": "late-2"}])
    rows = ada.rows(ada.ids(Filter(queue="credit")))
    equals = [row.id for row in rows.values() if row.id in ("early", "late-1", "late-2")]
    priorities = {row.priority for row in rows.values() if row.id in equals}
    assert len(priorities) == 1
    order = [ada.rows([i])[i].id for i in ada.ids(Filter(queue="credit"))]
    assert [i for i in order if i in equals] == ["early", "late-1", "late-2"]


def test_two_people_never_get_the_same_case(ada: Desk, ben: Desk) -> None:
    given = [desk.claim("credit").lease.case_id for _ in range(12) for desk in (ada, ben)]
    assert len(set(given)) == 24


def test_a_lease_says_who_where_and_until_when(world: World, ada: Desk) -> None:
    claim = ada.claim("credit")
    lease = claim.lease
    assert (lease.person, lease.session, lease.until) == ("ada", "first", world.clock.now + 15 * 60_000)
    row = ada.rows([lease.case_id])[lease.case_id]
    assert (row.state, row.holder, row.wake_at) == ("leased", "ada", lease.until)
    assert claim.view.row == row


def test_an_expired_case_is_given_out_again_with_a_higher_token(world: World, ada: Desk, ben: Desk) -> None:
    first = ada.claim("credit").lease
    world.clock.now = first.until - 1
    assert ben.claim("credit").lease.case_id != first.case_id
    world.clock.now = first.until
    second = ben.claim("credit").lease
    assert second.case_id == first.case_id
    assert second.token > first.token


def test_extending_moves_the_end(world: World, ada: Desk, ben: Desk) -> None:
    lease = ada.claim("credit").lease
    world.clock.forward(minutes=14)
    longer = ada.extend(lease)
    assert (longer.token, longer.until) == (lease.token, world.clock.now + 15 * 60_000)
    world.clock.forward(minutes=14)
    with pytest.raises(Refused, match="ada"):
        ben.claim_case(lease.case_id)


def test_an_expired_lease_cannot_be_extended(world: World, ada: Desk) -> None:
    lease = ada.claim("credit").lease
    world.clock.now = lease.until
    with pytest.raises(LeaseLost, match="ran out"):
        ada.extend(lease)


def test_a_released_case_is_first_in_line_again(ada: Desk, ben: Desk) -> None:
    lease = ada.claim("credit").lease
    ada.release(lease)
    assert ada.rows([lease.case_id])[lease.case_id].holder is None
    assert ben.claim("credit").lease.case_id == lease.case_id
    # Giving it back a second time must not take it from Ben.
    ada.release(lease)
    assert ben.rows([lease.case_id])[lease.case_id].holder == "ben"


def test_releasing_does_not_count_towards_parking(world: World, ada: Desk) -> None:
    case_id = ada.ids(Filter(queue="credit"))[0]
    for _ in range(5):
        ada.release(ada.claim("credit").lease)
        ada.release(ada.claim_case(case_id).lease)
    world.clock.forward(minutes=16)
    assert ada.claim("credit").lease.case_id == case_id


@pytest.mark.parametrize("by_name", [False, True])
def test_a_case_that_expires_again_and_again_is_parked(world: World, ada: Desk, by_name: bool) -> None:
    case_id = ada.ids(Filter(queue="credit"))[0]
    for _ in range(3):
        claim = ada.claim_case(case_id) if by_name else ada.claim("credit")
        assert claim.lease.case_id == case_id
        world.clock.forward(minutes=16)
    assert ada.claim("credit").lease.case_id != case_id
    row = ada.rows([case_id])[case_id]
    assert (row.state, row.holder, row.note) == ("parked", None, "claimed 3 times and not decided")


def test_a_case_put_back_by_the_lead_gets_all_its_chances_again(world: World, ada: Desk) -> None:
    case_id = ada.ids(Filter(queue="credit"))[0]
    for _ in range(4):
        ada.claim("credit")
        world.clock.forward(minutes=16)
    assert ada.rows([case_id])[case_id].state == "parked"
    ada.unpark(case_id)
    world.clock.forward(minutes=16)
    assert ada.claim("credit").lease.case_id == case_id
    world.clock.forward(minutes=16)
    assert ada.claim("credit").lease.case_id == case_id


def test_a_deferred_case_wakes_in_time(world: World, ada: Desk, ben: Desk) -> None:
    lease = ada.claim("credit").lease
    ada.defer(lease, 60)
    row = ada.rows([lease.case_id])[lease.case_id]
    assert (row.state, row.holder, row.wake_at) == ("deferred", None, world.clock.now + 60 * 60_000)
    assert ben.claim("credit").lease.case_id != lease.case_id
    world.clock.forward(minutes=59)
    settle_all(ben, "credit")
    world.clock.forward(minutes=1)
    assert ben.claim("credit").lease.case_id == lease.case_id


@pytest.mark.parametrize("minutes", [0, -5, 60 * 24 * 91, float("nan")])
def test_a_deferral_has_bounds(ada: Desk, minutes: float) -> None:
    lease = ada.claim("credit").lease
    with pytest.raises(BadInput):
        ada.defer(lease, minutes)
    assert ada.rows([lease.case_id])[lease.case_id].state == "leased"


def test_parked_and_put_back(ada: Desk, ben: Desk) -> None:
    lease = ada.claim("credit").lease
    ada.park(lease, "  needs the lead  ")
    row = ben.rows([lease.case_id])[lease.case_id]
    assert (row.state, row.note, row.holder) == ("parked", "needs the lead", None)
    assert ben.claim("credit").lease.case_id != lease.case_id
    ben.unpark(lease.case_id)
    assert ben.rows([lease.case_id])[lease.case_id].note is None
    assert ben.claim("credit").lease.case_id == lease.case_id
    with pytest.raises(Refused, match="leased"):
        ben.unpark(lease.case_id)


def test_parking_needs_a_reason(ada: Desk) -> None:
    lease = ada.claim("credit").lease
    with pytest.raises(BadInput, match="reason"):
        ada.park(lease, "  ")
    assert ada.rows([lease.case_id])[lease.case_id].state == "leased"


def test_a_parked_or_deferred_case_can_be_claimed_by_name(ada: Desk) -> None:
    for act in ("park", "defer"):
        lease = ada.claim("credit").lease
        ada.park(lease, "later") if act == "park" else ada.defer(lease, 5)
        again = ada.claim_case(lease.case_id)
        assert decide(ada, again).case_id == lease.case_id
        assert ada.rows([lease.case_id])[lease.case_id].state == "settled"


def test_skipped_by_one_still_offered_to_others(ada: Desk, ben: Desk) -> None:
    lease = ada.claim("credit").lease
    ada.skip(lease)
    assert ada.claim("credit").lease.case_id != lease.case_id
    assert ben.claim("credit").lease.case_id == lease.case_id


def test_unskip_offers_again_queue_by_queue(ada: Desk) -> None:
    credit, post = ada.claim("credit").lease, ada.claim("moderation").lease
    ada.skip(credit)
    ada.skip(post)
    assert ada.unskip("credit") == 1
    assert ada.claim("credit").lease.case_id == credit.case_id
    assert ada.claim("moderation").lease.case_id != post.case_id
    assert ada.unskip() == 1
    assert ada.claim("moderation").lease.case_id == post.case_id
    assert ada.unskip() == 0


def test_a_flag_changes_nothing_but_is_on_record(ada: Desk, ben: Desk) -> None:
    case_id = ada.ids(Filter(queue="credit"))[0]
    before = ada.rows([case_id])
    ada.flag(case_id, "looks like a duplicate")
    assert ada.rows([case_id]) == before
    entry = ben.history(case_id)[0]
    assert (entry.actor, entry.action, entry.detail) == ("ada", "flagged", "looks like a duplicate")
    with pytest.raises(BadInput, match="note"):
        ada.flag(case_id, " ")
    ada.flag(case_id, "of case 7")
    ada.flag(case_id, "of case 7")
    ben.flag(case_id, "no, another amount")
    details = [one.detail for one in ben.history(case_id)[:3]]
    assert details == ["no, another amount", *2 * ["looks like a duplicate · of case 7"]]


def test_peek_shows_what_claim_gives_and_leases_nothing(ada: Desk, ben: Desk) -> None:
    current = ada.claim("credit").lease.case_id
    peeked = ada.peek("credit", beside=current)
    assert peeked is not None
    assert peeked.row.state == "open"
    assert ben.claim("credit").lease.case_id == peeked.row.case_id


# -- nothing to do -----------------------------------------------------------------------------------


def reason(desk: Desk, queue: str | None = "credit") -> str:
    """Why there is nothing to do."""
    with pytest.raises(NothingToDo) as raised:
        desk.claim(queue)
    return str(raised.value)


def test_an_empty_queue_says_how_to_fill_it(world: World) -> None:
    world_without = world.desk("ada", queues=())
    assert "no cases" in reason(world_without, None)


def test_all_settled_says_how_many(ada: Desk) -> None:
    settle_all(ada, "credit")
    assert reason(ada) == "Everything in 'credit' is decided: 24 cases settled."


def test_held_by_others_says_until_when(world: World, ada: Desk, ben: Desk) -> None:
    own = ada.claim("credit")
    world.clock.forward(minutes=10)
    claim_all_but(ben, "credit", 0)
    said = reason(ada)
    # Ada's own lease ends in 5 minutes, but what she waits for is Ben's.
    assert "23 held by others (the first comes back in 15 min)" in said
    assert "1 held by you already" in said
    world.clock.forward(minutes=3)
    assert "(the first comes back in 12 min)" in reason(ada)
    decide(ada, own)
    assert "held by you" not in reason(ada)


def test_deferred_parked_and_skipped_are_counted_apart(world: World, ada: Desk) -> None:
    ada.defer(ada.claim("credit").lease, 90)
    ada.park(ada.claim("credit").lease, "odd")
    for _ in range(2):
        ada.skip(ada.claim("credit").lease)
    settle_all(ada, "credit")
    said = reason(ada)
    assert "2 skipped by you" in said
    assert "1 deferred (the first comes back in 90 min)" in said
    assert "1 parked" in said
    assert "settled" not in said
    world.clock.forward(minutes=90)
    decide(ada, ada.claim("credit"))
    assert "deferred" not in reason(ada)


def test_an_unknown_queue_is_named(ada: Desk) -> None:
    with pytest.raises(BadInput, match="credit"):
        ada.claim("credits")


@pytest.mark.parametrize("case_id", [0, -1, 10_000])
def test_an_unknown_case_is_said_to_be_none(ada: Desk, case_id: int) -> None:
    known = ada.claim("credit")
    lease = type(known.lease)(case_id, 1, "ada", "first", known.lease.until)
    acts: list[Callable[[], object]] = [
        lambda: ada.claim_case(case_id),
        lambda: ada.view(case_id),
        lambda: ada.similar(case_id),
        lambda: ada.extend(lease),
        lambda: ada.unpark(case_id),
        lambda: ada.flag(case_id, "note"),
        lambda: ada.save_draft(case_id, known.draft),
        lambda: ada.decide(type(decision(known))("x", case_id, 1, {})),
    ]
    for act in acts:
        with pytest.raises(BadInput, match="no such case"):
            act()
    assert ada.rows([case_id]) == {}
