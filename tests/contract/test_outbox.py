"""What a decision, an undo and an erasing do to the events that wait to be told."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from app.deliver.deliverer import Deliverer
from app.deliver.events import RETRACTED, VERDICT, Routes
from app.desk import erasing
from app.desk.local import LocalDesk
from app.desk.protocol import Desk
from app.desk.remote import RemoteDesk
from app.model.connection import Delivery
from app.model.errors import Undelivered
from db import outbox
from tests.contract.worlds import KEYS, OPEN_QUEUES, POLICIES, RUBRICS, StoreWorld, decide, decision, overturning


class Inbox:
    """A sink that keeps what it gets, unless it is told to refuse."""

    def __init__(self) -> None:
        self.got: list[Delivery] = []
        self.refuses = False

    def send(self, delivery: Delivery) -> None:
        if self.refuses:
            raise Undelivered("no")
        self.got.append(delivery)

    def close(self) -> None:
        """Nothing to let go of."""

    @property
    def told(self) -> list[tuple[str, str]]:
        """Type and sequence of what came."""
        return [(delivery.event["type"], delivery.event["sequence"].lstrip("0")) for delivery in self.got]


@pytest.fixture
def ada(world: StoreWorld) -> Desk:
    """Ada's terminal; verdicts go to `hook`."""
    return world.desk("ada", deliver=["hook"])


def send(world: StoreWorld, inbox: Inbox) -> int:
    """Sends what is due; returns how much arrived."""
    with world.store() as store:
        return Deliverer(store, lambda name: inbox, ["hook"], world.clock).deliver().sent


def kept(world: StoreWorld) -> tuple[list[Any], list[Any]]:
    """Events and deliveries as they are kept."""
    events = world.query("SELECT case_id, sequence, kind FROM outbox ORDER BY case_id, sequence")
    deliveries = world.query("SELECT case_id, sequence, sink, state FROM deliveries ORDER BY case_id, sequence, sink")
    return events, deliveries


def erase(world: StoreWorld, case_id: int) -> None:
    """Erases a prediction, whoever holds it."""
    with world.store() as store:
        erasing.erase(store, KEYS, erasing.plan_case(store, case_id), "dpo", world.clock(), even_if_held=True)


def test_a_decision_writes_its_event(world: StoreWorld, ada: Desk) -> None:
    claim = ada.claim()
    receipt = decide(ada, claim, overturning(claim.view))
    case_id = claim.lease.case_id
    assert kept(world) == ([(case_id, 1, "verdict")], [(case_id, 1, "hook", "pending")])
    inbox = Inbox()
    assert send(world, inbox) == 1 and send(world, inbox) == 0
    event = inbox.got[0].event
    assert (event["id"], event["type"], event["subject"]) == (receipt.decision_id, VERDICT, receipt.id)
    data = event["data"]
    assert (data["verdict"], data["label"], data["supersedes"]) == (receipt.verdict, receipt.label, None)
    assert data["answers"]["rationale"] and data["rubric"]["hash"] == claim.view.rubric.hash


def test_a_decision_that_is_repeated_is_told_once(world: StoreWorld, ada: Desk) -> None:
    made = decision(ada.claim())
    ada.decide(made)
    assert ada.decide(made).repeated
    assert len(kept(world)[0]) == 1


@pytest.mark.parametrize("broken", ["audit", "deliveries", "outbox", "verdicts"])
def test_all_of_it_is_kept_or_nothing(world: StoreWorld, ada: Desk, broken: str) -> None:
    made = decision(ada.claim())
    world.refuse_rows(broken)
    if isinstance(ada, RemoteDesk):
        # Through a hub that cannot serve it is kept in the terminal.
        assert not ada.decide(made).sent
    else:
        with pytest.raises(Exception, match="broken"):
            ada.decide(made)
    assert kept(world) == ([], [])
    assert world.query("SELECT count(*) FROM reviews WHERE case_id = ?", made.case_id) == [(0,)]
    world.take_rows_again(broken)
    assert ada.decide(made).sent
    assert len(kept(world)[0]) == len(kept(world)[1]) == 1


def test_an_undo_before_sending_tells_nothing(world: StoreWorld, ada: Desk) -> None:
    decide(ada, ada.claim())
    ada.undo()
    assert [row[2:] for row in kept(world)[1]] == [("hook", "cancelled")]
    inbox = Inbox()
    assert send(world, inbox) == 0 and inbox.got == []


def test_an_undo_after_sending_takes_it_back(world: StoreWorld, ada: Desk) -> None:
    inbox = Inbox()
    receipt = decide(ada, ada.claim())
    send(world, inbox)
    ada.undo()
    send(world, inbox)
    assert inbox.told == [(VERDICT, "1"), (RETRACTED, "2")]
    data = inbox.got[1].event["data"]
    assert (data["decision_id"], data["supersedes"]) == (receipt.decision_id, receipt.decision_id)
    assert inbox.got[1].event_id != receipt.decision_id


