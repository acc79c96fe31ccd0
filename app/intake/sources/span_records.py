"""The parts of a prediction record that a trace's spans give: inputs, output, steps, retrieved documents, flags.

Nothing is guessed to be sensitive here: the queue's policy says what is withheld.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from app.intake.sources.spans import Misfit, Span, decoded, listed, look_up

# What is kept of one step's arguments and of one document, in characters: a record may have 4 MiB.
MOST_STEPS = 500
_MOST_CHARACTERS = 20_000
_NAME_LENGTH = 300
# Keys under which applications put the words that a person reads, the usual ones first.
_TEXT_KEYS = ("text", "content", "output_text", "answer", "response", "output", "result", "completion", "summary")
_FAILED = (False, "no", "fail", "failed")


def inputs_of(value: Any) -> list[dict[str, Any]]:
    """A root span's inputs as inputs of a record. Strings are texts, so that they are searched for identifiers."""
    if _is_chat(value):
        return [{"name": "messages", "kind": "chat", "value": [_turn(one) for one in value]}]
    if isinstance(value, Mapping) and value:
        return [_input(str(key), one) for key, one in value.items()]
    return [] if value is None or value == {} else [_input("input", value)]


def _input(name: str, value: Any) -> dict[str, Any]:
    kind = "category"
    if _is_chat(value):
        kind, value = "chat", [_turn(one) for one in value]
    elif isinstance(value, str):
        kind = "text"
    elif isinstance(value, Mapping | list):
        kind = "json"
    elif isinstance(value, int | float) and not isinstance(value, bool):
        kind = "number"
    return {"name": name[:_NAME_LENGTH] or "input", "kind": kind, "value": value, "role": "feature"}


def _is_chat(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(o, Mapping) and "role" in o for o in value)


def _turn(message: Mapping[str, Any]) -> dict[str, Any]:
    """A message as the screens show it: who, and what was said or called."""
    calls = [f"{name}({_json(arguments)})" for name, arguments in calls_of(message)]
    said = [text for text in (text_of(message.get("content")), *calls) if text]
    return {"role": str(message["role"]), "content": "\n".join(said)}


def text_of(value: Any) -> str | None:
    """The words in an output, whatever library wrote it: a string, parts of a message, a chat completion, a list of
    messages (the last), a mapping with a usual key. None where there are none."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        if value and isinstance(value[-1], Mapping) and "role" in value[-1]:
            return text_of(value[-1].get("content"))
        parts = [text_of(part) for part in value if isinstance(part, str | Mapping)]
        return "\n".join(part for part in parts if part) or None
    if not isinstance(value, Mapping):
        return None
    choices = value.get("choices")
    if isinstance(choices, list) and choices and isinstance(choices[0], Mapping):
        return text_of(choices[0].get("message") or choices[0].get("text"))
    for key in ("messages", *_TEXT_KEYS):
        if value.get(key) and isinstance(value[key], str | list | Mapping) and (found := text_of(value[key])):
            return found
    return None


def calls_of(value: Any) -> list[tuple[str, Any]]:
    """The tool calls that an output proposes: name and arguments."""
    if isinstance(value, list):
        return calls_of(value[-1]) if value and isinstance(value[-1], Mapping) else []
    if not isinstance(value, Mapping):
        return []
    inner = look_up(value, "choices.0.message") or value.get("messages")
    if inner:
        return calls_of(inner)
    found = []
    for one in listed(value.get("tool_calls")):
        call = one.get("tool_call", one) if isinstance(one, Mapping) else {}
        function = call.get("function") or call
        if isinstance(function, Mapping) and function.get("name"):
            arguments = function.get("arguments", function.get("args"))
            found.append((str(function["name"]), decoded(arguments)))
    return found


def output_of(value: Any, label_path: str, score_path: str, where: str) -> dict[str, Any]:
    """A root span's outputs as a record's output. `label_path` and `score_path` are dotted paths in them.

    An object without words is kept as JSON text. Raises Misfit where there is nothing at all.
    """
    output: dict[str, Any] = {}
    label, score = look_up(value, label_path), look_up(value, score_path)
    if label_path and isinstance(label, str | bool):
        output["label"] = label if isinstance(label, str) else str(label).lower()
    if score_path and isinstance(score, int | float) and not isinstance(score, bool):
        output["score"] = float(score)
    text = text_of(value)
    calls = "\n".join(f"{name}({_json(arguments)})" for name, arguments in calls_of(value))
    if calls:
        text = f"{text}\n{calls}" if text else calls
    if text is None and "label" not in output and value not in (None, "", {}, []):
        text = _json(value)
    if text is not None:
        output["text"] = text
    if "label" not in output and text is None:
        raise Misfit(f"{where}: expected the outputs (a text, messages, or an object), there is nothing")
    return output


def steps_of(spans: Sequence[Span], inputs: Any, proposed: Sequence[tuple[str, Any]] = ()) -> list[dict[str, Any]]:
    """The spans below the root as one `trace` explanation, with the calls that the output proposes at the end; none
    where there are none. `inputs` gives a span's inputs."""
    items: list[dict[str, Any]] = []
    for number, span in enumerate(spans[:MOST_STEPS], 1):
        arguments = inputs(span)
        item = {
            "step": number,
            "name": span.name,
            "status": span.status,
            "duration_ms": span.duration_ms,
            "span_kind": span.kind,
            "risk": risks_of(span.attributes),
        }
        items.append(item if arguments is None else item | {"arguments": _short(arguments)})
    for name, arguments in proposed:
        items.append({"step": len(items) + 1, "name": name, "status": "proposed", "arguments": _short(arguments)})
    if not items:
        return []
    trace: dict[str, Any] = {"kind": "trace", "method": "spans", "fidelity": "exact", "items": items}
    return [trace | ({"left_out": len(spans) - MOST_STEPS} if len(spans) > MOST_STEPS else {})]


