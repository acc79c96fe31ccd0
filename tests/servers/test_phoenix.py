"""Phoenix, the real server: flagged spans in, verdicts back as annotations. SECONDLOOK_TEST_PHOENIX names its
executable; spans are made through its REST interface."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.bundled import bundled
from app.deliver.sinks.phoenix import PhoenixOptions, PhoenixSink
from app.http import Http
from app.intake.sources.phoenix import PhoenixSource
from app.model.connection import Delivery
from app.model.errors import Unavailable, Undelivered
from app.settings import load_rubric
from tests.servers.round_trip import Workplace, executable, free_port, no_secrets, served

pytestmark = pytest.mark.servers

RUBRIC = load_rubric(bundled("rubrics") / "ungrounded-summary.toml")
BEGAN = datetime(2026, 11, 20, 9, tzinfo=UTC)
FLAGGED = {"review.flag": "high_risk", "review.severity": "high", "user.id": "user-17"}


@contextmanager
def phoenix(folder: Path, **more: str) -> Iterator[Http]:
    """Phoenix in a folder of its own."""
    port = free_port()
    command = [executable("SECONDLOOK_TEST_PHOENIX", "phoenix", "arize-phoenix"), "serve"]
    environment = {
        "PHOENIX_WORKING_DIR": str(folder), "PHOENIX_HOST": "127.0.0.1", "PHOENIX_PORT": str(port),
        "PHOENIX_GRPC_PORT": str(free_port()), "PHOENIX_TELEMETRY_ENABLED": "false", **more,
    }  # fmt: skip
    with served(command, port, "/healthz", folder, **environment) as http:
        print("Phoenix", http.request("GET", "/v1/projects").headers.get("x-phoenix-server-version"))
        yield http


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Http]:
    """Phoenix that asks for nothing."""
    with phoenix(tmp_path_factory.mktemp("phoenix")) as http:
        yield http


@pytest.fixture
def project(server: Http) -> str:
    """A new project's name."""
    name = f"p-{uuid.uuid4().hex[:8]}"
    server.ask("POST", "/v1/projects", json={"name": name})
    return name


def span(kind: str, name: str, trace: str, parent: str | None, minute: float, **attributes: Any) -> dict[str, Any]:
    """A span of two seconds; `minute` after the beginning. Attributes are written with __ for dots."""
    start = BEGAN + timedelta(minutes=minute)
    return {
        "name": name,
        "context": {"trace_id": trace, "span_id": uuid.uuid4().hex[:16]},
        "span_kind": kind,
        "parent_id": parent,
        "start_time": start.isoformat(),
        "end_time": (start + timedelta(seconds=2)).isoformat(),
        "status_code": "OK",
        "attributes": {key.replace("__", "."): value for key, value in attributes.items()},
    }


def put(server: Http, project: str, spans: list[dict[str, Any]]) -> None:
    """Puts spans, and waits until Phoenix has written them."""
    path = f"/v1/projects/{project}/spans"
    server.ask("POST", path, json={"data": spans})
    wanted = {one["context"]["span_id"] for one in spans}
    for _ in range(120):
        if wanted <= {one["context"]["span_id"] for one in server.ask("GET", f"{path}?limit=1000")["data"]}:
            return
        threading.Event().wait(0.25)
    pytest.fail("Phoenix does not write the spans")


def flagged_trace(minute: float = 0) -> list[dict[str, Any]]:
    """A flagged answer with a retrieved document, a call of a model that proposes a payment, and a tool."""
    trace = uuid.uuid4().hex
    said = {"input__value": "Who may cross? Mail jo@example.org", "output__value": "The bridge is closed to all."}
    root = span("CHAIN", "answer", trace, None, minute, **said)
    root["attributes"] |= FLAGGED
    parent = root["context"]["span_id"]
    found = {"content": "Cars may still cross.", "id": "4100", "metadata": '{"source": "documents/4100.txt"}'}
    documents = {f"retrieval.documents.0.document.{key}": value for key, value in found.items()}
    call = "llm.output_messages.0.message.tool_calls.0.tool_call.function"
    model = {
        "llm.model_name": "small-3", "llm.invocation_parameters": '{"temperature": 0.2}',
        f"{call}.name": "pay", f"{call}.arguments": '{"sum": 7}',
    }  # fmt: skip
    return [
        root,
        span("RETRIEVER", "find", trace, parent, minute + 0.001, input__value="bridge", **documents),
        span("TOOL", "send_mail", trace, parent, minute + 0.002, input__value='{"to": "all"}', review__risk="costs"),
        span("LLM", "model", trace, parent, minute + 0.003, **model),
    ]  # fmt: skip


