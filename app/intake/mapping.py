"""Rows of a plain table as prediction records.

A column is mapped to a field by name; what is not mapped becomes an input, as a number where every
character says so. A row that holds whole sections (`inputs`, `output`, …, as JSON or as nested
columns) is taken as the record itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from math import isfinite
from typing import Any

from app.intake.parse import parse_value
from app.model.errors import BadInput, RecordError
from app.model.words import SEVERITIES

_OUTPUT = {"label": "label", "text": "text"}
_OUTPUT_NUMBERS = ("score", "threshold")
_TOP = ("id", "subject", "created_at", "domain", "language", "request_id", "trace_id")
_SECTIONS = (
    "task",
    "inputs",
    "sensitive",
    "output",
    "flags",
    "sampling",
    "explanations",
    "provenance",
    "reply_to",
    "extra",
)
_INPUT_KINDS = (
    "input",
    "input:number",
    "input:category",
    "input:text",
    "input:json",
    "input:chat",
    "input:reference",
)
FIELDS: tuple[str, ...] = (
    *_TOP,
    *_OUTPUT,
    *_OUTPUT_NUMBERS,
    *("flag", "severity", "detail", "model", "model_version", "probability"),
    *_INPUT_KINDS,
    *("sensitive", "ignore"),
)
# No leading zeros: at most 20 digits can be a whole number, more are text.
_NUMBER = re.compile(r"[+-]?(?:0|[1-9][0-9]{0,19}|(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][+-]?[0-9]{1,4})?)")
# Without a mapping these column names mean their field.
_OBVIOUS = {
    "id": "id", "prediction_id": "id", "case_id": "id", "subject": "subject", "created_at": "created_at",
    "timestamp": "created_at", "domain": "domain", "label": "label", "predicted_label": "label", "prediction": "label",
    "score": "score", "predicted_score": "score", "probability_score": "score", "threshold": "threshold",
    "flag": "flag", "severity": "severity", "model": "model", "model_name": "model", "model_version": "model_version",
    "sampling_probability": "probability", "request_id": "request_id", "trace_id": "trace_id",
}  # fmt: skip


def check_mapping(columns: Mapping[str, str]) -> None:
    """Raises BadInput for a field that does not exist."""
    for column, field in columns.items():
        if field not in FIELDS:
            near = get_close_matches(field, FIELDS, n=1)
            raise BadInput(
                f"--map {column}={field}: there is no field '{field}'"
                f"{f' (did you mean {near[0]!r}?)' if near else ''}. Fields: {', '.join(FIELDS)}."
            )


def to_record(row: Mapping[str, Any], columns: Mapping[str, str]) -> dict[str, Any]:
    """A row as a record. Raises RecordError naming the column."""
    if "inputs" in row and "output" in row:
        return {k: _section(k, v) for k, v in row.items() if v is not None and v != ""}
    record: dict[str, Any] = {"inputs": [], "sensitive": [], "output": {}}
    flag: dict[str, Any] = {}
    for column, value in row.items():
        field = columns.get(column) or _OBVIOUS.get(column.strip().lower()) or "input"
        if field == "ignore" or (value in (None, "") and not field.startswith(("input", "sensitive"))):
            continue
        _put(record, flag, column, field, value)
    if flag:
        record["flags"] = [{"code": flag.pop("code", "flagged"), **flag}]
    if not record["sensitive"]:
        del record["sensitive"]
    return record


def _put(record: dict[str, Any], flag: dict[str, Any], column: str, field: str, value: Any) -> None:
    if field in _TOP:
        record[field] = str(value)
    elif field in _OUTPUT:
        record["output"][field] = str(value)
    elif field in _OUTPUT_NUMBERS:
        record["output"][field] = _number(column, value)
    elif field == "sensitive":
        record["sensitive"].append({"name": column, "value": value})
    elif field in ("flag", "detail"):
        flag["code" if field == "flag" else field] = str(value)
    elif field == "severity":
        flag[field] = _severity(column, value)
    elif field == "probability":
        record["sampling"] = {"probability": _number(column, value)}
    elif field in ("model", "model_version"):
        model = record.setdefault("provenance", {}).setdefault("model", {})
        model["name" if field == "model" else "version"] = str(value)
    else:
        record["inputs"].append(_input(column, field, value))


def _input(column: str, field: str, value: Any) -> dict[str, Any]:
    kind = field.partition(":")[2]
    if kind in ("json", "chat") and isinstance(value, str):
        value = _json(column, value)
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else _maybe_number(value)
    if not kind:
        kind = "number" if number is not None else "text" if isinstance(value, str) and len(value) > 80 else "category"
    if kind == "number" and value not in (None, ""):
        if number is None:
            raise RecordError("csv", column, "expected a number")
        value = number
    return {"name": column, "kind": kind, "value": None if value == "" else value}


def _section(key: str, value: Any) -> Any:
    if key in _SECTIONS and isinstance(value, str):
        value = _json(key, value)
    return _without_nulls(value)


def _json(column: str, text: str) -> Any:
    try:
        return parse_value(text.encode())
    except RecordError as error:
        raise RecordError("csv", column, f"expected JSON ({error})") from None


def _without_nulls(value: Any) -> Any:
    """Nested columns carry a null for every key that any row has; those are not there."""
    if isinstance(value, dict):
        return {k: _without_nulls(v) for k, v in value.items() if v is not None}
    return [_without_nulls(v) for v in value] if isinstance(value, list) else value


def _number(column: str, value: Any) -> float:
    number = value if isinstance(value, int | float) else _maybe_number(value)
    if number is None:
        raise RecordError("csv", column, "expected a number")
    return float(number)


def _maybe_number(value: Any) -> int | float | None:
    text = str(value).strip()
    # `007` is a code, not seven; so is a row of digits that is too long to be kept exactly.
    if not _NUMBER.fullmatch(text):
        return None
    number = float(text)
    if not isfinite(number):
        return None
    if not text.lstrip("+-").isdigit():
        return number
    return int(text) if -(2**63) <= int(text) < 2**64 else None


def _severity(column: str, value: Any) -> str:
    severity = str(value).strip().lower()
    if severity not in SEVERITIES:
        raise RecordError("csv", column, f"expected one of {', '.join(SEVERITIES)}")
    return severity
