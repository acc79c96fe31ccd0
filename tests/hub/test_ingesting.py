"""Predictions over HTTP: one, many, lines, CloudEvents; sent twice; broken."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from app.hub.limits import Limits
from tests.contract.worlds import SqliteWorld, samples
from tests.hub.conftest import Ask, problem

RECORDS = samples("credit")[12:16]
EVENTS = [
    {"specversion": "1.0", "id": str(n), "source": "/scoring", "type": "io.secondlook.prediction.v1", "data": record}
    for n, record in enumerate(RECORDS)
]
LINES = b"\n".join(map(orjson.dumps, RECORDS)) + b"\n\n"
BODIES: dict[str, tuple[str, bytes, int]] = {
    "one": ("application/json", orjson.dumps(RECORDS[0]), 1),
    "many": ("application/json; charset=utf-8", orjson.dumps(RECORDS), 4),
    "lines": ("application/x-ndjson", LINES, 4),
    "event": ("application/cloudevents+json", orjson.dumps(EVENTS[0]), 1),
    "events": ("application/cloudevents-batch+json", orjson.dumps(EVENTS), 4),
}


@pytest.mark.parametrize("kind", BODIES)
def test_predictions_come_in_once(kind: str, ask: Ask, world: SqliteWorld) -> None:
    content_type, body, count = BODIES[kind]
    client = ask("intake", person="scoring")
    for admitted in (count, 0):
        answer = client.post("/predictions?queue=credit", content=body, headers={"content-type": content_type})
        assert answer.status_code == 200, answer.text
        expected = {"admitted": admitted, "duplicates": count - admitted, "quarantined": 0, "reasons": {}}
        assert answer.json() == expected
    ((total,),) = world.query("SELECT count(*) FROM cases WHERE queue = 'credit'")
    assert total == 12 + count


def test_what_cannot_be_used_is_quarantined_and_the_rest_comes_in(ask: Ask) -> None:
    mixed: list[Any] = [RECORDS[0], {"id": "no-output"}, "words", RECORDS[1]]
    answer = ask("intake").post("/predictions?queue=credit", json=mixed)
    assert answer.json() == {"admitted": 2, "duplicates": 0, "quarantined": 2, "reasons": {"schema": 1, "json": 1}}


@pytest.mark.parametrize(
    ("content_type", "body", "status", "kind"),
    [
        ("text/csv", b"id\n1", 415, "wrong-type"),
        ("application/json", b"{", 422, "bad-input"),
        ("application/json", b"[]", 422, "bad-input"),
        ("application/json", orjson.dumps([{}] * 1001), 422, "bad-input"),
        ("application/json", b"\xff\xfe", 422, "bad-input"),
        ("application/cloudevents+json", b'{"data": {}}', 422, "bad-input"),
        ("application/cloudevents-batch+json", b"[1]", 422, "bad-input"),
    ],
)
def test_a_body_that_is_none_is_refused_whole(
    content_type: str, body: bytes, status: int, kind: str, ask: Ask, world: SqliteWorld
) -> None:
    before = world.query("SELECT count(*) FROM quarantine")
    answer = ask("intake").post("/predictions?queue=credit", content=body, headers={"content-type": content_type})
    assert (answer.status_code, problem(answer)) == (status, kind)
    assert world.query("SELECT count(*) FROM quarantine") == before


def test_another_queue_is_not_told_of(ask: Ask) -> None:
    answer = ask("intake").post("/predictions?queue=payroll", json=RECORDS[0])
    assert problem(answer) == "bad-input"
    assert "credit" not in answer.text


@pytest.mark.parametrize("stream", [False, True], ids=["announced", "streamed"])
def test_a_body_that_is_too_large(ask: Ask, stream: bool) -> None:
    client = ask("intake", limits=Limits(ingest_body=10_000))
    large = b"[" + b" " * 20_000 + b"]"
    content = iter([large[:9000], large[9000:]]) if stream else large
    headers = {"content-type": "application/json"}
    assert problem(client.post("/predictions?queue=credit", content=content, headers=headers)) == "too-large"


def test_who_asks_too_often_waits(ask: Ask) -> None:
    client = ask("intake", limits=Limits(rate=0.5, burst=3))
    answers = [client.get("/me") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [403, 403, 403, 429, 429]
    assert problem(answers[-1]) == "too-many-requests"
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 2
