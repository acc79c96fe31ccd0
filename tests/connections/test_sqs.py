"""SQS, as moto serves it: pulling, keeping, acknowledging, sending verdicts, and what may go wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from app.aws import SqsOptions
from app.deliver.sinks.sqs import SqsSink
from app.intake.pull import Puller
from app.intake.sources.sqs import SqsSource
from app.model.errors import SettingsError, Unavailable, Undelivered
from tests.builders import KEYS, POLICY, kept, opened, record
from tests.connections.puller import bodies, killed_while_pulling
from tests.connections.servers import KEY, NOWHERE, SqsServer, delivery, free_port, moto, no_secrets, quick_sqs
from tests.contract.worlds import SqliteWorld


@pytest.fixture(scope="module")
def server() -> Iterator[SqsServer]:
    with moto() as made:
        yield made


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in KEY.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def queue(server: SqsServer, request: pytest.FixtureRequest) -> str:
    """A queue for one test."""
    return server.queue(request.node.name.replace("[", "-").replace("]", "")[:70])


@pytest.fixture
def sources() -> Iterator[Any]:
    """Makes sources, and closes them."""
    made: list[SqsSource] = []

    def make(url: str, **options: Any) -> SqsSource:
        source = SqsSource(SqsOptions(queue_url=url, **{"wait_seconds": 0, **options}), no_secrets, NOWHERE)
        made.append(source)
        return source

    yield make
    for source in made:
        source.close()


def test_everything_is_pulled_once_and_gone_when_acknowledged(server: SqsServer, queue: str, sources: Any) -> None:
    server.send(queue, bodies(135))
    source = sources(queue)
    batch = source.pull(1000, "")
    assert sorted(orjson.loads(item.data)["id"] for item in batch.items) == sorted(f"case-{n}" for n in range(135))
    assert len({item.reference["message_id"] for item in batch.items}) == 135
    assert source.pull(1000, "").items == []
    assert server.left(queue) == 135
    source.acknowledge(batch)
    assert server.left(queue) == 0


def test_a_message_that_two_requests_are_given_counts_once(
    queue: str, sources: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = sources(queue, parallel=1)
    answers = [
        [{"Body": body, "MessageId": f"m{n}", "ReceiptHandle": f"{n} {time}"} for n, body in enumerate(bodies(10))]
        for time in ("first", "second")
    ]
    monkeypatch.setattr(source, "_receive", lambda _count, _wait: answers.pop(0) if answers else [])
    items = source.pull(100, "").items
    assert [item.receipt for item in items] == [f"{n} second" for n in range(10)]


def test_no_more_than_the_limit_is_taken(server: SqsServer, queue: str, sources: Any) -> None:
    server.send(queue, bodies(80))
    source = sources(queue)
    taken = [source.pull(limit, "").items for limit in (7, 43, 43)]
    assert all(len(items) <= limit for items, limit in zip(taken, (7, 43, 43), strict=True))
    # A message that two requests are given takes another's place in its batch, and that one comes with the next.
    seen = {item.reference["message_id"] for items in taken for item in items}
    seen |= {item.reference["message_id"] for item in source.pull(43, "").items}
    assert len(seen) == 80


def test_the_lag_is_known(server: SqsServer, queue: str, sources: Any) -> None:
    server.send(queue, bodies(30))
    assert sources(queue).pull(10, "").lag == 20


def test_what_sns_sends_is_taken_out_of_its_envelope(server: SqsServer, queue: str, sources: Any) -> None:
    inner = orjson.dumps(record()).decode()
    envelope = {"Type": "Notification", "TopicArn": "arn:aws:sns:eu-west-1:1:t", "Message": inner, "MessageId": "m"}
    server.send(queue, [orjson.dumps(envelope).decode()])
    assert sources(queue).pull(10, "").items[0].data == inner.encode()


def test_poison_is_kept_apart_and_acknowledged(server: SqsServer, queue: str, sources: Any, tmp_path: Path) -> None:
    server.send(queue, [*bodies(12), "no json at all", '{"id": "half"', '"TopicArn"', orjson.dumps([1]).decode()])
    with opened(tmp_path / "a.db") as store:
        done = Puller(store, KEYS, "jobs", "credit", POLICY, sources(queue)).pull()
        assert (done.items, done.admitted, done.quarantined) == (16, 12, 4)
        assert len(kept(store)) == 12
        with store.read() as connection:
            origin = connection.exec_driver_sql("SELECT source, reference FROM origins").first()
        assert origin is not None
        assert origin[0] == "jobs"
        assert orjson.loads(origin[1])["message_id"]
    assert server.left(queue) == 0


def test_what_was_kept_but_not_acknowledged_comes_again_and_is_known(
    server: SqsServer, queue: str, sources: Any, tmp_path: Path
) -> None:
    server.send(queue, [*bodies(5), "poison"])
    source = sources(queue, visibility_seconds=1, wait_seconds=3)
    with opened(tmp_path / "a.db") as store:
        puller = Puller(store, KEYS, "jobs", "credit", POLICY, source)
        source.acknowledge, acknowledge = lambda _: None, source.acknowledge
        assert puller.pull().admitted == 5
        source.acknowledge = acknowledge
        again = puller.pull()
        assert (again.items, again.duplicates, again.admitted) == (6, 5, 0)
        assert len(kept(store)) == 5
        with store.read() as connection:
            assert connection.exec_driver_sql("SELECT count(*) FROM quarantine").scalar() == 1
    assert server.left(queue) == 0


def test_pullers_are_killed(server: SqsServer, queue: str, tmp_path: Path) -> None:
    # moto looks through its whole queue for each message.
    _pullers_are_killed(server, queue, tmp_path, 80, 2)


@pytest.mark.heavy
def test_pullers_are_killed_often(tmp_path: Path) -> None:
    with quick_sqs() as server:
        _pullers_are_killed(server, server.queue("jobs"), tmp_path, 10_000, 20)


def _pullers_are_killed(server: SqsServer, queue: str, tmp_path: Path, count: int, kills: int) -> None:
    server.send(queue, bodies(count))
    options = {"queue_url": queue, "visibility_seconds": 2, "wait_seconds": 1}
    killed_while_pulling(SqliteWorld(tmp_path), "sqs", options, count, kills, lambda: server.left(queue))


class TestReplies:
    """Verdicts to a FIFO queue."""

    @pytest.fixture
    def replies(self, server: SqsServer, request: pytest.FixtureRequest) -> str:
        return server.queue(f"{request.node.name[:70]}.fifo", fifo=True)

    @pytest.fixture
    def sink(self, replies: str) -> Iterator[SqsSink]:
        made = SqsSink(SqsOptions(queue_url="https://x.y/1/jobs", reply_queue_url=replies), no_secrets, NOWHERE)
        yield made
        made.close()

    def received(self, server: SqsServer, url: str) -> list[dict[str, Any]]:
        found = server.call(
            url, "ReceiveMessage", MaxNumberOfMessages=10, AttributeNames=["All"], MessageAttributeNames=["All"]
        )
        messages: list[dict[str, Any]] = found.get("Messages", [])
        return messages

    def test_a_verdict_arrives_once(self, server: SqsServer, replies: str, sink: SqsSink) -> None:
        body = '{"data":"\uffff ok"}'.encode()
        for _ in range(2):
            sink.send(delivery(body=body, message_id="m-1"))
        (message,) = self.received(server, replies)
        assert orjson.loads(message["Body"]) == orjson.loads(body)
        assert message["Attributes"]["MessageGroupId"] == "case-1"
        assert message["Attributes"]["MessageDeduplicationId"] == "event-1"
        assert message["MessageAttributes"]["prediction_message_id"]["StringValue"] == "m-1"

    def test_ids_that_sqs_does_not_take_are_digested(self, server: SqsServer, replies: str, sink: SqsSink) -> None:
        for number, subject in enumerate(("größe 1", "x" * 129)):
            sink.send(delivery(f"event-{number}", subject))
        groups = [message["Attributes"]["MessageGroupId"] for message in self.received(server, replies)]
        assert len(set(groups)) == 2
        assert all(len(group) == 64 for group in groups)

    def test_a_missing_queue_is_said(self, server: SqsServer) -> None:
        sink = SqsSink(SqsOptions(reply_queue_url=f"{server.base}/123456789012/none.fifo"), no_secrets, NOWHERE)
        with pytest.raises(Undelivered, match="There is no queue") as caught:
            sink.send(delivery())
        assert not caught.value.final
        sink.close()

    def test_predictions_and_verdicts_have_two_queues(self) -> None:
        url = "https://sqs.eu-west-1.amazonaws.com/1/q.fifo"
        with pytest.raises(SettingsError, match="come back as predictions"):
            SqsSink(SqsOptions(queue_url=url, reply_queue_url=url), no_secrets, NOWHERE)
        with pytest.raises(SettingsError, match="reply = false"):
            SqsSink(SqsOptions(queue_url=url), no_secrets, NOWHERE)


def test_a_missing_queue_is_said(server: SqsServer, sources: Any) -> None:
    with pytest.raises(Unavailable, match="There is no queue"):
        sources(f"{server.base}/123456789012/none").pull(10, "")


def test_nobody_there_is_said(sources: Any) -> None:
    with pytest.raises(Unavailable, match="cannot be reached"):
        sources(f"http://127.0.0.1:{free_port()}/1/q").pull(10, "")


def test_without_credentials_nothing_begins(monkeypatch: pytest.MonkeyPatch, sources: Any) -> None:
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(Unavailable, match="access_key_secret"):
        sources("http://127.0.0.1:1/1/q")
