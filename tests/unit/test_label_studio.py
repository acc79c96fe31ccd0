"""Label Studio's shapes, as 1.23.2 gave them, against a small server: what each becomes, what is said of others, and
which annotation a verdict makes. `tests/servers` runs the real one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from app.deliver.sinks.label_studio import LabelStudioOptions, LabelStudioSink, unique_id
from app.intake.parse import validate
from app.intake.sources.label_studio import LabelStudioSource
from app.model.connection import Item
from app.model.errors import Unavailable, Undelivered
from app.model.policy import QueuePolicy
from tests.unit.answering import Asked, Said, Server, answering, delivery

POLICY = QueuePolicy(rubric="content-moderation")
CHOICES = {
    "type": "Choices",
    "to_name": ["post"],
    "labels": ["keep", "remove"],
    "inputs": [{"type": "Text", "value": "t"}],
}
REGION = {"from_name": "decision", "to_name": "post", "type": "choices", "value": {"choices": ["remove"]}}
SPAN_VALUE = {"start": 8, "end": 12, "text": "fool", "labels": ["insult"]}
SPAN = {"from_name": "spans", "to_name": "post", "type": "labels", "value": SPAN_VALUE, "score": 0.7}


def task(number: int = 7, **more: Any) -> dict[str, Any]:
    prediction = {"id": 3, "model_version": "m-1", "score": 0.8, "result": [REGION, SPAN]}
    data = {"t": "You are fool", "age": 5, "who": "u-9"}
    return {"id": number, "data": data, "predictions": [{"id": 2, "result": []}, prediction]} | more


class Fake:
    """A project with tasks; annotations as they were written."""

    def __init__(self) -> None:
        self.config: Any = {"decision": CHOICES, "better": {"type": "TextArea", "to_name": ["post"], "labels": []}}
        self.tasks: Any = [task()]
        self.annotations: dict[int, dict[str, Any]] = {}
        self.expired = 0

    def __call__(self, asked: Asked) -> Said:
        if asked.path == "/api/token/refresh":
            return 200, {"access": "short"}
        if self.expired and asked.headers["authorization"].startswith("Bearer"):
            self.expired -= 1
            return 401, {"detail": "expired"}
        if asked.path == "/api/projects/1/":
            return 200, {"parsed_label_config": self.config}
        if asked.path == "/api/tasks/":
            return 200, {"tasks": self.tasks, "total": 5}
        if asked.path == "/api/tasks/7/annotations/":
            return self._annotations(asked)
        number = asked.path.rstrip("/").rpartition("/")[2]
        if asked.method != "DELETE" or not number.isdigit() or int(number) not in self.annotations:
            return None
        del self.annotations[int(number)]
        return 204, None

    def _annotations(self, asked: Asked) -> Said:
        if asked.method == "GET":
            return 200, [{"id": number, "result": one["result"]} for number, one in self.annotations.items()]
        if asked.body["unique_id"] in [one["unique_id"] for one in self.annotations.values()]:
            return 409, {"detail": "Annotation with this unique id already exists"}
        self.annotations[len(self.annotations) + 1] = asked.body
        return 201, {}


@pytest.fixture
def fake() -> Fake:
    return Fake()


@pytest.fixture
def server(fake: Fake) -> Iterator[Server]:
    with answering(fake) as running:
        yield running


def options(server: Server, **more: Any) -> LabelStudioOptions:
    return LabelStudioOptions(url=server.url, project=1, token_secret="token", **more)


@pytest.fixture
def source(server: Server) -> Iterator[LabelStudioSource]:
    made = LabelStudioSource(options(server, positive="remove", subject="who"), str, Path())
    yield made
    made.close()


@pytest.fixture
def sink(server: Server) -> Iterator[LabelStudioSink]:
    made = LabelStudioSink(options(server, correction_from_name="better"), str, Path())
    yield made
    made.close()


def record(item: Item) -> dict[str, Any]:
    """The record, which must be admissible."""
    assert not item.problem
    found: dict[str, Any] = orjson.loads(item.data)
    validate(orjson.loads(item.data), POLICY)
    return found


def test_a_predicted_task_becomes_a_record(source: LabelStudioSource, server: Server) -> None:
    batch = source.pull(10, "4")
    found = record(batch.items[0])
    assert found["output"] == {"label": "remove", "score": 0.8}
    assert found["task"] == {"type": "binary", "labels": ["keep", "remove"], "positive": "remove"}
    assert [(i["name"], i["kind"]) for i in found["inputs"]] == [("age", "number"), ("t", "text")]
    assert found["subject"] == "u-9"
    assert found["provenance"]["model"] == {"version": "m-1"}
    (spans,) = found["explanations"]
    assert spans["target"] == {"input": "t"}
    assert spans["items"] == [{"start": 8, "end": 12, "text": "fool", "label": "insult", "contribution": 0.7}]
    assert dict(batch.items[0].reference) == {"task": 7, "project": 1, "prediction": 3}
    assert (batch.cursor, batch.lag) == ("7", 4)
    filters = orjson.loads(server.asked[-1].query["query"])["filters"]["items"]
    assert {f["filter"].rpartition(":")[2]: f["value"] for f in filters}["id"] == 4
    assert server.asked[-1].headers["authorization"] == "Token token"


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ({"data": {}}, "id: a number"),
        (task(data=None), "data: an object"),
        (task(predictions=[]), "predictions: a list"),
        (task(predictions=["x"]), "predictions: a list"),
        (task(predictions=[{"id": 1}]), "predictions.result"),
    ],
)
def test_an_unknown_shape_is_said_and_the_rest_goes_on(
    source: LabelStudioSource, fake: Fake, broken: Any, said: str
) -> None:
    fake.tasks = [broken, task(8)]
    batch = source.pull(10, "")
    assert said in str(batch.items[0].problem)
    record(batch.items[1])
    assert batch.cursor == "8"


def test_nothing_new_leaves_the_cursor(source: LabelStudioSource, fake: Fake) -> None:
    fake.tasks = []
    assert source.pull(10, "9").cursor is None


@pytest.mark.parametrize("config", [None, {}, {"area": {"type": "TextArea"}}])
def test_a_config_without_choices_is_said(source: LabelStudioSource, fake: Fake, config: Any) -> None:
    fake.config = config
    with pytest.raises(Unavailable, match=r"parsed_label_config|set `from_name`"):
        source.pull(10, "")


def test_a_verdict_becomes_one_annotation(sink: LabelStudioSink, fake: Fake) -> None:
    sent = delivery({"task": 7}, verdict="overturned", label="keep", reasons=["none"], correction="better words")
    sink.send(sent)
    sink.send(sent)
    (annotation,) = fake.annotations.values()
    assert annotation["unique_id"] == unique_id("event-1")
    assert [(r["from_name"], r["to_name"]) for r in annotation["result"]] == [("decision", "post"), ("better", "post")]
    assert annotation["result"][0]["value"] == {"choices": ["keep"]}
    assert annotation["result"][1]["value"] == {"text": ["better words"]}
    assert annotation["result"][0]["meta"]["text"] == ["secondlook: overturned (none), event event-1"]


def test_a_later_verdict_takes_the_place_of_the_earlier(sink: LabelStudioSink, fake: Fake) -> None:
    sink.send(delivery({"task": 7}, label="keep"))
    sink.send(delivery({"task": 7}, event_id="event-2", label="remove", supersedes="event-1"))
    assert [one["unique_id"] for one in fake.annotations.values()] == [unique_id("event-2")]


def test_a_retraction_deletes_only_its_own(sink: LabelStudioSink, fake: Fake) -> None:
    sink.send(delivery({"task": 7}, label="keep"))
    sink.send(delivery({"task": 7}, event_id="somebody", label="keep"))
    for _ in range(2):
        sink.send(delivery({"task": 7}, "retracted", "event-3", supersedes="event-1"))
    assert [one["unique_id"] for one in fake.annotations.values()] == [unique_id("somebody")]


def test_a_personal_token_is_exchanged_and_renewed(server: Server, fake: Fake) -> None:
    made = LabelStudioSource(options(server), {"token": "a.b.c"}.__getitem__, Path())
    fake.expired = 1
    assert len(made.pull(10, "").items) == 1
    made.close()
    assert server.sent("POST", "/api/token/refresh") == [{"refresh": "a.b.c"}] * 2


@pytest.mark.parametrize(
    ("reference", "data", "said"),
    [({}, {}, "did not come from"), ({"task": 9}, {}, "not there any more"), ({"task": 7}, {"label": "x"}, "no 'x'")],
)
def test_what_can_never_arrive_is_final(
    sink: LabelStudioSink, reference: dict[str, Any], data: dict[str, Any], said: str, fake: Fake
) -> None:
    with pytest.raises(Undelivered, match=said) as refused:
        sink.send(delivery(reference, **data))
    assert refused.value.final