def risks_of(attributes: Mapping[str, Any]) -> list[str]:
    """What the application marked as risky in a step: `review.risk`, one or several."""
    found = attributes.get("review.risk")
    found = found if isinstance(found, list) else [found] if found else []
    return [str(one) for one in found]


def evidence_of(documents: Sequence[Mapping[str, Any]], method: str) -> list[dict[str, Any]]:
    """Retrieved documents (`text`, `uri`, `score`) as one `evidence` explanation: sources to check the output against.
    No claim of the output is tied to any of them: whoever reviews does that."""
    items = []
    for document in documents:
        source = {"uri": document.get("uri"), "text": str(document.get("text") or "")[:_MOST_CHARACTERS]}
        score = document.get("score")
        items.append({"label": "retrieved", "source": source} | ({"relevance": score} if score is not None else {}))
    return [{"kind": "evidence", "method": method, "fidelity": "unverified", "items": items}] if items else []


def marks_of(marks: Mapping[str, Any]) -> dict[str, Any]:
    """Parts that the application wrote into the trace's `review.*` tags or attributes: flags, sampling, subject,
    domain. Several flags are written with commas between them."""
    found: dict[str, Any] = {}
    codes = [code.strip() for code in str(marks.get("review.flag") or "").split(",") if code.strip()]
    more = {key: str(marks[f"review.{key}"]) for key in ("severity", "detail") if marks.get(f"review.{key}")}
    if codes:
        found["flags"] = [{"code": code} | more for code in codes]
    sampling: dict[str, Any] = {}
    if marks.get("review.reason"):
        sampling["reason"] = str(marks["review.reason"])
    if marks.get("review.probability") not in (None, ""):
        try:
            sampling["probability"] = float(marks["review.probability"])
        except (TypeError, ValueError):
            raise Misfit("review.probability: expected a number, it is something else") from None
    if sampling:
        found["sampling"] = sampling
    for key in ("subject", "domain"):
        if marks.get(f"review.{key}"):
            found[key] = str(marks[f"review.{key}"])
    return found


def failed_checks(name: str, value: Any, rationale: Any) -> list[dict[str, Any]]:
    """A check's finding as a flag, where it says no. Other findings flag nothing."""
    value = value.lower() if isinstance(value, str) else value
    if not any(value is failed or (isinstance(value, str) and value == failed) for failed in _FAILED):
        return []
    return [{"code": name} | ({"detail": str(rationale)} if rationale else {})]


def bytes_of(record: Mapping[str, Any], where: str) -> bytes:
    """The record as JSON. Raises Misfit where JSON cannot hold it."""
    try:
        return orjson.dumps(record)
    except (TypeError, RecursionError) as error:
        raise Misfit(f"{where}: cannot be written as JSON ({error})") from None


def kept_bytes(raw: Any) -> bytes:
    """What came, as far as it can be kept beside a problem."""
    try:
        return orjson.dumps(raw)[:65_536]
    except (TypeError, RecursionError):
        return repr(raw)[:65_536].encode("utf-8", "replace")


def _json(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value, default=str).decode()


def _short(value: Any) -> Any:
    """Arguments, or their beginning as text where they are long."""
    text = _json(value)
    return value if len(text) <= _MOST_CHARACTERS else f"{text[:_MOST_CHARACTERS]}… ({len(text):,} characters)"
