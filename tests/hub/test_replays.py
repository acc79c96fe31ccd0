"""Requests under an `Idempotency-Key`: sent again, sent at once, cut off, changed, old, and somebody else's."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from app.hub import ingesting, replays
from app.hub.hub import Hub
from db import answered
from db.engine import Store, open_store
from tests.contract import hubs
from tests.contract.worlds import KEYS, OPEN_QUEUES, POLICIES, RUBRICS, PostgresWorld, SqliteWorld, samples
from tests.hub.conftest import Ask, problem

RECORDS = samples("credit")[12:16]
HOUR = 60.0


def send(client: httpx.Client, key: str, records: object = RECORDS, queue: str = "credit") -> httpx.Response:
    return client.post(f"/predictions?queue={queue}", json=records, headers={"idempotency-key": key})


def was_replayed(answer: httpx.Response) -> bool:
    return bool(answer.headers.get("idempotency-replayed") == "true")


def test_the_same_is_answered_again(ask: Ask, world: SqliteWorld) -> None:
    client = ask("intake")
    first, second = send(client, "monday-1"), send(client, "monday-1")
    assert first.json() == {"admitted": 4, "duplicates": 0, "quarantined": 0, "reasons": {}}
    assert (second.status_code, second.content) == (first.status_code, first.content)
    assert second.headers["content-type"] == first.headers["content-type"]
    assert [was_replayed(first), was_replayed(second)] == [False, True]
    assert world.query("SELECT count(*) FROM audit WHERE action = 'imported' AND seq > 2") == [(1,)]
    # What is kept names neither the key nor what was sent.
    ((asker, key, digest, status),) = world.query("SELECT asker, key, digest, status FROM answered")
    assert asker == world.query("SELECT token_id FROM tokens")[0][0]
    assert (len(key), len(digest), status) == (64, 32, 200)


def test_keys_as_structured_strings_are_the_same_keys(ask: Ask) -> None:
    client = ask("intake")
    assert not was_replayed(send(client, '"a \\"b\\" c"'))
    assert was_replayed(send(client, '"a \\"b\\" c"'))
    assert not was_replayed(send(client, "plain", RECORDS[:1]))
    assert was_replayed(send(client, '"plain"', RECORDS[:1]))


@pytest.mark.parametrize("change", ["body", "queue"])
def test_another_request_under_the_key_is_refused(change: str, ask: Ask) -> None:
    client = ask("intake")
    assert send(client, "k").status_code == 200
    other = send(client, "k", RECORDS[:1]) if change == "body" else send(client, "k", queue="blind")
    assert (other.status_code, problem(other)) == (422, "bad-input")
    assert "another request" in other.json()["detail"]
    assert was_replayed(send(client, "k"))


@pytest.mark.parametrize("key", ["", "k" * 256, '""', '"a', '"a"b"', '"' + "k" * 256 + '"', "a\tb"])
def test_a_key_that_cannot_be_used(key: str, ask: Ask, world: SqliteWorld) -> None:
    answer = send(ask("intake"), key)
    assert (answer.status_code, problem(answer)) == (422, "bad-input")
    assert world.query("SELECT count(*) FROM answered") == [(0,)]


def test_two_keys_are_none(ask: Ask) -> None:
    headers = [("idempotency-key", "a"), ("idempotency-key", "b")]
    assert problem(ask("intake").post("/predictions?queue=credit", json=RECORDS, headers=headers)) == "bad-input"


def test_the_longest_key(ask: Ask) -> None:
    client = ask("intake")
    assert send(client, "k" * 255).status_code == 200
    assert was_replayed(send(client, '"' + "k" * 255 + '"'))


def test_a_token_does_not_read_anothers_answers(ask: Ask) -> None:
    one, other = ask("intake", person="scoring"), ask("intake", person="scoring")
    assert send(one, "k").json()["admitted"] == 4
    answer = send(other, "k")
    assert (was_replayed(answer), answer.json()["duplicates"]) == (False, 4)


def test_refusals_are_kept_as_well_but_for_those_that_may_end(ask: Ask, world: SqliteWorld) -> None:
    client = ask("intake")
    for replayed in (False, True):
        answer = send(client, "k", [])
        assert (answer.status_code, problem(answer), was_replayed(answer)) == (422, "bad-input", replayed)
    assert ask("auditor").post("/predictions?queue=credit", headers={"idempotency-key": "x"}).status_code == 403
    world.refuse_rows("quarantine")
    for _ in range(2):
        answer = send(client, "broken", ["no record"])
        assert (answer.status_code, was_replayed(answer)) == (503, False)
    world.take_rows_again("quarantine")
    assert send(client, "broken", ["no record"]).json()["quarantined"] == 1
    assert world.query("SELECT status FROM answered ORDER BY status") == [(200,), (422,)]


def test_a_defect_is_not_kept(ask: Ask, world: SqliteWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    client = ask("intake")
    client.headers["connection"] = "close"
    with monkeypatch.context() as broken:
        broken.setattr(ingesting, "_records", lambda *_: 1 / 0)
        assert send(client, "k").status_code == 500
    assert world.query("SELECT count(*) FROM answered") == [(0,)]
    assert send(client, "k").json()["admitted"] == 4


def test_after_a_day_it_is_a_new_request(ask: Ask, world: SqliteWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replays, "_FORGET_SECONDS", 0.0)
    client = ask("intake")
    send(client, "old")
    world.clock.forward(minutes=23.9 * HOUR)
    assert was_replayed(send(client, "old"))
    world.clock.forward(minutes=0.2 * HOUR)
    answer = send(client, "old")
    assert (was_replayed(answer), answer.json()["duplicates"]) == (False, 4)
    world.clock.forward(minutes=25 * HOUR)
    send(client, "new")
    assert world.query("SELECT count(*) FROM answered") == [(1,)]


def test_of_a_token_the_newest_answers_are_kept(ask: Ask, world: SqliteWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replays, "_TRIM_EVERY", 1)
    monkeypatch.setattr(replays, "_MOST_OF_ONE", 3)
    client = ask("intake")
    for n in range(6):
        world.clock.forward(ms=1)
        send(client, f"k{n}", RECORDS[:1])
    assert world.query("SELECT count(*) FROM answered") == [(3,)]
    assert was_replayed(send(client, "k5", RECORDS[:1]))
    assert not was_replayed(send(client, "k0", RECORDS[:1]))


@contextmanager
def slow_work(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[threading.Event, threading.Event]]:
    """Admissions that begin (the first event is set) and go on when the second is set."""
    begun, go_on = threading.Event(), threading.Event()
    usual = ingesting._records

    def slow(kind: str, body: bytes) -> object:
        begun.set()
        assert go_on.wait(20)
        return usual(kind, body)

    monkeypatch.setattr(ingesting, "_records", slow)
    yield begun, go_on
    go_on.set()


def test_two_at_once(ask: Ask, world: SqliteWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    client = ask("intake")
    with slow_work(monkeypatch) as (begun, go_on), ThreadPoolExecutor(1) as pool:
        first = pool.submit(send, client, "k")
        assert begun.wait(20)
        second = send(client, "k")
        assert (second.status_code, problem(second)) == (409, "being-worked-on")
        assert int(second.headers["retry-after"]) >= 1
        assert send(client, "k", RECORDS[:1]).status_code == 422
        go_on.set()
        assert first.result().json()["admitted"] == 4
    assert was_replayed(send(client, "k"))


def test_many_at_once_count_once(ask: Ask, world: SqliteWorld) -> None:
    client = ask("intake")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: send(client, "k"), range(24)))
    assert {answer.status_code for answer in answers} <= {200, 409}
    good = [answer for answer in answers if answer.status_code == 200]
    assert {answer.json()["admitted"] for answer in good} == {4}
    assert sum(not was_replayed(answer) for answer in good) == 1


def test_an_attempt_that_was_cut_off_is_made_again(
    ask: Ask, world: SqliteWorld, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = ask("intake")
    with slow_work(monkeypatch) as (begun, go_on), ThreadPoolExecutor(2) as pool:
        first = pool.submit(send, client, "k")
        assert begun.wait(20)
        world.clock.forward(minutes=1.01)
        begun.clear()
        second = pool.submit(send, client, "k")
        assert begun.wait(20)
        go_on.set()
        assert sorted(one.result().json()["admitted"] for one in (first, second)) == [0, 4]
    # Whichever came first, the answer that is kept is that of the newer attempt.
    assert was_replayed(again := send(client, "k")) and again.json() == second.result().json()


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_the_rows_on_each_database(kind: str, tmp_path: Path) -> None:
    made: SqliteWorld | PostgresWorld = SqliteWorld(tmp_path) if kind == "sqlite" else PostgresWorld(tmp_path)
    store: Store = open_store(made.url)
    with store.write() as connection:
        for n in range(5):
            assert answered.begin(connection, "a", f"k{n}", b"d", 100 + n, 0, 0) is None
            answered.finish(connection, "a", f"k{n}", 100 + n, 200, b"\x00{}")
        assert answered.begin(connection, "a", "k1", b"d", 200, 0, 150) == answered.Kept(b"d", 200, b"\x00{}", 101)
        assert answered.begin(connection, "a", "k1", b"e", 200, 150, 150) is None
        answered.drop(connection, "a", "k1", 199)
        assert answered.begin(connection, "a", "k1", b"e", 201, 150, 150) == answered.Kept(b"e", 0, b"", 200)
        answered.drop(connection, "a", "k1", 200)
        assert answered.trim(connection, "a", 3) == 1
        assert answered.forget(connection, 104) == 2
        assert answered.begin(connection, "a", "k4", b"d", 300, 0, 0) is not None
    store.close()
    made.close()


def test_several_hubs_on_one_database_share_them(world: SqliteWorld, hub: Hub, ask: Ask) -> None:
    token = hubs.sign_in(hub, "scoring", "intake")
    other = Hub(hub.store, {name: POLICIES[name] for name in OPEN_QUEUES}, RUBRICS, KEYS, clock=world.clock)
    assert send(ask(token=token), "k").status_code == 200
    with httpx.Client(base_url=f"{hubs.serve(other)}/v1", headers={"authorization": f"Bearer {token}"}) as client:
        assert was_replayed(send(client, "k"))
