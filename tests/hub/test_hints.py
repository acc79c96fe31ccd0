"""Hints over real HTTP: what is told, to how many, and until when."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import orjson
import pytest

from app.desk import erasing
from app.hub import hints
from app.hub.hub import Hub
from app.hub.limits import Limits
from app.model.errors import Unavailable
from db import changes, tokens
from db.engine import open_store
from tests.contract import hubs
from tests.contract.worlds import KEYS, POLICIES, RUBRICS, PostgresWorld, SqliteWorld, decide, samples
from tests.hub.conftest import Ask, problem

SSE = {"accept": "text/event-stream"}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hints, "LOOK_SECONDS", 0.05)


class Stream:
    """An open connection, read line by line."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self._lines = answer.iter_lines()

    def line(self) -> str:
        """The next line that says something."""
        return next(line for line in self._lines if line)

    def changed(self) -> str:
        """The next queue that is told of."""
        while (line := self.line()) != "event: changed":
            assert line.startswith((":", "retry:")), line
        return str(orjson.loads(self.line().removeprefix("data: "))["queue"])

    def rest(self) -> list[str]:
        """Everything until the end."""
        return [line for line in self._lines if line]


@contextmanager
def listening(client: httpx.Client) -> Iterator[Stream]:
    with client.stream("GET", "/hints", headers=SSE, timeout=10) as answer:
        assert answer.status_code == 200, answer.read()
        stream = Stream(answer)
        assert stream.line() == "retry: 3000"
        yield stream


