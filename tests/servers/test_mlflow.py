"""MLflow 3, the real server: flagged traces in, verdicts back as assessments. SECONDLOOK_TEST_MLFLOW names its
executable; traces are logged by MLflow's own library, in that environment."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from app.bundled import bundled
from app.deliver.sinks.mlflow import MlflowOptions, MlflowSink
from app.http import Http
from app.intake.sources.mlflow import MlflowSource
from app.model.errors import Unavailable, Undelivered
from app.settings import load_rubric
from tests.servers.round_trip import Workplace, executable, free_port, no_secrets, served

pytestmark = pytest.mark.servers

RUBRIC = load_rubric(bundled("rubrics") / "ungrounded-summary.toml")
# Runs in the server's environment: a flagged trace with a document and a risky step, one that nobody flagged, and one
# without outputs.
LOG = """
import json, sys, mlflow
from mlflow.entities import AssessmentSource, Document, SpanType
mlflow.set_tracking_uri(sys.argv[1])
mlflow.set_experiment(sys.argv[2])
ids = []

def trace(tags, said):
    with mlflow.start_span("answer", span_type=SpanType.CHAIN) as root:
        root.set_inputs({"messages": [{"role": "user", "content": "Who may cross? Mail jo@example.org"}], "limit": 3})
        with mlflow.start_span("find", span_type=SpanType.RETRIEVER) as span:
            span.set_inputs({"query": "bridge"})
            document = Document(page_content="Cars may still cross.", metadata={"doc_uri": "documents/4100.txt"})
            span.set_outputs([document])
        with mlflow.start_span("send_mail", span_type=SpanType.TOOL) as span:
            span.set_inputs({"to": "everybody"})
            span.set_attribute("review.risk", ["irreversible"])
            span.set_outputs("sent")
        with mlflow.start_span("model", span_type=SpanType.CHAT_MODEL) as span:
            span.set_attribute("mlflow.llm.model", "small-3")
        if said is not None:
            root.set_outputs({"choices": [{"message": {"role": "assistant", "content": said}}]})
        mlflow.update_current_trace(tags=tags, metadata={"mlflow.trace.user": "user-17"})
    ids.append(root.trace_id)

with mlflow.start_run():
    mlflow.log_params({"temperature": 0.2})
    flagged = {"review": "flagged", "review.flag": "ungrounded_claim", "review.severity": "high"}
    trace(flagged, "The bridge is closed to all.")
    trace({}, "Nobody flagged this.")
    trace({"review": "flagged"}, None)
mlflow.flush_trace_async_logging()
mlflow.log_feedback(trace_id=ids[0], name="grounded", value="no", rationale="all",
                    source=AssessmentSource("LLM_JUDGE", "judge/1"))
