"""A trace of MLflow 3 as a prediction record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from app.deliver.sinks.mlflow import MlflowOptions
from app.intake.sources.span_records import (
    bytes_of,
    calls_of,
    evidence_of,
    failed_checks,
    inputs_of,
    marks_of,
    output_of,
    steps_of,
)
from app.intake.sources.spans import Misfit, Span, below, decoded, expect, from_mlflow, look_up, root_of

# Asks the server for a path, and gives what stands at the keys in its answer.
LookUp = Callable[[str, Sequence[str]], Any]
_INPUTS, _OUTPUTS = "mlflow.spanInputs", "mlflow.spanOutputs"
_MODEL_KEYS = ("mlflow.llm.model", "gen_ai.response.model", "gen_ai.request.model", "llm.model_name")


def record_of(trace: Mapping[str, Any], options: MlflowOptions, look_up_at: LookUp) -> bytes:
    """The record as JSON. Raises Misfit naming the key that was expected and where."""
    info = expect(trace, "trace_info", dict, "trace")
    found = trace.get("spans")
    if not isinstance(found, list) or not found:
        raise Misfit("trace.spans: expected the trace's spans, there are none; are they in the artifact store?")
    spans = [from_mlflow(raw, f"trace.spans[{number}]") for number, raw in enumerate(found)]
    root = root_of(spans, "trace.spans")
    if _OUTPUTS not in root.attributes:
        there = ", ".join(sorted(root.attributes)) or "nothing"
        raise Misfit(f"trace.spans, root '{root.name}': expected the attribute '{_OUTPUTS}', there is {there[:300]}")
    tags, metadata = _texts(info.get("tags")), _texts(info.get("trace_metadata"))
    outputs = root.attributes[_OUTPUTS]
    record: dict[str, Any] = {
        "schema": "secondlook.prediction/1",
        "id": expect(info, "trace_id", str, "trace.trace_info"),
        "created_at": expect(info, "request_time", str, "trace.trace_info"),
        "trace_id": root.trace_id,
        "inputs": inputs_of(root.attributes.get(_INPUTS)),
        "output": output_of(outputs, options.label, options.score, f"{_OUTPUTS} of '{root.name}'"),
        "provenance": _provenance(spans, metadata, tags, look_up_at),
    }
    if info.get("client_request_id"):
        record["request_id"] = str(info["client_request_id"])
    if metadata.get("mlflow.trace.user"):
        record["subject"] = metadata["mlflow.trace.user"]
    record |= marks_of(tags)
    record["flags"] = [*record.get("flags", ()), *_checks(info.get("assessments"), options.assessment)]
    steps = below(root, spans)
    record["explanations"] = [
        *evidence_of([one for span in steps for one in _documents(span)], "retrieval"),
        *steps_of(steps, lambda span: span.attributes.get(_INPUTS), calls_of(outputs)),
    ]
    return bytes_of(record, "trace")


def _texts(value: Any) -> dict[str, str]:
    return {str(k): str(v) for k, v in value.items() if v not in (None, "")} if isinstance(value, Mapping) else {}


def _checks(assessments: Any, own: str) -> list[dict[str, Any]]:
    """Flags of checks by code and by other models. What people said is left out: it would lead the next person."""
    found: list[dict[str, Any]] = []
    for one in assessments if isinstance(assessments, list) else ():
        kind = look_up(one, "source.source_type")
        name = one.get("assessment_name") if isinstance(one, Mapping) else None
        if name and name != own and kind != "HUMAN" and one.get("valid") is not False:
            found += failed_checks(str(name), look_up(one, "feedback.value"), one.get("rationale"))
    return found


def _documents(span: Span) -> list[dict[str, Any]]:
    """What a retriever found: MLflow's documents have `page_content` and `metadata`."""
    outputs = span.attributes.get(_OUTPUTS)
    if span.kind != "RETRIEVER" or not isinstance(outputs, list):
        return []
    documents = []
    for one in outputs:
        if isinstance(one, Mapping):
            metadata = one.get("metadata")
            about = metadata if isinstance(metadata, Mapping) else {}
            uri = about.get("doc_uri") or about.get("source") or one.get("id")
            text = one.get("page_content") or one.get("content") or one.get("text")
            documents.append({"text": text, "uri": str(uri) if uri else None, "score": about.get("score")})
        else:
            documents.append({"text": one})
    return documents


def _provenance(spans: Sequence[Span], metadata: Mapping[str, str], tags: Mapping[str, str], ask: LookUp) -> Any:
    """What the trace, its run and its logged model say of where the prediction comes from; only what is there."""
    named = [name for span in spans for key in _MODEL_KEYS if (name := span.attributes.get(key))]
    model: dict[str, Any] = {"name": str(named[-1])} if named else {}
    if metadata.get("mlflow.modelId"):
        number = metadata["mlflow.modelId"]
        logged = ask(f"/api/2.0/mlflow/logged-models/{quote(number, safe='')}", ("model", "info"))
        model = {"name": logged.get("name") or model.get("name"), "version": number, "calls": model.get("name")}
    if tags.get("review.model_version"):
        model["version"] = tags["review.model_version"]
    if prompts := decoded(tags.get("mlflow.linkedPrompts")):
        model["prompts"] = prompts
    code = {
        "repo": metadata.get("mlflow.source.git.repoURL"),
        "commit": metadata.get("mlflow.source.git.commit"),
        "entry": metadata.get("mlflow.source.name"),
    }
    found: dict[str, Any] = {"model": model, "code": code}
    if metadata.get("mlflow.sourceRun"):
        number = metadata["mlflow.sourceRun"]
        found |= _of_run(number, ask(f"/api/2.0/mlflow/runs/get?run_id={quote(number, safe='')}", ("run",)))
    return {key: kept for key, value in found.items() if (kept := {k: v for k, v in value.items() if v})}


def _of_run(number: str, run: Mapping[str, Any]) -> dict[str, Any]:
    """A run's parameters and the data sets it was logged with."""
    sets = [
        one["dataset"]
        for one in look_up(run, "inputs.dataset_inputs") or ()
        if isinstance(one, Mapping) and isinstance(one.get("dataset"), Mapping)
    ]
    found: dict[str, Any] = {"runtime": {"run": number}, "hyperparameters": _pairs(look_up(run, "data.params"))}
    if sets:
        source = decoded(sets[0].get("source"))
        uri = next((source[k] for k in ("uri", "url", "path") if source.get(k)), None) if isinstance(
            source, Mapping
        ) else source  # fmt: skip
        found["data"] = {"name": sets[0].get("name"), "uri": uri, "snapshot_digest": sets[0].get("digest")}
        if len(sets) > 1:
            found["data"]["others"] = [{"name": s.get("name"), "digest": s.get("digest")} for s in sets[1:]]
    return found


def _pairs(value: Any) -> dict[str, Any]:
    return {str(o.get("key")): o.get("value") for o in value if isinstance(o, Mapping)} if value else {}