def eventually(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_what_changes_is_told(ask: Ask, world: SqliteWorld) -> None:
    desk = world.desk("ben")
    with listening(ask("reviewer")) as stream:
        assert stream.answer.headers["content-type"].startswith("text/event-stream")
        assert stream.answer.headers["cache-control"] == "no-store"
        decide(desk, desk.claim("summaries"))
        assert stream.changed() == "summaries"
        world.admit("credit", samples("credit")[12:13])
        assert stream.changed() == "credit"
        with world.store() as store:
            erasing.erase(store, KEYS, erasing.plan_case(store, 1), "officer", world.clock())
        # Nothing says of which queue an erased case was.
        assert {stream.changed() for _ in range(len(POLICIES))} == set(POLICIES)


def test_many_changes_are_told_once(ask: Ask, world: SqliteWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hints, "LOOK_SECONDS", 0.5)
    with listening(ask("reviewer")) as stream:
        for person in ("ben", "cleo", "dan"):
            desk = world.desk(person)
            desk.release(desk.claim("credit").lease)
        desk.claim("summaries")
        told = [stream.changed(), stream.changed()]
        world.admit("moderation", samples("moderation")[:1])
        assert [*told, stream.changed()] == ["credit", "summaries", "moderation"]


def test_refusals_and_exports_are_no_changes(ask: Ask, world: SqliteWorld) -> None:
    with listening(ask("reviewer")) as stream:
        assert ask("auditor", person="eve").post("/claims", json={}).status_code == 403
        time.sleep(0.3)
        world.desk("ben").claim("credit")
        assert stream.changed() == "credit"


def test_a_heartbeat(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hints, "HEARTBEAT_SECONDS", 0.05)
    with listening(ask("reviewer")) as stream:
        assert [stream.line() for _ in range(3)] == [": still here"] * 3


@pytest.mark.parametrize("accept", ["*/*", "application/json", ""])
def test_whoever_does_not_ask_for_events_does_not_wait(accept: str, ask: Ask) -> None:
    answer = ask("reviewer").get("/hints", headers={"accept": accept})
    assert (answer.status_code, problem(answer)) == (406, "not-acceptable")


@pytest.mark.parametrize("end", ["revoked", "expired"])
def test_it_ends_with_the_token(end: str, hub: Hub, ask: Ask, world: SqliteWorld) -> None:
    token = hubs.sign_in(hub, "ada", "reviewer")
    with listening(ask("lead", person="ben")) as other:
        with listening(ask(token=token)) as stream:
            if end == "revoked":
                with hub.store.write() as connection:
                    ((token_id,),) = world.query("SELECT token_id FROM tokens WHERE person = 'ada'")
                    assert tokens.revoke(connection, token_id, world.clock())
            else:
                world.run("UPDATE tokens SET expires_at = 5 WHERE person = 'ada'")
            assert stream.rest() == []
        world.desk("cleo").claim("credit")
        assert other.changed() == "credit"


def test_how_many_may_listen(hub: Hub, address: str, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hints, "_MOST", 4)
    one, other = ask("reviewer"), ask("reviewer", person="ben")
    with ExitStack() as open_ones:
        for _ in range(3):
            last = open_ones.enter_context(listening(one))
        answer = one.get("/hints", headers=SSE)
        assert (answer.status_code, problem(answer)) == (429, "too-many-requests")
        assert int(answer.headers["retry-after"]) > 0
        open_ones.enter_context(listening(other))
        assert other.get("/hints", headers=SSE).status_code == 429
        last.answer.close()

        def is_let_in() -> bool:
            with other.stream("GET", "/hints", headers=SSE) as said:
                return said.status_code == 200

        eventually(is_let_in)


def test_the_limits_hold_here_too(ask: Ask) -> None:
    client = ask("reviewer", limits=Limits(rate=0.5, burst=2))
    with listening(client) as stream:
        assert client.get("/me").status_code == 200
        assert client.get("/hints", headers=SSE).status_code == 429
        assert stream.answer.status_code == 200


def test_a_database_that_is_away_for_a_while(
    ask: Ask, hub: Hub, world: SqliteWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    with listening(ask("reviewer")) as stream:
        with monkeypatch.context() as broken:
            failed = threading.Event()

            def fail(*_: object) -> object:
                failed.set()
                raise Unavailable("away")

            broken.setattr(changes, "queues", fail)
            world.desk("ben").claim("credit")
            assert failed.wait(10)
        assert stream.changed() == "credit"


async def test_nobody_is_asked_while_nobody_listens(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    relay = hints.Hints(hub)
    listener = relay.join("t")
    assert listener is not None
    await relay.begin()
    relay.leave(listener)
    await asyncio.sleep(0.2)
    monkeypatch.setattr(changes, "queues", lambda *_: 1 / 0)
    assert relay._relay is not None and relay._relay.done()
    await asyncio.sleep(0.2)
    # A relay that breaks leaves nobody waiting, and the next listener begins it anew.
    listener = relay.join("t")
    assert listener is not None
    await relay.begin()
    with pytest.raises(ZeroDivisionError):
        await relay._relay
    assert listener.ended
    relay.close()
    assert relay.join("t") is None


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_which_queues_changed(kind: str, tmp_path: Path) -> None:
    world = (SqliteWorld if kind == "sqlite" else PostgresWorld)(tmp_path)
    world._fill({"credit": 3, "summaries": 2})
    store = open_store(world.url)

    def since(place: int, most: int = 100) -> tuple[int, set[str] | None]:
        with store.read() as connection:
            return changes.queues(connection, place, most)

    assert since(0) == (2, {"credit", "summaries"})
    assert since(2) == (2, set())
    assert since(0, most=1) == (2, None)
    desk = world.desk("ada")
    decide(desk, desk.claim("summaries"))
    assert since(2) == (4, {"summaries"})
    erasing.erase(store, KEYS, erasing.plan_case(store, 1), "officer", world.clock())
    assert since(4)[1] is None
    with store.read() as connection:
        assert tokens.valid(connection, {"a", "b"}, 0) == set()
    hub = Hub(store, dict(POLICIES), RUBRICS, KEYS, clock=world.clock)
    hubs.sign_in(hub, "ada", "lead")
    ((token_id, expires_at),) = world.query("SELECT token_id, expires_at FROM tokens")
    with store.read() as connection:
        assert tokens.valid(connection, {token_id, "b"}, expires_at - 1) == {token_id}
        assert tokens.valid(connection, {token_id, "b"}, expires_at) == set()
    store.close()
    world.close()
