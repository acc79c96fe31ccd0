"""A span of Phoenix, with OpenInference's attributes, as a prediction record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.deliver.sinks.phoenix import PhoenixOptions
from app.intake.sources.span_records import (
    bytes_of,
    calls_of,
    evidence_of,
    inputs_of,
    marks_of,
    output_of,
    steps_of,
)
from app.intake.sources.spans import Misfit, Span, below, decoded, iso, listed, look_up, nested


def record_of(span: Span, trace: Sequence[Span], options: PhoenixOptions) -> bytes:
    """The record as JSON; `trace` are all spans of the span's trace. Raises Misfit naming what was expected."""
    outputs = outputs_of(span)
    if outputs is None:
        there = ", ".join(sorted(key for key in span.attributes if "." in key)) or "nothing"
        raise Misfit(
            f"attributes: expected 'output.value' or 'llm.output_messages.0.message.content', there is {there[:300]}"
        )
    steps = below(span, trace)
    record: dict[str, Any] = {
        "schema": "secondlook.prediction/1",
        "id": span.id,
        "trace_id": span.trace_id,
        "created_at": iso(span.start),
        "inputs": inputs_of(inputs_of_span(span)),
        "output": output_of(outputs, options.label, options.score, "output.value"),
        "provenance": _provenance([span, *steps]),
    }
    if user := look_up(span.attributes, "user.id"):
        record["subject"] = str(user)
    record |= marks_of(span.attributes)
    record["explanations"] = [
        *evidence_of([one for step in (span, *steps) for one in _documents(step)], "retrieval"),
        *steps_of(steps, inputs_of_step, _calls(span, steps, outputs)),
    ]
    return bytes_of(record, "span")


def inputs_of_span(span: Span) -> Any:
    """What went into a span: its messages, or `input.value`."""
    return _messages(span, "input") or decoded(look_up(span.attributes, "input.value"))


def inputs_of_step(span: Span) -> Any:
    """What a step was called with: a tool's parameters, or what went into it."""
    parameters = look_up(span.attributes, "tool.parameters") if span.kind == "TOOL" else None
    value = look_up(span.attributes, "input.value")
    return decoded(value if value is not None else parameters) or inputs_of_span(span)


def outputs_of(span: Span) -> Any:
    """What came out of a span: its messages, or `output.value`. None where there is neither."""
    return _messages(span, "output") or decoded(look_up(span.attributes, "output.value"))


def _calls(span: Span, steps: Sequence[Span], outputs: Any) -> list[tuple[str, Any]]:
    """Calls that models proposed, in the span itself or below it, and that no tool span shows as made."""
    made = {step.name for step in steps if step.kind == "TOOL"}
    proposed = calls_of(outputs)
    for step in steps:
        if step.kind == "LLM":
            proposed += calls_of(_messages(step, "output"))
    return [(name, arguments) for name, arguments in proposed if name not in made]


def _messages(span: Span, side: str) -> list[dict[str, Any]]:
    """`llm.input_messages` or `llm.output_messages` as a list of role, content and tool calls."""
    found = []
    for one in listed(look_up(span.attributes, f"llm.{side}_messages")):
        message = nested(one).get("message") if isinstance(one, Mapping) else None
        if not isinstance(message, Mapping):
            continue
        content = message.get("content")
        if content is None:
            parts = [nested(part).get("message_content") for part in listed(message.get("contents"))]
            content = [dict(part) for part in parts if isinstance(part, Mapping)]
        turn = {"role": str(message.get("role") or "?"), "content": content}
        calls = [nested(call) for call in listed(message.get("tool_calls")) if isinstance(call, Mapping)]
        found.append(turn | ({"tool_calls": calls} if calls else {}))
    return found


def _documents(span: Span) -> list[dict[str, Any]]:
    """What a retriever found."""
    documents = []
    for one in listed(look_up(span.attributes, "retrieval.documents")):
        document = nested(one).get("document") if isinstance(one, Mapping) else None
        if isinstance(document, Mapping):
            about = decoded(document.get("metadata"))
            about = about if isinstance(about, Mapping) else {}
            uri = about.get("source") or about.get("url") or about.get("uri") or document.get("id")
            documents.append(
                {"text": document.get("content"), "uri": str(uri) if uri else None, "score": document.get("score")}
            )
    return documents


def _provenance(spans: Sequence[Span]) -> dict[str, Any]:
    """The model that the span, or else one below it, was answered by, and its parameters; only what is there."""
    calls = [span for span in spans if look_up(span.attributes, "llm.model_name")]
    # The last of several models wrote the answer.
    written = calls and (calls[0] if calls[0] is spans[0] else calls[-1])
    llm = look_up(written.attributes, "llm") if written else {}
    model = {
        "name": str(llm["model_name"]) if written else None,
        "provider": llm.get("provider"),
        "version": look_up(spans[0].attributes, "review.model_version"),
        "prompt": look_up(llm, "prompt_template.version"),
    }
    parameters = decoded(llm.get("invocation_parameters"))
    found = {"model": {key: value for key, value in model.items() if value}, "hyperparameters": parameters}
    return {key: value for key, value in found.items() if isinstance(value, Mapping) and value}
