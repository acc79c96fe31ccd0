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

from app.deliver.sinks.mlflow import MlflowSink
from app.deliver.sinks.phoenix import PhoenixSink
from app.intake.sources.mlflow import MlflowSource
from app.intake.sources.phoenix import PhoenixSource
from app.model.connection import Delivery
from app.model.errors import SettingsError, Unavailable, Undelivered
from tests.unit.test_spans import MLFLOW, PHOENIX, mlflow_trace, phoenix_span


@contextmanager
def server(answer: Callable[[str, str, Any], tuple[int, Any]]) -> Iterator[str]:
    """A server that answers `answer(method, path, body)`: a status, and JSON or bytes of HTML."""

    class Handler(BaseHTTPRequestHandler):
        def _reply(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            status, said = answer(self.command, self.path, json.loads(body or b"null"))
            data = said if isinstance(said, bytes) else json.dumps(said).encode()
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


def delivery(kind: str = "verdict", reference: dict[str, str] | None = None) -> Delivery:
    data = {"id": "p", "verdict": "corrected", "predicted_label": "bad", "label": "good", "correction": None}
    where = {"trace_id": "tr-1", "span_id": "a" * 16} if reference is None else reference
    return Delivery("event-1", kind, {"data": data}, b"", where, 1)


@pytest.mark.parametrize(
    ("status", "final"), [(400, True), (404, True), (401, False), (429, False), (500, False), (302, False)]
)
def test_what_a_refusal_means(tmp_path: Path, status: int, final: bool) -> None:
    with server(lambda method, path, body: (status, {"message": "the reviewer said: secret words"})) as url:
        sink = MlflowSink(MLFLOW.model_copy(update={"url": url}), secret, tmp_path)
        with pytest.raises(Undelivered) as caught:
            sink.send(delivery())
        sink.close()
    assert caught.value.final is final
    assert "secret words" not in str(caught.value)


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


def test_wrong_options_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="not encrypted"):
        MlflowSource(MLFLOW.model_copy(update={"url": "http://mlflow.example"}), secret, tmp_path)
    with pytest.raises(SettingsError, match="since: expected a time"):
        PhoenixSource(PHOENIX.model_copy(update={"since": "soon"}), secret, tmp_path)
