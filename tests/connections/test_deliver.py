"""Delivering to receivers that behave as receivers do; the clock is set by hand."""

from __future__ import annotations

import tempfile
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.deliver.deliverer import LEASE_MS, Deliverer, resume
from app.deliver.schedule import ATTEMPTS, WAITS
from app.model.connection import Delivery, Sink
from app.model.errors import SettingsError, Undelivered
from db import connections, outbox
from db.engine import Store, open_store, sqlite_url
from tests.connections.receiver import Receiver
from tests.connections.test_webhooks import NEW, sink
from tests.contract.worlds import Clock

HOUR = 3_600_000


@contextmanager
def opened() -> Iterator[Store]:
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(sqlite_url(Path(folder) / "secondlook.db"))
        try:
            yield store
        finally:
            store.close()


@pytest.fixture
def store() -> Iterator[Store]:
    with opened() as made:
        yield made


def put(store: Store, clock: Clock, case_id: int = 1, sinks: tuple[str, ...] = ("hook",), due_at: int = 0) -> str:
    """One more event of a case; returns its id."""
    event_id = str(uuid.uuid4())
    with store.write() as connection:
        before = outbox.newest(connection, case_id)
        sequence = before.sequence + 1 if before else 1
        event = {
            "specversion": "1.0",
            "id": event_id,
            "source": "/secondlook/queues/credit",
            "type": "io.secondlook.verdict.v1",
            "subject": f"case-{case_id}",
            "sequence": f"{sequence:010d}",
            "data": {},
        }
        body = orjson.dumps(event).decode()
        row = {"event_id": event_id, "case_id": case_id, "sequence": sequence, "kind": "verdict", "body": body}
        outbox.put(connection, {**row, "at": clock()}, [(sink, due_at or clock()) for sink in sinks])
    return event_id


def states(store: Store) -> list[tuple[str, int, str]]:
    """State, attempts and error of all deliveries, the oldest first."""
    with store.read() as connection:
        rows = outbox.listed(connection, None, None, 10_000)
    return [(row.state, row.attempts, row.error) for row in reversed(rows)]


def health(store: Store, name: str = "hook") -> connections.Health:
    with store.read() as connection:
        found = connections.one(connection, name, "out")
    assert found
    return found


class Inbox:
    """A sink that keeps what it gets; `act` may refuse."""

    def __init__(self, act: Callable[[Delivery], None] = lambda delivery: None) -> None:
        self.got: list[Delivery] = []
        self._act = act

    def send(self, delivery: Delivery) -> None:
        self._act(delivery)
        self.got.append(delivery)

    def close(self) -> None:
        """Nothing to let go of."""


def deliverer(store: Store, clock: Clock, *named: tuple[str, Sink]) -> Deliverer:
    known = dict(named)
    return Deliverer(store, known.__getitem__, known, clock)


def refuse(**more: Any) -> Callable[[Delivery], None]:
    def act(delivery: Delivery) -> None:
        raise Undelivered("no", **more)

    return act


# -- against a real receiver --------------------------------------------------------------------------

CHAOS = ("drop", "late", "cut", "500", "404", "429", "503", "redirect", "garbage")
PLANS = st.lists(st.tuples(st.integers(1, 3), st.lists(st.sampled_from(CHAOS), max_size=6)), min_size=1, max_size=12)


@settings(max_examples=25, deadline=None)
@given(PLANS)
def test_every_verdict_arrives_once_and_in_the_order_of_its_case(plans: list[tuple[int, list[str]]]) -> None:
    clock = Clock()
    with opened() as store:
        wanted = {put(store, clock, case_id): plan for case_id, plan in plans}

        def behave(event_id: str, times: int) -> str:
            plan = wanted[event_id]
            return plan[times - 1] if times <= len(plan) else "ok"

        with Receiver(NEW, behave, retry_after="90000") as receiver:
            sender = deliverer(store, clock, ("hook", sink(receiver.url, timeout_seconds=5)))
            for _ in range(sum(len(plan) + 1 for _, plan in plans)):
                sender.deliver()
                clock.now += 40 * HOUR
            sender.close()
            assert receiver.problems == []
            assert set(receiver.events) == set(wanted)
            for case_id in range(1, 4):
                mine = [
                    e.get_extension("sequence")
                    for e in receiver.events.values()
                    if e.get_subject() == f"case-{case_id}"
                ]
                assert mine == sorted(mine)
        assert [state for state, _, _ in states(store)] == ["delivered"] * len(wanted)
        assert [attempts for _, attempts, _ in states(store)] == [len(plan) + 1 for plan in wanted.values()]


