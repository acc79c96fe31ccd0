"""Redis streams: pulling, keeping, acknowledging, sending verdicts, and what may go wrong."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from app.deliver.sinks.redis import RedisSink, mark_of
from app.intake.pull import Puller
from app.intake.sources.redis import RedisSource
from app.model.errors import SettingsError, Unavailable, Undelivered
from app.resp import RedisOptions, Resp
from tests.builders import KEYS, POLICY, kept, opened
from tests.connections.puller import bodies, killed_while_pulling
from tests.connections.servers import NOWHERE, client, delivery, free_port, no_secrets, redis
from tests.contract.worlds import SqliteWorld


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with redis() as made:
        yield made


@pytest.fixture
def other(url: str) -> Iterator[Resp]:
    """Whoever else uses this Redis, which is empty."""
    with client(url) as made:
        made.ask("FLUSHALL")
        yield made


@pytest.fixture
def modern(other: Resp) -> bool:
    """Since version 7 Redis says how many entries wait, and lets go of those that were deleted."""
    return b"redis_version:6." not in other.ask("INFO", "server")


@pytest.fixture
def sources(url: str, other: Resp) -> Iterator[Any]:
    """Makes sources, and closes them."""
    made: list[RedisSource] = []

    def make(**options: Any) -> RedisSource:
        given = {"url": url, "stream": "jobs", "wait_seconds": 0, **options}
        source = RedisSource(RedisOptions(**given), no_secrets, NOWHERE)
        made.append(source)
        return source

    yield make
    for source in made:
        source.close()


def add(other: Resp, records: list[str], stream: str = "jobs", field: str = "record") -> list[str]:
    """Puts records into the stream; returns their ids."""
    replies = other.pipeline([["XADD", stream, "*", "kind", "prediction", field, record] for record in records])
    return [reply.decode() for reply in replies]


def pending(other: Resp, stream: str = "jobs") -> int:
    """How many entries are given out and not acknowledged."""
    return int(other.ask("XPENDING", stream, "secondlook")[0])


def let_wait(other: Resp, ids: list[str]) -> None:
    """What is given out looks as if it had been so for an hour."""
    other.ask("XCLAIM", "jobs", "secondlook", "dead", 0, *ids, "IDLE", 3_600_000, "JUSTID")


def test_everything_is_pulled_once_and_acknowledged(other: Resp, sources: Any, modern: bool) -> None:
    ids = add(other, bodies(1234))
    source = sources()
    batch = source.pull(1000, "")
    assert [orjson.loads(item.data)["id"] for item in batch.items] == [f"case-{n}" for n in range(1000)]
    assert [item.reference["stream_id"] for item in batch.items] == ids[:1000]
    assert batch.lag == (234 if modern else None)
    assert pending(other) == 1000
    source.acknowledge(batch)
    assert pending(other) == 0
    assert len(source.pull(1000, "").items) == 234
    assert source.pull(1000, "").items == []
    assert other.ask("XLEN", "jobs") == 1234


def test_what_is_kept_can_be_deleted(other: Resp, sources: Any) -> None:
    add(other, bodies(30))
    source = sources(delete=True)
    batch = source.pull(20, "")
    source.acknowledge(batch)
    assert (batch.lag, other.ask("XLEN", "jobs")) == (10, 10)


def test_what_a_dead_consumer_left_is_taken_over(other: Resp, sources: Any) -> None:
    ids = add(other, bodies(250))
    assert len(sources(consumer="dead").pull(150, "").items) == 150
    assert len(sources().pull(1000, "").items) == 100
    let_wait(other, ids)
    heir = sources()
    batch = heir.pull(1000, "")
    assert len({item.receipt for item in batch.items}) == 250
    heir.acknowledge(batch)
    assert pending(other) == 0


def test_what_was_deleted_meanwhile_is_no_item(other: Resp, sources: Any, modern: bool) -> None:
    ids = add(other, bodies(5))
    assert len(sources(consumer="dead").pull(10, "").items) == 5
    let_wait(other, ids)
    other.ask("XDEL", "jobs", *ids[:2])
    assert len(sources().pull(10, "").items) == 3
    assert pending(other) == (3 if modern else 5)


def test_poison_is_kept_apart_and_acknowledged(other: Resp, sources: Any, tmp_path: Path) -> None:
    add(other, [*bodies(3), "no json", "{}", ""])
    add(other, bodies(1), field="something")
    add(other, ["x" * (5 * 1024 * 1024)])
    add(other, bodies(4))
    with opened(tmp_path / "a.db") as store:
        done = Puller(store, KEYS, "jobs", "credit", POLICY, sources()).pull()
        assert (done.items, done.admitted, done.duplicates, done.quarantined) == (12, 4, 3, 5)
        assert len(kept(store)) == 4
        with store.read() as connection:
            said = connection.exec_driver_sql("SELECT expected FROM quarantine").scalars().all()
            assert connection.exec_driver_sql("SELECT source FROM origins").scalars().all() == ["jobs"] * 4
        assert any("no field 'record'; it has kind, something" in text for text in said)
        assert any("5,242,880 bytes" in text for text in said)
    assert pending(other) == 0


def test_a_stream_that_is_made_anew_is_joined_anew(other: Resp, sources: Any) -> None:
    source = sources()
    assert source.pull(10, "").items == []
    other.ask("DEL", "jobs")
    add(other, bodies(2))
    assert len(source.pull(10, "").items) == 2


def test_a_consumer_leaves_no_name_behind_but_nothing_pending_either(other: Resp, sources: Any) -> None:
    add(other, bodies(2))
    clean, busy = sources(), sources()
    clean.acknowledge(clean.pull(1, ""))
    busy.pull(1, "")
    clean.close()
    busy.close()
    assert len(other.ask("XINFO", "CONSUMERS", "jobs", "secondlook")) == 1
    assert pending(other) == 1


@pytest.mark.parametrize(
    ("count", "kills"), [pytest.param(400, 2, id="2"), pytest.param(10_000, 20, id="20", marks=pytest.mark.heavy)]
)
def test_pullers_are_killed(url: str, other: Resp, tmp_path: Path, count: int, kills: int) -> None:
    add(other, bodies(count))
    options = {"url": url, "stream": "jobs", "idle_seconds": 1.5, "wait_seconds": 0.2, "delete": True}

    def left() -> int:
        return pending(other) + int(other.ask("XLEN", "jobs"))

    killed_while_pulling(SqliteWorld(tmp_path), "redis", options, count, kills, left)


class TestReplies:
    """Verdicts to a stream."""

    @pytest.fixture
    def sink(self, url: str, other: Resp) -> Iterator[RedisSink]:
        made = RedisSink(RedisOptions(url=url, stream="jobs", reply_stream="verdicts"), no_secrets, NOWHERE)
        yield made
        made.close()

    def test_a_verdict_arrives_once(self, other: Resp, sink: RedisSink) -> None:
        for event_id in ("event-1", "event-1", "event-2"):
            sink.send(delivery(event_id, body=b'{"n":1}', stream_id="1-0"))
        first, second = other.ask("XRANGE", "verdicts", "-", "+")
        fields = [b"id", b"event-1", b"type", b"io.secondlook.verdict.v1", b"subject", b"case-1"]
        assert first[1] == [*fields, b"body", b'{"n":1}', b"stream_id", b"1-0"]
        assert second[1][1] == b"event-2"
        assert 0 < other.ask("TTL", mark_of("verdicts", "event-1")) <= 30 * 86_400

    def test_of_two_who_send_the_same_one_adds_it(self, url: str, other: Resp) -> None:
        options = RedisOptions(url=url, reply_stream="verdicts")
        sinks = [RedisSink(options, no_secrets, NOWHERE) for _ in range(4)]
        events = [delivery(f"event-{n}") for n in range(50)]

        def send_all(sink: RedisSink) -> None:
            for event in events:
                sink.send(event)

        threads = [threading.Thread(target=send_all, args=(sink,)) for sink in sinks]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for sink in sinks:
            sink.close()
        assert other.ask("XLEN", "verdicts") == 50

    def test_what_could_not_be_added_is_not_taken_as_added(self, other: Resp, sink: RedisSink) -> None:
        other.ask("SET", "verdicts", "a string")
        with pytest.raises(Undelivered, match="is no stream"):
            sink.send(delivery())
        other.ask("DEL", "verdicts")
        sink.send(delivery())
        assert other.ask("XLEN", "verdicts") == 1

    def test_predictions_and_verdicts_have_two_streams(self) -> None:
        with pytest.raises(SettingsError, match="come back as predictions"):
            RedisSink(RedisOptions(stream="a", reply_stream="a"), no_secrets, NOWHERE)
        with pytest.raises(SettingsError, match="reply = false"):
            RedisSink(RedisOptions(stream="a"), no_secrets, NOWHERE)


def test_user_password_and_database() -> None:
    with redis("--requirepass", "sesame") as url:
        with client(url) as nobody, pytest.raises(Unavailable, match="wants a password"):
            nobody.ask("PING")
        wrong = Resp(RedisOptions(url=url, password_secret="p"), lambda _: "guess")
        with pytest.raises(Unavailable, match="set the secret anew"):
            wrong.ask("PING")
        wrong.close()
        right = Resp(RedisOptions(url=url.replace("/0", "/3"), password_secret="p"), {"p": "sesame"}.__getitem__)
        assert right.ask("ACL", "SETUSER", "ada", "on", ">words", "~*", "+@all") == b"OK"
        assert right.ask("SET", "here", "3") == b"OK"
        named = RedisOptions(url=url.replace("/0", "/3"), username="ada", password_secret="p")
        ada = Resp(named, lambda _: "words")
        assert ada.ask("GET", "here") == b"3"
        ada.close()
        right.close()


def test_a_connection_that_was_closed_is_opened_again(url: str, other: Resp) -> None:
    with client(url) as mine:
        mine.ask("PING")
        other.ask("CLIENT", "KILL", "ID", mine.ask("CLIENT", "ID"))
        assert mine.ask("PING") == b"PONG"


def test_nobody_there_is_said(sources: Any) -> None:
    with pytest.raises(Unavailable, match="cannot be used"):
        sources(url=f"redis://127.0.0.1:{free_port()}").pull(10, "")
