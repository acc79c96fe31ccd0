"""Langfuse's public API as it is documented, against a small server.

Langfuse itself was not run: it needs ClickHouse, PostgreSQL, Redis and an object store. What is tested here is that we
ask and understand as the documentation says, and say so where an answer has another shape.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from app.deliver.sinks.langfuse import LangfuseOptions, LangfuseSink
from app.intake.parse import validate
from app.intake.sources.langfuse import LangfuseSource
from app.model.connection import Item
from app.model.errors import Undelivered
from app.model.policy import QueuePolicy
from tests.unit.answering import Asked, Said, Server, answering, delivery

POLICY = QueuePolicy(rubric="ungrounded-summary")
QUEUE = "/api/public/annotation-queues/q1/items"
REFERENCE = {"item_id": "i1", "object_id": "tr1", "object_type": "TRACE"}


def entry(item_id: str = "i1", **more: Any) -> dict[str, Any]:
    base = {"id": item_id, "queueId": "q1", "objectId": "tr1", "objectType": "TRACE", "status": "PENDING"}
    return base | {"createdAt": "2026-11-01T00:00:00Z", "updatedAt": "2026-11-02T00:00:00Z"} | more


def trace() -> dict[str, Any]:
    tool = {"id": "o2", "type": "SPAN", "name": "search", "startTime": "2", "input": {"q": "x"}, "latency": 0.25}
    failed = {"id": "o1", "type": "GENERATION", "name": "draft", "startTime": "1", "level": "ERROR"}
    return {
        "id": "tr1",
        "timestamp": "2026-11-01T00:00:00Z",
        "input": {"messages": [{"role": "user", "content": "Sum it up"}]},
        "output": {"role": "assistant", "content": "It is up."},
        "userId": "u-1",
        "metadata": {"channel": "mail"},
        "version": "3",
        "scores": [
            {"name": "judge", "stringValue": "bad", "dataType": "CATEGORICAL"},
            {"name": "risk", "value": 0.9, "dataType": "NUMERIC"},
        ],
        "observations": [tool, failed | {"statusMessage": "timed out"}],
    }


class Fake:
    """A queue with items, one trace, one observation; scores as they were written."""

    def __init__(self) -> None:
        self.items: list[Any] = [entry()]
        self.trace: Any = trace()
        self.scores: dict[str, Any] = {}
        self.refuses = False

    def __call__(self, asked: Asked) -> Said:
        if asked.path == QUEUE:
            page, size = int(asked.query["page"]), int(asked.query["limit"])
            shown = self.items[(page - 1) * size : page * size]
            return 200, {"data": shown, "meta": {"page": page, "limit": size, "totalItems": len(self.items)}}
        if asked.path == "/api/public/traces/tr1":
            return 200, self.trace
        if asked.path == "/api/public/observations/ob1":
            return 200, {"id": "ob1", "traceId": "tr1", "input": "in", "output": "out", "model": "m", "startTime": "1"}
        if asked.path == "/api/public/scores":
            if self.refuses:
                return 400, {"message": f"invalid: {asked.body['value']}"}
            self.scores[asked.body["id"]] = asked.body
            return 200, {"id": asked.body["id"]}
        if asked.method == "DELETE":
            return (200, {}) if self.scores.pop(asked.path.rpartition("/")[2], None) else None
        return (200, {}) if asked.method == "PATCH" else None


@pytest.fixture
def fake() -> Fake:
    return Fake()


@pytest.fixture
def server(fake: Fake) -> Iterator[Server]:
    with answering(fake) as running:
        yield running


def options(server: Server) -> LangfuseOptions:
    more = {"label_score": "judge", "score": "risk"}
    keys = {"public_key_secret": "public", "secret_key_secret": "private"}
    return LangfuseOptions.model_validate({"url": server.url, "queue_id": "q1", **keys, **more})


@pytest.fixture
def source(server: Server) -> Iterator[LangfuseSource]:
    made = LangfuseSource(options(server), str, Path())
    yield made
    made.close()


@pytest.fixture
def sink(server: Server) -> Iterator[LangfuseSink]:
    made = LangfuseSink(options(server), str, Path())
    yield made
    made.close()


def record(item: Item) -> dict[str, Any]:
    """The record, which must be admissible."""
    assert not item.problem
    found: dict[str, Any] = orjson.loads(item.data)
    validate(orjson.loads(item.data), POLICY)
    return found


def test_a_trace_becomes_a_record(source: LangfuseSource, server: Server) -> None:
    batch = source.pull(10, "")
    found = record(batch.items[0])
    assert found["id"] == "langfuse-i1" and found["subject"] == "u-1" and found["trace_id"] == "tr1"
    assert found["output"] == {"text": "It is up.", "label": "bad", "score": 0.9}
    conversation, metadata = found["inputs"]
    assert conversation["value"] == [{"role": "user", "content": "Sum it up"}]
    assert (metadata["name"], metadata["value"], metadata["role"]) == ("metadata", {"channel": "mail"}, "context")
    steps = found["explanations"][0]["items"]
    assert [(s["name"], s["status"], s.get("risk")) for s in steps] == [
        ("draft", "failed", ["timed out"]),
        ("search", "success", None),
    ]
    assert steps[1]["duration_ms"] == 250
    assert dict(batch.items[0].reference) == REFERENCE
    # Basic, public:private.
    assert server.asked[0].headers["authorization"] == "Basic cHVibGljOnByaXZhdGU="
    assert server.asked[0].query["status"] == "PENDING"


def test_an_output_that_is_no_text_keeps_its_keys(source: LangfuseSource, fake: Fake) -> None:
    fake.trace = trace() | {"output": {"religion": "quaker"}}
    found = record(source.pull(10, "").items[0])
    assert "text" not in found["output"]
    shown = next(one for one in found["inputs"] if one["name"] == "output")
    assert (shown["kind"], shown["value"]) == ("json", {"religion": "quaker"})


def test_an_observation_remembers_its_trace(source: LangfuseSource, fake: Fake) -> None:
    fake.items = [entry(objectId="ob1", objectType="OBSERVATION")]
    (item,) = source.pull(10, "").items
    assert record(item)["output"] == {"text": "out"}
    assert item.reference["trace_id"] == "tr1"


def test_pages_go_on_and_begin_again(source: LangfuseSource, fake: Fake) -> None:
    fake.items = [entry(f"i{n}") for n in range(3)]
    first = source.pull(2, "")
    assert (len(first.items), first.cursor, first.lag) == (2, "2:2", 1)
    second = source.pull(2, first.cursor or "")
    assert (len(second.items), second.cursor, second.lag) == (1, "", 0)
    source.acknowledge(first)
    assert source.pull(2, "").items == []
    # Another size counts other pages: from the first again.
    assert len(source.pull(3, "2:2").items) == 1


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ("x", "objects were expected"),
        ({"id": "i9"}, "objectId: a text"),
        (entry("i9", objectType="SESSION"), "TRACE or OBSERVATION"),
        (entry("i9", objectId="gone"), "no such trace"),
        (entry("x" * 190), "180 characters"),
    ],
)
def test_an_unknown_shape_is_said_and_the_rest_goes_on(
    source: LangfuseSource, fake: Fake, broken: Any, said: str
) -> None:
    fake.items = [broken, entry()]
    bad, good = source.pull(10, "").items
    assert said in str(bad.problem)
    record(good)


def test_a_trace_without_its_keys_is_said(source: LangfuseSource, fake: Fake) -> None:
    fake.trace = {"id": "tr1"}
    assert "'input' and 'output'" in str(source.pull(10, "").items[0].problem)


def test_a_verdict_becomes_scores_once_and_completes_the_item(sink: LangfuseSink, fake: Fake, server: Server) -> None:
    sent = delivery(REFERENCE, verdict="overturned", label="good", answers={"rationale": "It is so."})
    sink.send(sent)
    sink.send(sent)
    assert {s["name"]: s["value"] for s in fake.scores.values()} == {"verdict": "overturned", "label": "good"}
    assert all(s["traceId"] == "tr1" and s["comment"] == "It is so." for s in fake.scores.values())
    assert server.sent("PATCH", f"{QUEUE}/i1") == [{"status": "COMPLETED"}] * 2


def test_a_retraction_takes_the_scores_back_and_opens_the_item(sink: LangfuseSink, fake: Fake, server: Server) -> None:
    sink.send(delivery(REFERENCE, label="good"))
    sink.send(delivery(REFERENCE, "retracted", "event-2", supersedes="event-1"))
    assert fake.scores == {}
    assert server.sent("PATCH", f"{QUEUE}/i1")[-1] == {"status": "PENDING"}


def test_a_refused_score_is_final_and_the_item_stays_open(sink: LangfuseSink, fake: Fake, server: Server) -> None:
    fake.refuses = True
    with pytest.raises(Undelivered, match="refuses the score") as refused:
        sink.send(delivery(REFERENCE, verdict="corrected", correction="her secret"))
    assert refused.value.final and "invalid" not in str(refused.value)
    assert server.sent("PATCH", f"{QUEUE}/i1") == []


def test_a_case_from_elsewhere_is_refused(sink: LangfuseSink) -> None:
    with pytest.raises(Undelivered, match="did not come from") as refused:
        sink.send(delivery({}))
    assert refused.value.final
