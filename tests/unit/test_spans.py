"""Traces of MLflow and Phoenix as records, from answers as the real servers gave them (MLflow 3.17.2, Phoenix 20.26.1),
and what happens where an answer is another one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import orjson
import pytest

from app.deliver.sinks.mlflow import MlflowOptions
from app.deliver.sinks.phoenix import PhoenixOptions
from app.intake.parse import validate
from app.intake.sources import mlflow_records, phoenix_records
from app.intake.sources.phoenix import Position
from app.intake.sources.span_records import inputs_of, output_of, text_of
from app.intake.sources.spans import Misfit, Span, below, from_mlflow, from_phoenix, readable, root_of
from app.model.explanation import Evidence, Trace
from app.model.policy import QueuePolicy
from app.model.prediction import Prediction, Task

POLICY = QueuePolicy(rubric="ungrounded-summary", task=Task(type="generation", labels=["faithful", "hallucinated"]))
TASK = {"task": {"type": "generation"}}
MLFLOW = MlflowOptions(url="http://127.0.0.1:1", experiments=["chat"])
PHOENIX = PhoenixOptions(url="http://127.0.0.1:1")


def text(value: str) -> dict[str, Any]:
    return {"string_value": value}


def attribute(key: str, value: dict[str, Any]) -> dict[str, Any]:
    return {"key": key, "value": value}


def mapping(**values: dict[str, Any]) -> dict[str, Any]:
    return {"kvlist_value": {"values": [attribute(key, value) for key, value in values.items()]}}


def mlflow_trace(**changes: Any) -> dict[str, Any]:
    """A trace as `traces/get` gave it; `changes` replace keys of its root span."""
    inputs, outputs = "mlflow.spanInputs", "mlflow.spanOutputs"
    documents = {"array_value": {"values": [mapping(page_content=text("Cars may cross."), id=text("4100"))]}}
    root = {
        "trace_id": "7HFQ52qXfby/ibQmLnUclg==",
        "span_id": "T8TiHGs5k+I=",
        "name": "answer",
        "start_time_unix_nano": 1795264277052256835,
        "end_time_unix_nano": 1795264277079257126,
        "attributes": [
            attribute("mlflow.spanType", text("CHAIN")),
            attribute(inputs, mapping(question=text("When?"), limit={"int_value": 3})),
            attribute(outputs, mapping(answer=text("On Monday."))),
        ],
        "status": {"code": "STATUS_CODE_OK"},
    }
    found = {
        "trace_id": "7HFQ52qXfby/ibQmLnUclg==",
        "span_id": "X7eeGWLTQt8=",
        "parent_span_id": "T8TiHGs5k+I=",
        "name": "find",
        "start_time_unix_nano": 1795264277078565344,
        "end_time_unix_nano": 1795264277078783399,
        "attributes": [attribute("mlflow.spanType", text("RETRIEVER")), attribute(outputs, documents)],
        "status": {"code": "STATUS_CODE_ERROR"},
    }
    metadata = {"mlflow.sourceRun": "b70b", "mlflow.source.git.commit": "a" * 40, "mlflow.source.git.branch": ""}
    info = {
        "trace_id": "tr-ec7150e76a977dbcbf89b4262e751c96",
        "request_time": "2026-11-21T12:31:17.052Z",
        "state": "OK",
        "trace_metadata": metadata,
        "tags": {"review": "flagged", "review.flag": "ungrounded_claim, pii", "review.probability": "0.5"},
    }
    return {"trace_info": info, "spans": [root | changes, found]}


RUN = {
    "data": {"params": [{"key": "temperature", "value": "0.2"}]},
    "inputs": {
        "dataset_inputs": [{"dataset": {"name": "news", "digest": "1f2e3d4c", "source": '{"uri": "s3://news"}'}}]
    },
}


def mlflow_record(trace: dict[str, Any]) -> Prediction:
    return validate(orjson.loads(mlflow_records.record_of(trace, MLFLOW, lambda path, parts: RUN)), POLICY)


def phoenix_span(**changes: Any) -> dict[str, Any]:
    """A span as `projects/{p}/spans` gave it."""
    return {
        "id": "U3Bhbjox",
        "name": "answer",
        "context": {"trace_id": "a" * 32, "span_id": "a" * 16},
        "span_kind": "LLM",
        "parent_id": None,
        "start_time": "2026-11-21T10:00:00.500000+00:00",
        "end_time": "2026-11-21T10:00:02+00:00",
        "status_code": "OK",
        "status_message": "",
        "attributes": {
            "review.flag": "high_risk",
            "llm.model_name": "small-3",
            "llm.input_messages.0.message.role": "user",
            "llm.input_messages.0.message.contents.0.message_content.type": "text",
            "llm.input_messages.0.message.contents.0.message_content.text": "When?",
            "llm.output_messages.0.message.role": "assistant",
            "llm.output_messages.0.message.content": "On Monday.",
        },
        "events": [],
    } | changes


def phoenix_record(raw: dict[str, Any]) -> Prediction:
    span = from_phoenix(raw, "data[]")
    return validate(orjson.loads(phoenix_records.record_of(span, [span], PHOENIX)), POLICY)


# -- MLflow ------------------------------------------------------------------------------------------


def test_a_trace_of_mlflow_is_a_record() -> None:
    record = mlflow_record(mlflow_trace())
    assert (record.id, record.created_at) == ("tr-ec7150e76a977dbcbf89b4262e751c96", "2026-11-21T12:31:17.052Z")
    assert record.trace_id == "ec7150e76a977dbcbf89b4262e751c96"
    assert [(one.name, one.kind, one.value) for one in record.inputs] == [
        ("question", "text", "When?"),
        ("limit", "number", 3),
    ]
    assert record.output.text == "On Monday."
    assert [flag.code for flag in record.flags or ()] == ["ungrounded_claim", "pii"]
    assert record.sampling and record.sampling.probability == 0.5
    assert record.sensitive is None
    assert record.provenance and record.provenance.code == {"commit": "a" * 40}
    assert record.provenance.data == {"name": "news", "uri": "s3://news", "snapshot_digest": "1f2e3d4c"}
    assert record.provenance.hyperparameters == {"temperature": "0.2"}


def test_steps_and_documents_become_explanations() -> None:
    evidence, trace = list(mlflow_record(mlflow_trace()).explanations or [])
    assert isinstance(evidence, Evidence) and isinstance(trace, Trace)
    source = evidence.items[0].source
    assert source and (source.uri, source.text) == ("4100", "Cars may cross.")
    assert [(one.name, one.status, one.duration_ms) for one in trace.items] == [("find", "error", 0.218)]


def test_an_older_server_writes_attributes_as_json_in_strings() -> None:
    attributes = [
        attribute("mlflow.spanInputs", text('{"question": "When?"}')),
        attribute("mlflow.spanOutputs", text('"On Monday."')),
    ]
    assert mlflow_record(mlflow_trace(attributes=attributes)).output.text == "On Monday."


def test_checks_by_machines_flag_and_those_by_people_do_not() -> None:
    def check(name: str, source: str, value: Any) -> dict[str, Any]:
        said = {"assessment_name": name, "source": {"source_type": source}, "feedback": {"value": value}}
        return said | {"rationale": "why"}

    trace = mlflow_trace()
    trace["trace_info"]["tags"] = {}
    trace["trace_info"]["assessments"] = [
        check("grounded", "LLM_JUDGE", "no"), check("safe", "CODE", False), check("polite", "LLM_JUDGE", "yes"),
        check("length", "CODE", 0), check("liked", "HUMAN", False),
    ]  # fmt: skip
    flags = mlflow_record(trace).flags or ()
    assert [(flag.code, flag.detail) for flag in flags] == [("grounded", "why"), ("safe", "why")]


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda t: t["spans"][0].pop("name"), r"trace\.spans\[0\]: expected 'name' \(a string\); there is attributes"),
        (lambda t: t["spans"][0].update(attributes=[]), "root 'answer': expected the attribute 'mlflow.spanOutputs'"),
        (lambda t: t["spans"][1].update(span_id=7), r"trace\.spans\[1\]: expected 'span_id' .* it is a number"),
        (lambda t: t.update(spans=[]), r"trace\.spans: expected the trace's spans"),
        (lambda t: t.pop("trace_info"), r"trace: expected 'trace_info' \(an object\); there is spans"),
        (lambda t: t["spans"].__setitem__(0, "x"), r"trace\.spans\[0\]"),
        (lambda t: t["spans"][0].update(attributes=[3]), r"trace\.spans\[0\]\.attributes: expected 'key'"),
        (lambda t: t["trace_info"].update(request_time=5), "expected 'request_time'"),
        (lambda t: t["trace_info"]["tags"].update({"review.probability": "often"}), "expected a number"),
        (lambda t: t["spans"][0].update(attributes=7), r"expected 'attributes' \(an array\); it is a number"),
        (lambda t: t["spans"][0].update(parent_span_id="T8TiHGs5k+I="), "without 'parent_span_id'"),
    ],
)  # fmt: skip
def test_a_changed_shape_is_said_with_key_and_place(damage: Callable[[Any], Any], said: str) -> None:
    trace = mlflow_trace()
    damage(trace)
    with pytest.raises(Misfit, match=said):
        mlflow_records.record_of(trace, MLFLOW, lambda path, parts: {})


# -- Phoenix -----------------------------------------------------------------------------------------


def test_a_span_of_phoenix_is_a_record() -> None:
    record = phoenix_record(phoenix_span())
    assert (record.id, record.created_at) == ("a" * 16, "2026-11-21T10:00:00.500000Z")
    assert [(one.kind, one.value) for one in record.inputs] == [("chat", [{"role": "user", "content": "When?"}])]
    assert record.output.text == "On Monday."
    assert record.provenance and record.provenance.model == {"name": "small-3"}


@pytest.mark.parametrize(
    ("attributes", "said"),
    [
        ({"review.model_version": "7"}, {"model": {"version": "7"}}),
        ({"llm.model_name": "m", "review.model_version": "7"}, {"model": {"name": "m", "version": "7"}}),
        ({"llm.invocation_parameters": '{"top_p": 1}', "llm.model_name": "m"},
         {"model": {"name": "m"}, "hyperparameters": {"top_p": 1}}),
        ({"llm.invocation_parameters": "odd", "llm.model_name": "m"}, {"model": {"name": "m"}}),
    ],
)  # fmt: skip
def test_where_a_span_comes_from(attributes: dict[str, Any], said: dict[str, Any]) -> None:
    record = phoenix_record(phoenix_span(attributes={"output.value": "x", **attributes}))
    assert record.provenance and record.provenance.model_dump(exclude_none=True, exclude_defaults=True) == said


def test_an_output_of_json_gives_label_and_score() -> None:
    attributes = {"input.value": "x", "output.value": '{"label": "hallucinated", "score": 0.7}', "review.flag": "f"}
    output = phoenix_record(phoenix_span(attributes=attributes)).output
    assert (output.label, output.score) == ("hallucinated", 0.7)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"attributes": {"input.value": "x"}}, "expected 'output.value' or .* there is input.value"),
        ({"attributes": None}, r"expected 'attributes' \(an object\); it is null"),
        ({"context": {}}, r"data\[\]\.context: expected 'span_id'"),
        ({"start_time": "yesterday"}, r"start_time: expected a time"),
    ],
)
def test_a_changed_span_is_said_with_key_and_place(change: dict[str, Any], said: str) -> None:
    with pytest.raises(Misfit, match=said):
        phoenix_record(phoenix_span(**change))


def test_the_cursor_stays_behind_by_the_overlap_and_before_who_waits() -> None:
    position = Position(10, {"a": 100, "b": 160})
    assert Position.read(position.moved(None, 50), 0) == Position(110, {"b": 160})
    assert Position.read(position.moved(90, 50), 0) == Position(90, {"a": 100, "b": 160})
    assert Position.read(position.moved(None, 500), 0) == Position(10, {"a": 100, "b": 160})
    for damaged in ("no cursor", "[]", '{"start": null}', '{"held": 3}'):
        assert Position.read(damaged, 7) == Position(7)


# -- any other shape ---------------------------------------------------------------------------------


def damaged(whole: Any) -> Iterator[Any]:
    """Copies, each with one part replaced by something else."""

    def paths(value: Any, path: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
        inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, one in inner:
            yield (*path, key)
            yield from paths(one, (*path, key))

    for *folders, last in paths(whole, ()):
        for odd in (None, 3, "x", [], {}, [3], {"a": 3}, True, -1e308):
            copy = orjson.loads(orjson.dumps(whole))
            place = copy
            for folder in folders:
                place = place[folder]
            place[last] = odd
            yield copy


def test_no_shape_of_a_trace_is_a_traceback() -> None:
    number = 0
    for number, trace in enumerate(damaged(mlflow_trace()), 1):  # noqa: B007
        with suppress(Misfit), readable("trace"):
            Prediction.model_validate(orjson.loads(mlflow_records.record_of(trace, MLFLOW, lambda p, k: RUN)) | TASK)
    assert number > 500


def test_no_shape_of_a_span_is_a_traceback() -> None:
    for raw in damaged(phoenix_span()):
        with suppress(Misfit), readable("span"):
            span = from_phoenix(raw, "data[]")
            Prediction.model_validate(orjson.loads(phoenix_records.record_of(span, [span], PHOENIX)) | TASK)


# -- shapes of inputs and outputs --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outputs", "words"),
    [
        ("On Monday.", "On Monday."),
        ({"choices": [{"message": {"role": "assistant", "content": "On Monday."}}]}, "On Monday."),
        ({"messages": [{"role": "user", "content": "?"}, {"role": "ai", "content": "On Monday."}]}, "On Monday."),
        ([{"role": "assistant", "content": [{"type": "text", "text": "On"}, {"text": "Monday."}]}], "On\nMonday."),
        ({"output": {"text": "On Monday."}}, "On Monday."),
        ({"number": 3}, None),
        (None, None),
    ],
)
def test_the_words_of_an_output(outputs: Any, words: str | None) -> None:
    assert text_of(outputs) == words


def test_an_object_without_words_is_kept_whole() -> None:
    assert output_of({"number": 3}, "label", "score", "x") == {"text": '{"number":3}'}
    assert output_of({"label": "bad", "score": 0.2}, "label", "score", "x") == {"label": "bad", "score": 0.2}
    assert output_of({"a": [{"b": "bad"}]}, "a.0.b", "", "x") == {"label": "bad"}
    with pytest.raises(Misfit, match="there is nothing"):
        output_of({}, "label", "score", "x")


def test_proposed_calls_are_words_of_the_output() -> None:
    call = {"function": {"name": "pay", "arguments": '{"sum": 7}'}}
    outputs = {"choices": [{"message": {"role": "assistant", "content": None, "tool_calls": [call]}}]}
    assert output_of(outputs, "label", "score", "x") == {"text": 'pay({"sum":7})'}


def test_inputs_of_every_kind() -> None:
    found = inputs_of({"q": "x", "n": 2, "yes": True, "more": {"a": 1}, "": None})
    kinds = [(one["name"], one["kind"]) for one in found]
    assert kinds == [("q", "text"), ("n", "number"), ("yes", "category"), ("more", "json"), ("input", "category")]
    assert inputs_of(None) == [] and inputs_of("x")[0]["kind"] == "text"


def test_spans_in_a_ring_end() -> None:
    def span(own: str, parent: str) -> Span:
        return Span(own, "t", parent, own, "CHAIN", 1, 2, "ok")

    ring = [span("a", ""), span("b", "a"), span("c", "b"), span("b", "c")]
    assert root_of(ring, "x").id == "a"
    assert [one.id for one in below(ring[0], ring)] == ["b", "c"]


def test_ids_in_hexadecimal_digits_stay() -> None:
    raw = mlflow_trace(span_id="4fc4e21c6b3993e2", trace_id="ec7150e76a977dbcbf89b4262e751c96")["spans"][0]
    assert from_mlflow(raw, "x").id == "4fc4e21c6b3993e2"
