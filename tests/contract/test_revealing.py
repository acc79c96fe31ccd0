"""Break-glass: sealed values come back to an officer with a reason, once, for minutes, and never without the log."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.desk import officers
from app.desk.protocol import Desk
from app.desk.revealing import approval_purpose
from app.intake.admission import Admission
from app.model.errors import BadInput, NothingToDo, Refused, Unavailable
from app.model.policy import RevealPolicy
from app.protect.envelope import OfficerKey, answer, open_values
from tests.builders import lines, record
from tests.contract.worlds import KEYS, POLICIES, WORLDS, Officer, SqliteWorld, World, agreeing, decide, decision

REASON = "the applicant asked for their file"
SECRET = "Nebelhorn-Quastenflosser"
HOUR = 60


def sealed_record(case: str) -> dict[str, Any]:
    return record(
        id=case,
        subject=f"subject of {case}",
        sensitive=[{"name": "sex", "value": f"{SECRET} {case}"}],
        inputs=[
            {"name": "month", "kind": "number", "value": 48},
            {"name": "date_of_birth", "kind": "category", "value": "1984-03-07"},
            {"name": "note", "kind": "text", "value": f"She is {SECRET} {case}, born on 1984-03-07."},
        ],
    )


@pytest.fixture(params=sorted(WORLDS))
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    made = WORLDS[request.param](tmp_path)
    yield made
    made.close()


@pytest.fixture
def olga(world: World) -> Officer:
    """The first officer; three cases are sealed to her."""
    officer = world.officer("olga")
    world.admit("credit", [sealed_record(case) for case in ("a", "b", "c")])
    return officer


def desk_of(world: World, officer: Officer, **reveal: Any) -> Desk:
    return world.desk(officer.person, reveal=RevealPolicy(**{"approval": False, **reveal}))


def opened(desk: Desk, officer: Officer, case: str, *fields: str) -> dict[str, Any]:
    """What an officer sees who asks and needs no second person."""
    request = desk.ask_reveal(desk.find(case), fields, REASON)
    handed = desk.open_reveal(request.reveal_id)
    return open_values(officer.private, handed.key, handed.values, handed.place)


def actions(world: World) -> list[str]:
    return [row[0] for row in world.query("SELECT action FROM audit ORDER BY seq")]


def test_what_was_withheld_comes_back_whole(world: World, olga: Officer) -> None:
    desk = desk_of(world, olga)
    fields = desk.sealed_fields(desk.find("a"))
    assert set(fields) == {"sensitive.sex", "subject", "inputs.date_of_birth", "text.inputs.note"}
    assert opened(desk, olga, "a", *fields) == {
        "sensitive.sex": f"{SECRET} a",
        "subject": "subject of a",
        "inputs.date_of_birth": "1984-03-07",
        "text.inputs.note": f"She is {SECRET} a, born on 1984-03-07.",
    }


def test_without_an_officer_nothing_is_kept(world: World) -> None:
    world.admit("credit", [sealed_record("a")])
    desk = world.desk("ada")
    assert desk.sealed_fields(desk.find("a")) == ()
    assert world.query("SELECT count(*) FROM sealed_values") == [(0,)]
    with pytest.raises(Refused, match="no officer here"):
        desk.ask_reveal(desk.find("a"), ["sensitive.sex"], REASON)


def test_a_policy_may_keep_nothing(world: World) -> None:
    world.officer("olga")
    policy = POLICIES["credit"].model_copy(update={"seal": False})
    with world.store() as store:
        admission = Admission(store, KEYS, "credit", policy, "importer", clock=world.clock)
        assert [count.admitted for count in admission.run(lines([sealed_record("a")]), "file")] == [1]
    assert world.query("SELECT count(*) FROM sealed_values") == [(0,)]


def test_the_intent_is_in_the_log_before_anything_is_handed_out(world: World, olga: Officer) -> None:
    desk = desk_of(world, olga)
    opened(desk, olga, "a", "sensitive.sex")
    assert actions(world)[-2:] == ["reveal_asked", "revealing"]
    bodies = b"".join(row[0] for row in world.query("SELECT body FROM audit"))
    assert SECRET.encode() not in bodies
    assert REASON.encode() not in bodies
    assert world.verify().ok


def test_a_request_opens_once(world: World, olga: Officer) -> None:
    desk = desk_of(world, olga)
    request = desk.ask_reveal(desk.find("a"), ["sensitive.sex"], REASON)
    desk.open_reveal(request.reveal_id)
    with pytest.raises(Refused, match="opened already"):
        desk.open_reveal(request.reveal_id)


def test_values_are_to_be_masked_again_within_the_policys_minutes(world: World, olga: Officer) -> None:
    desk = desk_of(world, olga, minutes=7)
    request = desk.ask_reveal(desk.find("a"), ["subject"], REASON)
    assert desk.open_reveal(request.reveal_id).until == world.clock.now + 7 * 60_000
    with pytest.raises(ValueError, match="less than or equal to 15"):
        RevealPolicy(minutes=16)


def test_an_old_request_has_to_be_made_again(world: World, olga: Officer) -> None:
    desk = desk_of(world, olga)
    request = desk.ask_reveal(desk.find("a"), ["subject"], REASON)
    world.clock.forward(minutes=24 * HOUR + 1)
    assert desk.reveals()[0].state == "expired"
    with pytest.raises(Refused, match="older than 24 hours"):
        desk.open_reveal(request.reveal_id)


def test_the_daily_cap_counts_what_was_opened(world: World, olga: Officer) -> None:
    desk = desk_of(world, olga, daily=2)
    for case in ("a", "b"):
        opened(desk, olga, case, "subject")
    with pytest.raises(Refused, match="allows no more"):
        opened(desk, olga, "c", "subject")
    world.clock.forward(minutes=24 * HOUR + 1)
    assert opened(desk, olga, "c", "subject") == {"subject": "subject of c"}


@pytest.mark.parametrize(
    ("fields", "reason", "said"),
    [
        (["sensitive.sex"], "because", "needs a reason"),
        ([], REASON, "Name the fields"),
        (["sensitive.age"], REASON, "no sealed field 'sensitive.age'. There are: inputs.date_of_birth"),
    ],
)
def test_a_request_needs_a_reason_and_fields(
    world: World, olga: Officer, fields: list[str], reason: str, said: str
) -> None:
    desk = desk_of(world, olga)
    with pytest.raises(BadInput, match=said):
        desk.ask_reveal(desk.find("a"), fields, reason)
    assert desk.reveals() == []


# -- the second person -------------------------------------------------------------------------------


def approve(desk: Desk, officer: Officer, reveal_id: int) -> None:
    key_id, closed = desk.approval_challenge(reveal_id)
    assert key_id == officer.key_id
    desk.approve_reveal(reveal_id, answer(officer.private, closed, approval_purpose(reveal_id)))


def test_a_second_officer_approves(world: World, olga: Officer) -> None:
    omar = world.officer("omar", by=olga)
    asking = desk_of(world, olga, approval=True)
    request = asking.ask_reveal(asking.find("a"), ["subject"], REASON)
    assert request.state == "asked"
    with pytest.raises(NothingToDo, match="waits for another officer"):
        asking.open_reveal(request.reveal_id)
    approve(desk_of(world, omar, approval=True), omar, request.reveal_id)
    assert asking.reveals()[0].approver == "omar"
    handed = asking.open_reveal(request.reveal_id)
    assert open_values(olga.private, handed.key, handed.values, handed.place) == {"subject": "subject of a"}
    assert actions(world)[-3:] == ["reveal_asked", "reveal_approved", "revealing"]


def test_nobody_approves_their_own_request_nor_opens_anothers(world: World, olga: Officer) -> None:
    omar = world.officer("omar", by=olga)
    asking, other = desk_of(world, olga, approval=True), desk_of(world, omar, approval=True)
    request = asking.ask_reveal(asking.find("a"), ["subject"], REASON)
    with pytest.raises(Refused, match="nobody approves their own"):
        asking.approval_challenge(request.reveal_id)
    approve(other, omar, request.reveal_id)
    with pytest.raises(Refused, match="olga's"):
        other.open_reveal(request.reveal_id)


def test_an_approval_needs_the_private_key(world: World, olga: Officer) -> None:
    omar = world.officer("omar", by=olga)
    asking, other = desk_of(world, olga, approval=True), desk_of(world, omar, approval=True)
    request = asking.ask_reveal(asking.find("a"), ["subject"], REASON)
    _, closed = other.approval_challenge(request.reveal_id)
    with pytest.raises(Unavailable, match="not the private key"):
        answer(olga.private, closed, approval_purpose(request.reveal_id))
    for forged in (b"", bytes(32)):
        with pytest.raises(Refused, match="Nothing was approved"):
            other.approve_reveal(request.reveal_id, forged)
    # Somebody who only says that they are omar cannot use omar's answer to another challenge.
    with pytest.raises(Refused, match="no officer here"):
        world.desk("mallory").approval_challenge(request.reveal_id)


def test_todays_policy_counts_when_a_request_is_opened(world: World, olga: Officer) -> None:
    omar = world.officer("omar", by=olga)
    request = desk_of(world, olga).ask_reveal(1, ["subject"], REASON)
    stricter = desk_of(world, olga, approval=True)
    with pytest.raises(NothingToDo, match="waits for another officer"):
        stricter.open_reveal(request.reveal_id)
    approve(desk_of(world, omar, approval=True), omar, request.reveal_id)
    assert stricter.open_reveal(request.reveal_id).values


def test_a_lost_last_key_can_be_given_up(world: World, olga: Officer) -> None:
    desk = desk_of(world, olga)
    with world.store() as store:
        assert (
            officers.retire(store, officers.of_person(store, "olga"), None, olga.key_id, world.clock(), last=True) == 3
        )
    assert desk.sealed_fields(1) == ()
    assert world.query("SELECT count(*) FROM sealed_values") == [(0,)]
    world.officer("olga")
    assert world.verify().ok


def test_a_declined_request_stays_closed(world: World, olga: Officer) -> None:
    omar = world.officer("omar", by=olga)
    asking = desk_of(world, olga, approval=True)
    request = asking.ask_reveal(asking.find("a"), ["subject"], REASON)
    desk_of(world, omar, approval=True).decline_reveal(request.reveal_id)
    with pytest.raises(Refused, match="declined by omar"):
        asking.open_reveal(request.reveal_id)


# -- keys --------------------------------------------------------------------------------------------


def test_a_later_officer_opens_older_cases_only_after_they_were_shared(world: World, olga: Officer) -> None:
    omar = world.officer("omar", by=olga)
    desk = desk_of(world, omar)
    with pytest.raises(Refused, match="sealed before you became an officer"):
        desk.ask_reveal(desk.find("a"), ["subject"], REASON)
    with world.store() as store:
        mine = officers.of_person(store, "olga")
        assert officers.share(store, mine, olga.private, omar.key_id, world.clock()).done == 3
        assert officers.share(store, mine, olga.private, omar.key_id, world.clock()).done == 0
    assert opened(desk, omar, "a", "subject") == {"subject": "subject of a"}


def test_only_the_officers_own_key_lets_others_in(world: World, olga: Officer) -> None:
    omar = world.officer("omar", by=olga)
    with pytest.raises(Refused, match="not the private key of olga"):
        world.officer("mallory", by=Officer("olga", omar.private, omar.key_id))
    with world.store() as store, pytest.raises(Refused, match="already"):
        officers.begin(store, OfficerKey("mallory", bytes(32)), world.clock())
    assert world.verify().ok


def test_a_retired_key_opens_nothing_any_more(world: World, olga: Officer) -> None:
    omar = world.officer("omar", by=olga)
    with world.store() as store:
        row = officers.of_person(store, "omar")
        with pytest.raises(BadInput, match="no officer's key"):
            officers.retire(store, row, omar.private, "0" * 16, world.clock())
        for nobodys in (None, olga.private):
            with pytest.raises(Refused, match="Nothing was changed"):
                officers.retire(store, row, nobodys, olga.key_id, world.clock())
        assert officers.retire(store, row, omar.private, olga.key_id, world.clock()) == 3
        with pytest.raises(Refused, match="last officer's key"):
            officers.retire(store, row, omar.private, omar.key_id, world.clock())
    desk = desk_of(world, olga)
    with pytest.raises(Refused, match="no officer here"):
        desk.ask_reveal(desk.find("a"), ["subject"], REASON)
    assert world.verify().ok


def test_a_wrong_key_and_a_swapped_value_do_not_open(world: World, olga: Officer) -> None:
    omar = world.officer("omar", by=olga)
    desk = desk_of(world, olga)
    handed = desk.open_reveal(desk.ask_reveal(desk.find("a"), ["sensitive.sex", "subject"], REASON).reveal_id)
    with pytest.raises(Unavailable, match="Nothing was shown"):
        open_values(omar.private, handed.key, handed.values, handed.place)
    swapped = {"sensitive.sex": handed.values["subject"], "subject": handed.values["sensitive.sex"]}
    with pytest.raises(Unavailable, match="moved from another case"):
        open_values(olga.private, handed.key, swapped, handed.place)


def test_a_value_moved_to_another_case_beside_the_program_does_not_open(tmp_path: Path) -> None:
    world = SqliteWorld(tmp_path)
    olga = world.officer("olga")
    world.admit("credit", [sealed_record(case) for case in ("a", "b")])
    for table in ("sealed_values", "sealed_keys"):
        world.run(f"DELETE FROM {table} WHERE case_id = 2", f"UPDATE {table} SET case_id = 2 WHERE case_id = 1")
    desk = desk_of(world, olga)
    with pytest.raises(Unavailable, match="do not open"):
        opened(desk, olga, "b", "sensitive.sex")
    world.close()


def test_no_log_no_act(tmp_path: Path) -> None:
    """With a log that cannot be written, none of 1,000 reveals and decisions goes through."""
    world = SqliteWorld(tmp_path)
    olga = world.officer("olga")
    world.admit("credit", [sealed_record(case) for case in ("a", "b")])
    desk = desk_of(world, olga)
    request = desk.ask_reveal(desk.find("a"), ["subject"], REASON)
    claim = desk.claim_case(desk.find("b"))
    world.run("CREATE TRIGGER no_more BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'append-only'); END")
    before = world.query("SELECT state, opened_at FROM reveals"), world.query("SELECT count(*) FROM reviews")
    refused = 0
    for _ in range(500):
        with pytest.raises(Unavailable, match="the last act was not carried out"):
            desk.open_reveal(request.reveal_id)
        with pytest.raises(Unavailable):
            desk.decide(decision(claim, agreeing(claim.view)))
        refused += 2
    assert refused == 1000
    assert before == (world.query("SELECT state, opened_at FROM reveals"), world.query("SELECT count(*) FROM reviews"))
    world.run("DROP TRIGGER no_more")
    assert desk.open_reveal(request.reveal_id).values
    decide(desk, claim)
    assert world.verify().ok
    world.close()
