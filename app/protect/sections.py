"""The sections of a record beside explanations: what the format defines is kept, all else is a sender's own JSON."""

from __future__ import annotations

from typing import Any

import orjson

from app.model.provenance import FIELDS, Provenance
from app.protect.user_data import UserData

# Keys of each section that hold words and numbers of the format; validation has seen to that.
_OWN: dict[str, frozenset[str]] = {
    "flags": frozenset(("code", "severity", "detail")),
    "task": frozenset(("type", "labels", "positive", "question")),
    "output": frozenset(("label", "score", "threshold", "text")),
    "sampling": frozenset(("reason", "probability")),
    "reply_to": frozenset(("url",)),
}
_INPUT = frozenset(("name", "kind", "value", "role", "withheld"))
_LEAVES = frozenset(leaf for field in FIELDS for leaf in field.path.split("."))
# The case's name, and what has a protection of its own.
_UNTOUCHED = frozenset(("id", "schema", "inputs", "explanations", "sensitive"))
_NESTED = frozenset((dict, list))
# A JSON document in a text begins with one of these.
_OPENING = frozenset("{[ \t\r\n\ufeff")


def without_withheld_keys(record: dict[str, Any], data: UserData) -> dict[str, Any]:
    """The record with a constant in place of what keys and names say is withheld, at any depth.

    Explanations are left as they are: `app.protect.explanations` knows their kinds.
    """
    kept = {
        key: value if key in _UNTOUCHED or type(value) not in _NESTED else _section(key, value, data)
        for key, value in record.items()
    }
    # Nearly every input is one plain value and nothing else.
    kept["inputs"] = [
        item
        if item.keys() <= _INPUT
        and (kind := type(value := item.get("value"))) not in _NESTED
        and (kind is not str or value[:1] not in _OPENING)
        else _input(item, data)
        for item in record["inputs"]
    ]
    return kept


def _section(name: str, value: Any, data: UserData) -> Any:
    if name == "provenance":
        return _provenance(value, data)
    if name == "output":
        return _output(value, data)
    own = _OWN.get(name)
    if own is None:
        return data.masked(value, name)
    if isinstance(value, list):
        return [_of_format(inner, own, name, data) for inner in value]
    return _of_format(value, own, name, data)


def _of_format(mapping: Any, own: frozenset[str], parent: str, data: UserData, lone: bool = True) -> Any:
    """A mapping of the format's keys `own` and a sender's others, which come last."""
    if type(mapping) is not dict or mapping.keys() <= own:
        return mapping
    others = data.masked({key: value for key, value in mapping.items() if key not in own}, parent, lone)
    return {key: value for key, value in mapping.items() if key in own} | others


def _output(output: dict[str, Any], data: UserData) -> dict[str, Any]:
    """The output. The keys of `scores` are labels: a model may well score `religion` or `age`."""
    kept: dict[str, Any] = _of_format(output, _OWN["output"] | {"scores", "baseline"}, "output", data)
    if type(output.get("baseline")) in _NESTED:
        # A decile of 42 is not somebody's age.
        kept = {**kept, "baseline": data.masked(output["baseline"], "baseline", lone=False)}
    text = output.get("text")
    if isinstance(text, str) and (document := data.document(text)) is not None:
        kept = {**kept, "text": document}
    return kept


def _provenance(provenance: dict[str, Any], data: UserData) -> dict[str, Any]:
    """Provenance. Its numbers are those of models and runs: none is compared with withheld values.

    Records of one model mostly have the same: what says nothing is not searched again.
    """
    written = orjson.dumps(provenance)
    if data.was_silent(written):
        return provenance
    own = frozenset(Provenance.model_fields)
    kept = _of_format(provenance, own, "provenance", data, lone=False)
    kept = {key: _evidence(key, value, data) if key in own else value for key, value in kept.items()}
    if kept == provenance:
        data.note_silent(written)
    return kept


def _evidence(section: str, value: Any, data: UserData) -> Any:
    if type(value) is not dict or section == "not_applicable":
        return value
    if section == "hyperparameters":
        return data.masked(value, section, lone=False)
    leaves = frozenset(key for key in value if key in _LEAVES and type(value[key]) not in _NESTED)
    return _of_format(value, leaves, section, data, lone=False)


def _input(item: dict[str, Any], data: UserData) -> dict[str, Any]:
    """An input whose value is JSON, or which has keys of a sender's own."""
    kept: dict[str, Any] = _of_format(item, _INPUT, "inputs", data)
    value = item.get("value")
    if type(value) in _NESTED:
        return {**kept, "value": data.masked(value, item["name"])}
    document = data.document(value) if isinstance(value, str) else None
    return kept if document is None else {**kept, "value": document}
