"""MLflow and Phoenix sources and sinks against servers that answer otherwise than they should."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from app.deliver.sinks.mlflow import MlflowSink
from app.deliver.sinks.phoenix import PhoenixOptions, PhoenixSink
from app.intake.sources.mlflow import MlflowSource
from app.intake.sources.phoenix import PhoenixSource
from app.model.connection import Batch, Delivery, Item
from app.model.errors import SettingsError, Unavailable, Undelivered
from tests.unit.test_spans import MLFLOW, PHOENIX, mlflow_trace, phoenix_span

# The credentials that came with each request to any `server`.
HEARD: list[str | None] = []


@contextmanager
def server(answer: Callable[[str, str, Any], tuple[int, Any]]) -> Iterator[str]:
    """A server that answers `answer(method, path, body)`: a status, and JSON or bytes of HTML."""

    class Handler(BaseHTTPRequestHandler):
        def _reply(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            status, said = answer(self.command, self.path, json.loads(body or b"null"))
            data = said if isinstance(said, bytes) else json.dumps(said).encode()
            HEARD.append(self.headers.get("authorization"))
            self.send_response(status)
            self.send_header("content-type", "text/html" if isinstance(said, bytes) else "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PATCH = do_DELETE = _reply  # noqa: N815

        def log_message(self, *parts: Any) -> None:
            """Silent."""

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.server_port}"
    finally:
        listening.shutdown()
        thread.join()
        listening.server_close()


def secret(name: str) -> str:
    return {"token": "t0ken", "password": "pass"}[name]


def test_one_bad_trace_does_not_stop_the_others(tmp_path: Path) -> None:
    tagged: list[str] = []

    def answer(method: str, path: str, body: Any) -> tuple[int, Any]:
        if "get-by-name" in path:
            return 200, {"experiment": {"experiment_id": "1"}}
        if path.endswith("/search"):
            running = {"trace_id": "tr-3", "state": "IN_PROGRESS"}
            return 200, {"traces": [{"trace_id": "tr-1", "state": "OK"}, {"new": 1}, running, {"trace_id": "tr-2"}]}
        if path.endswith("/tags"):
            tagged.append(path.split("/")[-2])
            return (400 if "tr-1" in path else 200), {}
        if "traces/get" in path:
            return (500, b"<h1>oops</h1>") if "tr-1" in path else (200, {"trace": mlflow_trace()})
        return 404, {}

    with server(answer) as url:
        source = MlflowSource(MLFLOW.model_copy(update={"url": url}), secret, tmp_path)
        batch = source.pull(10, "")
        source.acknowledge(batch)
        source.close()
    first, second, third = batch.items
    assert first.problem == "MLflow trace tr-1: the server answered 500 when asked for its spans"
    assert "expected 'trace_id' (a string); there is new" in str(second.problem) and second.receipt == ""
    assert not third.problem and third.reference == {"trace_id": "tr-2"}
    assert tagged == ["tr-1", "tr-2"]


@pytest.mark.parametrize("answered", [b"<html>sign in</html>", [], {"traces": 3}, "text"])
def test_mlflow_that_answers_something_else(tmp_path: Path, answered: Any) -> None:
    with server(lambda method, path, body: (200, answered)) as url:
        source = MlflowSource(MLFLOW.model_copy(update={"url": url}), secret, tmp_path)
        with pytest.raises(Unavailable, match=r"instead of JSON|Is this MLflow 3"):
            source.pull(10, "")
        source.close()


@pytest.mark.parametrize(
    ("answered", "said"),
    [
        (b"<html>sign in</html>", "instead of JSON"),
        ({"spans": []}, "expected 'data' .an array.; there is spans"),
        ([], "Is this Phoenix"),
        ({"data": [phoenix_span(attributes={"output.value": "x"})]}, "gave a span without review.flag:high_risk"),
        (
            {"data": [phoenix_span(), phoenix_span(start_time="2025-01-01T00:00:00Z")]},
            "does not sort spans",
        ),
    ],
)
def test_phoenix_that_answers_something_else(tmp_path: Path, answered: Any, said: str) -> None:
    with server(lambda method, path, body: (200, answered)) as url:
        source = PhoenixSource(PHOENIX.model_copy(update={"url": url}), secret, tmp_path)
        with pytest.raises(Unavailable, match=said):
            source.pull(10, "")
        source.close()


def test_a_span_that_cannot_be_read_is_given_once(tmp_path: Path) -> None:
    def answer(method: str, path: str, body: Any) -> tuple[int, Any]:
        return 200, {"data": [phoenix_span(), phoenix_span(id="x", context={})] if "attribute" in path else []}

    with server(answer) as url:
        source = PhoenixSource(PHOENIX.model_copy(update={"url": url}), secret, tmp_path)
        batch = source.pull(10, "")
        again = source.pull(10, batch.cursor or "")
        source.close()
    assert ["context: expected 'span_id'" in str(item.problem) for item in batch.items] == [False, True]
    assert again.items == []


def delivery(kind: str = "verdict", reference: dict[str, str] | None = None, **more: Any) -> Delivery:
    data = {"id": "p", "queue": "q", "verdict": "corrected", "predicted_label": "bad", "label": "good"}
    where = {"trace_id": "tr-1", "span_id": "a" * 16} if reference is None else reference
    return Delivery("event-1", kind, {"data": data | more}, b"", where, 1)


@pytest.mark.parametrize(
    ("status", "final", "said"),
    [
        (400, True, "stays in this workspace"),
        (404, True, "trace is not there any more"),
        (401, False, "set the secret anew"),
        (429, False, "kept and tried again"),
        (500, False, "kept and tried again"),
        (302, False, "kept and tried again"),
    ],
)
def test_what_a_refusal_means(tmp_path: Path, status: int, final: bool, said: str) -> None:
    with server(lambda method, path, body: (status, {"message": "the reviewer said: secret words"})) as url:
        sink = MlflowSink(MLFLOW.model_copy(update={"url": url}), secret, tmp_path)
        with pytest.raises(Undelivered, match=said) as caught:
            sink.send(delivery())
        sink.close()
    assert caught.value.final is final
    assert "secret words" not in str(caught.value)


@pytest.mark.parametrize(("made", "options"), [(MlflowSink, MLFLOW), (PhoenixSink, PHOENIX)])
@pytest.mark.parametrize("status", [404, 400, 500])
def test_a_refusal_by_something_else_is_tried_again(tmp_path: Path, made: Any, options: Any, status: int) -> None:
    with server(lambda method, path, body: (status, b"<h1>Not Found</h1>")) as url:
        sink = made(options.model_copy(update={"url": url}), secret, tmp_path)
        with pytest.raises(Undelivered) as caught:
            sink.send(delivery())
        sink.close()
    assert not caught.value.final
    assert ("check `url`" in str(caught.value)) is (status < 500)


@pytest.mark.parametrize("made", [MlflowSink, PhoenixSink])
def test_a_case_of_another_source_cannot_be_answered(tmp_path: Path, made: Any) -> None:
    sink = made(MLFLOW if made is MlflowSink else PHOENIX, secret, tmp_path)
    with pytest.raises(Undelivered, match="did not come from") as caught:
        sink.send(delivery(reference={}))
    sink.close()
    assert caught.value.final


def test_a_corrected_label_is_an_expectation(tmp_path: Path) -> None:
    sent: list[Any] = []

    def answer(method: str, path: str, body: Any) -> tuple[int, Any]:
        if method == "GET":
            return 200, {"trace": {"trace_info": {}}}
        sent.append(body["assessment"])
        return 200, {}

    with server(answer) as url:
        sink = MlflowSink(MLFLOW.model_copy(update={"url": url}), secret, tmp_path)
        sink.send(delivery())
        sink.close()
    assert [one["assessment_name"] for one in sent] == ["verdict", "expected_label"]
    assert sent[1]["expectation"] == {"value": "good"} and sent[1]["metadata"]["review_id"] == "event-1"


def assessment(number: int, name: str, kind: str, **metadata: str) -> dict[str, Any]:
    return {"assessment_id": f"a-{number}", "assessment_name": name, kind: {"value": "x"}, "metadata": metadata}


def test_a_later_verdict_is_written_over_the_earlier(tmp_path: Path) -> None:
    sent: list[tuple[str, str, Any]] = []
    ours = {"review_id": "event-0", "queue": "q"}
    there = [
        assessment(1, "verdict", "feedback", **ours, reasons="old", retracted_by="event-x"),
        assessment(2, "expected_response", "expectation", **ours),
        assessment(3, "verdict", "feedback", review_id="event-0", queue="another"),
        assessment(4, "verdict", "feedback", **ours),
        {"assessment_id": "a-5", "assessment_name": "verdict", "feedback": {"value": "somebody's"}},
    ]

    def answer(method: str, path: str, body: Any) -> tuple[int, Any]:
        if method == "GET":
            return 200, {"trace": {"trace_info": {"assessments": there}}}
        sent.append((method, path.rpartition("/")[2], body and body["assessment"]))
        return 200, {}

    with server(answer) as url:
        sink = MlflowSink(MLFLOW.model_copy(update={"url": url}), secret, tmp_path)
        sink.send(delivery())
        sink.close()
    assert [(method, where) for method, where, _ in sent] == [
        ("PATCH", "a-1"), ("DELETE", "a-2"), ("DELETE", "a-4"), ("POST", "assessments"),
    ]  # fmt: skip
    changed, added = sent[0][2], sent[3][2]
    assert changed["feedback"] == {"value": "corrected"}
    assert changed["metadata"] == {
        "review_id": "event-1", "queue": "q", "label": "good", "reasons": "", "retracted_by": "",
    }  # fmt: skip
    assert added["assessment_name"] == "expected_label"


def test_a_taken_trace_is_passed_over_whatever_the_filter(tmp_path: Path) -> None:
    asked: list[str] = []

    def answer(method: str, path: str, body: Any) -> tuple[int, Any]:
        asked.append(path)
        if "get-by-name" in path:
            return 200, {"experiment": {"experiment_id": "1"}}
        return 200, {"traces": [{"trace_id": "tr-1", "tags": {"review": "in_review", "other": "x"}}]}

    with server(answer) as url:
        source = MlflowSource(MLFLOW.model_copy(update={"url": url, "filter": "tag.other = 'x'"}), secret, tmp_path)
        assert source.pull(10, "").items == []
        source.close()
    assert not [path for path in asked if "traces/get" in path]


REFUSED = {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "no such thing"}


@pytest.mark.parametrize(
    ("status", "answered", "said"),
    [
        (404, REFUSED, "has no experiment 'chat'"),
        (404, b"<h1>Not Found</h1>", "not the address of an MLflow 3 server"),
        (200, {"experiment": {"experiment_id": "1", "lifecycle_stage": "deleted"}}, "'chat' is deleted"),
        (401, b"You are not authenticated.", "set the secret anew"),
    ],
)
def test_an_experiment_that_cannot_be_found(tmp_path: Path, status: int, answered: Any, said: str) -> None:
    with server(lambda method, path, body: (status, answered)) as url:
        source = MlflowSource(MLFLOW.model_copy(update={"url": url}), secret, tmp_path)
        with pytest.raises(Unavailable, match=said):
            source.pull(10, "")
        source.close()


def test_a_tag_that_may_not_be_set_is_said_with_what_was_kept(tmp_path: Path) -> None:
    with server(lambda method, path, body: (403, {"error_code": "PERMISSION_DENIED"})) as url:
        source = MlflowSource(MLFLOW.model_copy(update={"url": url}), secret, tmp_path)
        with pytest.raises(Unavailable, match=r"403.*is kept.*'review'"):
            source.acknowledge(Batch([Item(b"{}", receipt="tr-1")]))
        source.close()


def test_phoenix_that_has_no_such_project(tmp_path: Path) -> None:
    with server(lambda method, path, body: (404, {"detail": "Project with name default not found"})) as url:
        source = PhoenixSource(PHOENIX.model_copy(update={"url": url}), secret, tmp_path)
        with pytest.raises(Unavailable, match=r"has no project 'default'.*Nothing was taken"):
            source.pull(10, "")
        source.close()


def test_a_trace_that_gets_no_tag_is_not_pulled_for_ever(tmp_path: Path) -> None:
    def answer(method: str, path: str, body: Any) -> tuple[int, Any]:
        if "get-by-name" in path:
            return 200, {"experiment": {"experiment_id": "1"}}
        if method == "PATCH":
            return 400, {"error_code": "INVALID_PARAMETER_VALUE"}
        return 200, {"traces": [{"trace_id": "tr-1"}]} if path.endswith("/search") else {"trace": mlflow_trace()}

    with server(answer) as url:
        source = MlflowSource(MLFLOW.model_copy(update={"url": url}), secret, tmp_path)
        first = source.pull(10, "")
        source.acknowledge(first)
        again = source.pull(10, "")
        source.close()
    assert (len(first.items), len(again.items)) == (1, 0)


@pytest.mark.parametrize("answered", [b"<html>sign in</html>", {}, [], {"data": []}])
def test_an_annotation_that_nobody_has_written_is_not_delivered(tmp_path: Path, answered: Any) -> None:
    with server(lambda method, path, body: (200, answered)) as url:
        sink = PhoenixSink(PHOENIX.model_copy(update={"url": url}), secret, tmp_path)
        with pytest.raises(Undelivered, match="kept and tried again") as caught:
            sink.send(delivery())
        sink.close()
    assert not caught.value.final


@pytest.mark.parametrize("pair", ["review.flag", "review.flag=x", ":x", "x:"])
def test_an_attribute_is_a_pair(pair: str) -> None:
    with pytest.raises(ValidationError, match="expected 'key:value'"):
        PhoenixOptions(url="http://127.0.0.1:1", attributes=[pair])


@pytest.mark.parametrize(
    ("made", "options", "sent"),
    [
        (MlflowSource, MLFLOW.model_copy(update={"token_secret": "token"}), "Bearer t0ken"),
        (MlflowSource, MLFLOW.model_copy(update={"username": "u", "password_secret": "password"}), "Basic dTpwYXNz"),
        (PhoenixSource, PHOENIX.model_copy(update={"token_secret": "token"}), "Bearer t0ken"),
    ],
)
def test_credentials_are_sent(tmp_path: Path, made: Any, options: Any, sent: str) -> None:
    with server(lambda method, path, body: (401, b"")) as url:
        source = made(options.model_copy(update={"url": url}), secret, tmp_path)
        with pytest.raises(Unavailable, match="set the secret anew"):
            source.pull(10, "")
        source.close()
    assert HEARD[-1] == sent


def test_wrong_options_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="not encrypted"):
        MlflowSource(MLFLOW.model_copy(update={"url": "http://mlflow.example"}), secret, tmp_path)
    with pytest.raises(SettingsError, match="since: expected a time"):
        PhoenixSource(PHOENIX.model_copy(update={"since": "soon"}), secret, tmp_path)