def workplace(server: Http, folder: Path, project: str, **more: Any) -> Workplace:
    options = PhoenixOptions(url=server.base, project=project, **more)
    return Workplace(
        folder, RUBRIC, PhoenixSource(options, no_secrets, folder), PhoenixSink(options, no_secrets, folder)
    )


def annotated(server: Http, project: str, span_id: str) -> list[dict[str, Any]]:
    found = server.ask("GET", f"/v1/projects/{project}/span_annotations?span_ids={span_id}")["data"]
    return [{**one["result"], "identifier": one["identifier"], "kind": one["annotator_kind"]} for one in found]


def test_from_a_flagged_span_to_the_verdict_beside_it(server: Http, project: str, tmp_path: Path) -> None:
    spans = flagged_trace()
    without_output = span("CHAIN", "answer", uuid.uuid4().hex, None, 1, input__value="Hello?")
    without_output["attributes"] |= FLAGGED
    unflagged = span("CHAIN", "answer", uuid.uuid4().hex, None, 2, input__value="Hello?", output__value="Hello.")
    put(server, project, [*spans, without_output, unflagged])
    place = workplace(server, tmp_path, project)
    try:
        pulled = place.pull()
        assert (pulled.items, pulled.admitted, pulled.quarantined) == (2, 1, 1)
        [problem] = place.problems()
        assert without_output["context"]["span_id"] in problem and "output.value" in problem
        assert place.pull().items == 0
        flagged = spans[0]["context"]["span_id"]
        check_record(place.record(flagged))

        assert place.overturn() == flagged
        [delivery] = place.due()
        place.sink.send(delivery)
        place.sink.send(delivery)
        [said] = annotated(server, project, flagged)
        assert said == {
            "label": "overturned", "score": 0.0, "explanation": "The inputs say otherwise, plainly.",
            "identifier": "secondlook:summaries", "kind": "HUMAN",
        }  # fmt: skip
        print("after sending twice:", said)
        place.arrived()

        held = place.desk.undo()
        [retraction] = place.due()
        place.sink.send(retraction)
        [said] = annotated(server, project, flagged)
        assert (said["label"], said["score"]) == ("retracted", None)
        print("after the undo:", said)
        place.arrived()

        assert place.overturn(held) == flagged
        [again] = place.due()
        place.sink.send(again)
        place.sink.send(again)
        [said] = annotated(server, project, flagged)
        assert (said["label"], said["score"]) == ("overturned", 0.0)
        print("after another decision:", said)
    finally:
        place.close()


def check_record(record: dict[str, Any]) -> None:
    """The record of the flagged span, as it is kept."""
    assert record["output"]["text"] == "The bridge is closed to all."
    assert [(one["name"], one["kind"]) for one in record["inputs"]] == [("input", "text")]
    assert "jo@example.org" not in str(record) and "user-17" not in str(record)
    assert [(flag["code"], flag["severity"]) for flag in record["flags"]] == [("high_risk", "high")]
    evidence, trace = record["explanations"]
    assert evidence["items"][0]["source"] == {"uri": "documents/4100.txt", "text": "Cars may still cross."}
    steps = [(step["name"], step["status"]) for step in trace["items"]]
    assert steps == [("find", "ok"), ("send_mail", "ok"), ("model", "ok"), ("pay", "proposed")]
    assert trace["items"][1]["risk"] == ["costs"] and trace["items"][3]["arguments"] == {"sum": 7}
    assert record["provenance"] == {"model": {"name": "small-3"}, "hyperparameters": {"temperature": 0.2}}