def test_an_undo_while_it_is_sent_takes_it_back_afterwards(world: StoreWorld, ada: Desk) -> None:
    decide(ada, ada.claim())
    inbox = Inbox()

    class Undoing(Inbox):
        def send(self, delivery: Delivery) -> None:
            if not inbox.got:
                ada.undo()
            inbox.send(delivery)

    send(world, Undoing())
    send(world, inbox)
    assert inbox.told == [(VERDICT, "1"), (RETRACTED, "2")]


def test_an_undo_between_two_attempts_takes_it_back_after_the_verdict(world: StoreWorld, ada: Desk) -> None:
    inbox = Inbox()
    inbox.refuses = True
    decide(ada, ada.claim())
    send(world, inbox)
    ada.undo()
    inbox.refuses = False
    assert send(world, inbox) == 0
    world.clock.forward(minutes=1)
    assert send(world, inbox) == 2
    assert inbox.told == [(VERDICT, "1"), (RETRACTED, "2")]


@pytest.mark.parametrize("sent", [True, False])
def test_a_second_decision_supersedes_the_first(world: StoreWorld, ada: Desk, sent: bool) -> None:
    inbox = Inbox()
    first = decide(ada, ada.claim())
    if sent:
        send(world, inbox)
    again = ada.undo()
    second = decide(ada, again, overturning(again.view))
    send(world, inbox)
    told = [(VERDICT, "1"), (RETRACTED, "2"), (VERDICT, "3")] if sent else [(VERDICT, "2")]
    assert inbox.told == told
    assert inbox.got[-1].event_id == second.decision_id
    before = inbox.got[1].event_id if sent else first.decision_id
    assert inbox.got[-1].event["data"]["supersedes"] == before


def test_after_undo_waits_until_the_undo_is_over(world: StoreWorld) -> None:
    policies = {name: POLICIES[name].model_copy(update={"deliver": ["hook"]}) for name in OPEN_QUEUES}
    routes = Routes(after_undo=frozenset({"hook"}))
    with world.store() as store:
        desk = LocalDesk(store, "ada", policies, dict(RUBRICS), "first", world.clock, routes)
        inbox = Inbox()
        decide(desk, desk.claim())
        world.clock.forward(minutes=4.9)
        assert send(world, inbox) == 0
        world.clock.forward(minutes=0.1)
        assert send(world, inbox) == 1


def test_verdicts_go_back_to_the_source_that_wants_them(world: StoreWorld) -> None:
    policies = {name: POLICIES[name] for name in OPEN_QUEUES}
    with world.store() as store:
        desk = LocalDesk(store, "ada", policies, dict(RUBRICS), "first", world.clock, Routes(frozenset({"tracker"})))
        mine, other = desk.claim(), desk.claim()
        values = f"({mine.lease.case_id}, 'tracker', '{{}}'), ({other.lease.case_id}, 'folder', '{{}}')"
        world.run(f"INSERT INTO origins (case_id, source, reference) VALUES {values}")
        decide(desk, mine)
        decide(desk, other)
    assert [row[0::2] for row in kept(world)[1]] == [(mine.lease.case_id, "tracker")]


def test_without_a_sink_there_is_no_event(world: StoreWorld) -> None:
    desk = world.desk("ada")
    decide(desk, desk.claim())
    desk.undo()
    assert kept(world) == ([], [])


def test_erasing_a_case_erases_its_events(world: StoreWorld, ada: Desk) -> None:
    gone, stays = ada.claim(), ada.claim()
    for claim in (gone, stays):
        decide(ada, claim, overturning(claim.view))
    erase(world, gone.lease.case_id)
    assert [row[0] for rows in kept(world) for row in rows] == [stays.lease.case_id] * 2
    inbox = Inbox()
    assert send(world, inbox) == 1 and inbox.got[0].event["subject"] == stays.view.row.id


def test_erasing_while_it_is_sent_does_no_harm(world: StoreWorld, ada: Desk) -> None:
    claim = ada.claim()
    decide(ada, claim)

    class Erasing(Inbox):
        def send(self, delivery: Delivery) -> None:
            erase(world, claim.lease.case_id)

    send(world, Erasing())
    assert kept(world) == ([], [])


def test_events_are_json_without_what_was_withheld(world: StoreWorld, ada: Desk) -> None:
    claim = ada.claim()
    decide(ada, claim)
    with world.store() as store, store.read() as connection:
        due = outbox.due(connection, "hook", world.clock(), 10)
    data = orjson.loads(due[0].body)["data"]
    assert not {"inputs", "sensitive", "subject", "explanations"} & set(data)