print(json.dumps(ids))
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Http]:
    """MLflow on a database of its own."""
    folder, port = tmp_path_factory.mktemp("mlflow"), free_port()
    command = [executable("SECONDLOOK_TEST_MLFLOW", "mlflow"), "server", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--workers", "1"]
    command += ["--default-artifact-root", str(folder / "artifacts")]
    with served(command, port, "/health", folder) as http:
        print("MLflow", http.request("GET", "/version").body.decode())
        yield http


def logged(server: Http, experiment: str) -> list[str]:
    """Three traces: flagged, not flagged, flagged without outputs. Returns their ids."""
    python = Path(executable("SECONDLOOK_TEST_MLFLOW", "mlflow")).with_name("python")
    done = subprocess.run(
        [str(python), "-c", LOG, server.base, experiment], capture_output=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return [str(one) for one in orjson.loads(done.stdout.splitlines()[-1])]


def workplace(server: Http, folder: Path, experiment: str, **more: Any) -> Workplace:
    options = MlflowOptions(url=server.base, experiments=[experiment], **more)
    return Workplace(folder, RUBRIC, MlflowSource(options, no_secrets, folder), MlflowSink(options, no_secrets, folder))


def info_of(server: Http, trace_id: str) -> Any:
    return server.ask("GET", f"/api/3.0/mlflow/traces/{trace_id}")["trace"]["trace_info"]


def own(server: Http, trace_id: str) -> dict[str, list[Any]]:
    """What people have said of a trace: values by the assessment's name."""
    found: dict[str, list[Any]] = {}
    for one in info_of(server, trace_id).get("assessments", []):
        if one["source"]["source_type"] == "HUMAN":
            value = (one.get("feedback") or one.get("expectation"))["value"]
            found.setdefault(one["assessment_name"], []).append(value)
    return found


def test_from_a_flagged_trace_to_the_verdict_beside_it(server: Http, tmp_path: Path) -> None:
    flagged, unflagged, empty = logged(server, "round-trip")
    place = workplace(server, tmp_path, "round-trip")
    try:
        pulled = place.pull()
        assert (pulled.items, pulled.admitted, pulled.quarantined) == (2, 1, 1)
        [problem] = place.problems()
        assert empty in problem and "mlflow.spanOutputs" in problem
        assert info_of(server, flagged)["tags"]["review"] == "in_review"
        assert "review" not in info_of(server, unflagged)["tags"]
        assert place.pull().items == 0
        check_record(place.record(flagged))

        assert place.overturn(correction="The bridge is closed to lorries.") == flagged
        [delivery] = place.due()
        place.sink.send(delivery)
        place.sink.send(delivery)
        said = own(server, flagged)
        assert said == {"verdict": ["corrected"], "expected_response": ["The bridge is closed to lorries."]}
        print("after sending twice:", said)
        place.arrived()

        held = place.desk.undo()
        [retraction] = place.due()
        assert retraction.kind == "retracted"
        place.sink.send(retraction)
        place.sink.send(retraction)
        assert own(server, flagged) == {"verdict": ["retracted"]}
        print("after the undo:", own(server, flagged))
        place.arrived()

        assert place.overturn(held) == flagged
        [again] = place.due()
        place.sink.send(again)
        place.sink.send(again)
        assert own(server, flagged) == {"verdict": ["overturned"]}
        [metadata] = [one["metadata"] for one in info_of(server, flagged)["assessments"] if "metadata" in one]
        assert metadata["review_id"] == again.event_id
        assert (metadata["retracted_by"], metadata["correction"]) == ("", "")
        print("after another decision:", own(server, flagged))
    finally:
        place.close()


def check_record(record: dict[str, Any]) -> None:
    """The record of the flagged trace, as it is kept."""
    assert record["output"]["text"] == "The bridge is closed to all."
    messages, limit = record["inputs"]
    assert (messages["kind"], limit["kind"], limit["value"]) == ("chat", "number", 3)
    assert "jo@example.org" not in str(record) and "user-17" not in str(record)
    assert [flag["code"] for flag in record["flags"]] == ["ungrounded_claim", "grounded"]
    evidence, trace = record["explanations"]
    assert evidence["items"][0]["source"] == {"uri": "documents/4100.txt", "text": "Cars may still cross."}
    assert [step["name"] for step in trace["items"]] == ["find", "send_mail", "model"]
    assert trace["items"][1]["risk"] == ["irreversible"]
    assert record["provenance"]["model"]["name"] == "small-3"
    assert record["provenance"]["hyperparameters"] == {"temperature": "0.2"}


def test_a_crash_before_the_tag_is_harmless(server: Http, tmp_path: Path) -> None:
    flagged, _, _ = logged(server, "crash")
    place = workplace(server, tmp_path, "crash")
    try:
        place.pull()
        body = {"key": "review", "value": "flagged"}
        server.ask("PATCH", f"/api/3.0/mlflow/traces/{flagged}/tags", json=body)
        again = place.pull()
        assert (again.items, again.admitted, again.duplicates, again.quarantined) == (1, 0, 1, 0)
    finally:
        place.close()


def test_a_trace_that_is_gone_is_not_waited_for(server: Http, tmp_path: Path) -> None:
    logged(server, "gone")
    place = workplace(server, tmp_path, "gone")
    try:
        place.pull()
        flagged = place.overturn()
        number = info_of(server, flagged)["trace_location"]["mlflow_experiment"]["experiment_id"]
        body = {"experiment_id": number, "request_ids": [flagged]}
        server.ask("POST", "/api/2.0/mlflow/traces/delete-traces", json=body)
        with pytest.raises(Undelivered) as caught:
            place.sink.send(place.due()[0])
        assert caught.value.final
    finally:
        place.close()


def test_an_experiment_that_is_not_there_is_named(server: Http, tmp_path: Path) -> None:
    place = workplace(server, tmp_path, "nowhere")
    try:
        with pytest.raises(Unavailable, match="no experiment 'nowhere'"):
            place.pull()
    finally:
        place.close()


def test_a_filter_that_mlflow_refuses_is_said(server: Http, tmp_path: Path) -> None:
    place = workplace(server, tmp_path, "Default", filter="tag.review == 'x")
    try:
        with pytest.raises(Unavailable, match="refuses the filter: Invalid clause"):
            place.pull()
    finally:
        place.close()