def test_a_span_that_arrives_late_is_taken_and_none_twice(server: Http, project: str, tmp_path: Path) -> None:
    put(server, project, [*flagged_trace(0), *flagged_trace(10), *flagged_trace(20)])
    place = workplace(server, tmp_path, project, overlap_minutes=15)
    try:
        assert [place.pull(2).items for _ in range(3)] == [2, 1, 0]
        put(server, project, flagged_trace(12))
        late = place.pull()
        assert (late.items, late.admitted, late.duplicates) == (1, 1, 0)
        assert place.pull().items == 0
    finally:
        place.close()


def test_a_young_span_is_waited_for(server: Http, project: str, tmp_path: Path) -> None:
    since_begin = (datetime.now(UTC) - BEGAN).total_seconds() / 60
    put(server, project, [*flagged_trace(0), *flagged_trace(since_begin - 1)])
    place = workplace(server, tmp_path, project, settle_seconds=3600, overlap_minutes=0)
    try:
        assert [place.pull().items for _ in range(2)] == [1, 0]
        place.source.close()
        place.source = PhoenixSource(PhoenixOptions(url=server.base, project=project), no_secrets, tmp_path)
        with place.store.read() as connection:
            cursor = connection.exec_driver_sql("SELECT cursor FROM connections").scalar()
        assert len(place.source.pull(10, str(cursor)).items) == 1
    finally:
        place.close()


def test_a_span_that_is_not_written_yet_is_tried_again(server: Http, tmp_path: Path) -> None:
    sink = PhoenixSink(PhoenixOptions(url=server.base), no_secrets, tmp_path)
    event = {"data": {"id": "x", "verdict": "upheld"}}
    try:
        with pytest.raises(Undelivered) as caught:
            sink.send(Delivery("e", "verdict", event, b"", {"span_id": "d" * 16}, 1))
        assert not caught.value.final and "404" in str(caught.value)
    finally:
        sink.close()


def test_another_address_of_the_server_is_said_in_words(server: Http, project: str, tmp_path: Path) -> None:
    options = PhoenixOptions(url=f"{server.base}/projects", project=project)
    source = PhoenixSource(options, no_secrets, tmp_path)
    try:
        with pytest.raises(Unavailable, match="instead of JSON"):
            source.pull(10, "")
    finally:
        source.close()


def test_a_wrong_key_is_said_and_the_right_one_works(tmp_path: Path) -> None:
    key = "admin0123456789" * 3
    locked = {"PHOENIX_ENABLE_AUTH": "true", "PHOENIX_SECRET": "secret0123456789" * 3, "PHOENIX_ADMIN_SECRET": key}
    with phoenix(tmp_path, **locked) as http:
        allowed = Http(http.base, {"authorization": f"Bearer {key}"})
        spans = flagged_trace()
        allowed.ask("POST", "/v1/projects", json={"name": "locked"})
        put(allowed, "locked", spans)
        options = PhoenixOptions(url=http.base, project="locked", token_secret="key")
        reference = {"span_id": spans[0]["context"]["span_id"]}
        verdict = Delivery("e", "verdict", {"data": {"queue": "q", "verdict": "upheld"}}, b"", reference, 1)

        denied, refused = PhoenixSource(options, wrong_key, tmp_path), PhoenixSink(options, wrong_key, tmp_path)
        with pytest.raises(Unavailable, match=r"401.*set the secret anew"):
            denied.pull(10, "")
        with pytest.raises(Undelivered, match=r"401.*kept and tried again") as caught:
            refused.send(verdict)
        assert not caught.value.final

        source, sink = (
            PhoenixSource(options, lambda name: key, tmp_path),
            PhoenixSink(options, lambda name: key, tmp_path),
        )
        assert len(source.pull(10, "").items) == 1
        sink.send(verdict)
        assert [one["label"] for one in annotated(allowed, "locked", reference["span_id"])] == ["upheld"]
        for thing in (denied, refused, source, sink, allowed):
            thing.close()


def wrong_key(name: str) -> str:
    return "wrong"