def test_a_receiver_that_does_not_answer_in_time_is_asked_again(store: Store) -> None:
    clock = Clock()
    put(store, clock)
    with Receiver(NEW, lambda event_id, times: "slow" if times == 1 else "ok") as receiver:
        sender = deliverer(store, clock, ("hook", sink(receiver.url, timeout_seconds=0.2)))
        assert sender.deliver().failed == 1
        assert "in time" in states(store)[0][2] and health(store).state == "failing"
        clock.now += 2 * WAITS[0]
        assert sender.deliver().sent == 1
        assert health(store)[2:4] == ("ok", "")
        sender.close()


def test_410_stops_the_sink_until_a_person_resumes_it(store: Store) -> None:
    clock = Clock()
    ids = [put(store, clock, case_id) for case_id in range(1, 31)]
    gone = True
    with Receiver(NEW, lambda event_id, times: "410" if gone else "ok") as receiver:
        sender = deliverer(store, clock, ("hook", sink(receiver.url)))
        done = sender.deliver()
        told = len(receiver.came)
        assert done.sent == 0 and done.waiting == 30 and told < 30
        assert health(store).state == "stopped"
        for wait in (0, HOUR, 100 * HOUR):
            clock.now += wait
            done = sender.deliver()
            assert "deliveries resume hook" in done.problems["hook"] and "410" in done.problems["hook"]
        assert len(receiver.came) == told
        gone = False
        assert resume(store, "hook", clock()) and not resume(store, "hook", clock())
        assert sender.deliver().sent == 30 and set(receiver.events) == set(ids)
        sender.close()


# -- the rules, one by one ----------------------------------------------------------------------------


def test_a_case_waits_for_its_earlier_event_and_no_other_case_does(store: Store) -> None:
    clock = Clock()
    first = put(store, clock, 1)
    second, other = put(store, clock, 1), put(store, clock, 2)

    def act(delivery: Delivery) -> None:
        if delivery.event_id == first and delivery.attempt == 1:
            raise Undelivered("no")

    inbox = Inbox(act)
    sender = deliverer(store, clock, ("hook", inbox))
    sender.deliver()
    assert [delivery.event_id for delivery in inbox.got] == [other]
    assert 0 < sender.pause(60) <= 6
    clock.now += 2 * WAITS[0]
    sender.deliver()
    assert [delivery.event_id for delivery in inbox.got] == [other, first, second]


def test_after_the_last_attempt_it_is_dead_and_its_case_goes_on(store: Store) -> None:
    clock = Clock()
    dead = put(store, clock)
    after = put(store, clock)
    ids = []

    def act(delivery: Delivery) -> None:
        ids.append(delivery.event_id)
        if delivery.event_id == dead:
            raise Undelivered("no")

    sender = deliverer(store, clock, ("hook", Inbox(act)))
    done = [sender.deliver()]
    while not done[-1].dead:
        clock.now += 30 * HOUR
        done.append(sender.deliver())
    assert len(done) == ATTEMPTS and ids == [dead] * ATTEMPTS + [after]
    assert states(store) == [("dead", ATTEMPTS, "no"), ("delivered", 1, "")]


def test_dead_ones_are_replayed_with_the_same_id_and_a_new_schedule(store: Store) -> None:
    clock = Clock()
    event_id = put(store, clock)
    inbox = Inbox(refuse(final=True))
    sender = deliverer(store, clock, ("hook", inbox))
    assert sender.deliver().dead == 1
    with store.write() as connection:
        assert outbox.replay(connection, clock(), 1, None, None) == 1
    inbox._act = refuse()
    assert sender.deliver().failed == 1 and states(store) == [("pending", 1, "no")]
    clock.now += HOUR
    inbox._act = lambda delivery: None
    assert sender.deliver().sent == 1 and inbox.got[0].event_id == event_id


def test_what_was_overtaken_is_not_replayed(store: Store) -> None:
    clock = Clock()
    first = put(store, clock)
    put(store, clock)

    def act(delivery: Delivery) -> None:
        if delivery.event_id == first:
            raise Undelivered("no", final=True)

    sender = deliverer(store, clock, ("hook", Inbox(act)))
    assert (sender.deliver().dead, states(store)[1][0]) == (1, "delivered")
    with store.write() as connection:
        assert outbox.replay(connection, clock(), None, None, "hook") == 0


def test_one_that_was_tried_and_is_replayed_is_not_called_unsent(store: Store) -> None:
    clock = Clock()
    event_id = put(store, clock)
    deliverer(store, clock, ("hook", Inbox(refuse(final=True)))).deliver()
    with store.write() as connection:
        outbox.replay(connection, clock(), 1, None, None)
        assert outbox.cancel_unsent(connection, event_id) == ["hook"]


def test_retry_after_lets_the_whole_sink_wait(store: Store) -> None:
    clock = Clock()
    for case_id in range(1, 41):
        put(store, clock, case_id)
    inbox = Inbox(refuse(retry_after=600))
    sender = deliverer(store, clock, ("hook", inbox))
    assert 1 <= sender.deliver().failed < 40
    inbox._act = lambda delivery: None
    clock.now += 599_000
    assert sender.deliver().sent == 0 and sender.pause(60) == 60
    clock.now += 300_000
    assert sender.deliver().sent == 40
    # Those that were not tried have no attempt to their name.
    assert sum(attempts for _, attempts, _ in states(store)) < 80


def test_another_deliverer_does_not_send_what_one_is_sending(store: Store) -> None:
    clock = Clock()
    put(store, clock)
    other = Inbox()
    second = deliverer(store, clock, ("hook", other))
    inbox = Inbox(lambda delivery: None if second.deliver().tried == 0 else pytest.fail("sent twice"))
    assert deliverer(store, clock, ("hook", inbox)).deliver().sent == 1
    assert len(inbox.got) == 1 and other.got == []


def test_a_crash_between_sending_and_noting_sends_again_with_the_same_id(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    event_id = put(store, clock)
    inbox = Inbox()
    with monkeypatch.context() as patch:
        patch.setattr(Deliverer, "_note", lambda *words: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            deliverer(store, clock, ("hook", inbox)).deliver()
    fresh = deliverer(store, clock, ("hook", inbox))
    assert fresh.deliver().tried == 0
    clock.now += LEASE_MS
    assert fresh.deliver().sent == 1
    assert [(delivery.event_id, delivery.attempt) for delivery in inbox.got] == [(event_id, 1), (event_id, 2)]


def test_a_late_failure_does_not_undo_what_somebody_else_delivered(store: Store) -> None:
    clock = Clock()
    put(store, clock)

    def late(delivery: Delivery) -> None:
        clock.now += LEASE_MS
        assert deliverer(store, clock, ("hook", Inbox())).deliver().sent == 1
        raise Undelivered("too late", final=True)

    done = deliverer(store, clock, ("hook", Inbox(late))).deliver()
    assert done.dead == 0 and states(store) == [("delivered", 2, "")]


def test_a_sink_that_breaks_harms_no_other(store: Store) -> None:
    clock = Clock()
    put(store, clock, sinks=("broken", "closed", "hook"))
    good = Inbox()

    def broken(delivery: Delivery) -> None:
        raise RuntimeError("a bug")

    def open_one(name: str) -> Sink:
        if name == "closed":
            raise SettingsError("no url")
        return good if name == "hook" else Inbox(broken)

    done = Deliverer(store, open_one, ["broken", "closed", "hook"], clock).deliver()
    assert (done.sent, done.failed, done.waiting) == (1, 1, 2)
    assert done.problems == {"closed": "no url"} and "RuntimeError" in done.errors["broken"]
    assert [health(store, name).state for name in ("broken", "closed", "hook")] == ["failing", "failing", "ok"]


def test_what_a_source_gave_goes_back_to_it_alone(store: Store) -> None:
    clock = Clock()
    put(store, clock, sinks=("tracker", "hook"))
    with store.write() as connection:
        connections.keep_origins(connection, [{"case_id": 1, "source": "tracker", "reference": '{"run": 7}'}])
    tracker, hook = Inbox(), Inbox()
    deliverer(store, clock, ("tracker", tracker), ("hook", hook)).deliver()
    assert (tracker.got[0].reference, hook.got[0].reference) == ({"run": 7}, {})


def test_many_threads_send_at_the_same_time(store: Store) -> None:
    clock = Clock()
    for case_id in range(1, 9):
        put(store, clock, case_id)
    together = threading.Barrier(2, timeout=10)

    def wait(delivery: Delivery) -> None:
        together.wait()

    assert deliverer(store, clock, ("hook", Inbox(wait))).deliver(8).sent == 8


def test_a_limit_is_kept(store: Store) -> None:
    clock = Clock()
    for case_id in range(1, 11):
        put(store, clock, case_id, sinks=("a", "b", "c"))
    sender = deliverer(store, clock, *((name, Inbox()) for name in "abc"))
    assert [sender.deliver(limit).sent for limit in (1, 2, 7)] == [1, 2, 7]
    assert sender.deliver().sent == 20
