"""Bytes to a record: strict JSON, then the prediction model. Every refusal names field and reason."""

from __future__ import annotations

import json
from typing import Any

import orjson
from pydantic import ValidationError

from app.model.errors import RecordError
from app.model.policy import QueuePolicy
from app.model.prediction import Prediction

MAX_RECORD_BYTES = 4 * 1024 * 1024
# orjson writes 254 levels; four are left for what intake adds.
MAX_DEPTH = 250


def parse_json(data: bytes) -> dict[str, Any]:
    """One JSON object. Refuses NaN, duplicate keys, numbers that would change, and deep nesting."""
    record = parse_value(data)
    if not isinstance(record, dict):
        raise RecordError("json", "", f"expected a JSON object, got {_json_type(record)}")
    return record


def parse_value(data: bytes) -> Any:
    """Like `parse_json`, for any JSON value."""
    if len(data) > MAX_RECORD_BYTES:
        raise RecordError("too_large", "", f"{len(data):,} bytes; a record may have {MAX_RECORD_BYTES:,}")
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise _not_json(data, error) from None
    try:
        # In four lists more, so that there is room for what intake wraps around it.
        again = orjson.dumps([[[[value]]]])[4:-4]
    except (orjson.JSONEncodeError, RecursionError):
        raise RecordError("json", "", f"nested deeper than {MAX_DEPTH} levels") from None
    if again != _compact(data):
        _check_slowly(data)
    return value


def validate(record: dict[str, Any], policy: QueuePolicy) -> Prediction:
    """The record as a prediction; the queue's task is put in where the record has none."""
    if "task" not in record and policy.task is not None:
        record["task"] = policy.task.model_dump(exclude_none=True)
    try:
        return Prediction.model_validate(record)
    except ValidationError as error:
        raise _first_problem(error) from None


def _compact(data: bytes) -> bytes:
    """The bytes without the spaces that common writers put after separators."""
    if b'": ' not in data and b", " not in data:
        return data
    return data.replace(b'": ', b'":').replace(b', "', b',"').replace(b"}, {", b"},{").replace(b"], [", b"],[")


def _check_slowly(data: bytes) -> None:
    """What compiled parsing lets through: duplicate keys, and numbers too large to be kept exactly."""

    def pairs(items: list[tuple[str, Any]]) -> None:
        keys = [key for key, _ in items]
        if len(set(keys)) != len(keys):
            # The key itself may be somebody's datum: only the format's own names are repeated.
            twice = next(key for key in keys if keys.count(key) > 1)
            raise RecordError(
                "json", twice if twice in Prediction.model_fields else "", "a key stands twice in one object"
            )

    def whole(digits: str) -> int:
        if len(digits) > 20 or not -(2**63) <= int(digits) < 2**64:
            # The number itself may be somebody's datum.
            raise RecordError("json", "", f"a number of {len(digits)} digits is too large to be kept exactly")
        return int(digits)

    try:
        json.loads(data, object_pairs_hook=pairs, parse_int=whole)
    except (ValueError, RecursionError):
        # The compiled parser has accepted it; only the two checks above matter here.
        return


def _not_json(data: bytes, error: orjson.JSONDecodeError) -> RecordError:
    head = data[:4000].lstrip()
    if b"\x00" in head:
        return RecordError("encoding", "", "binary data, expected JSON text")
    try:
        data.decode()
    except UnicodeDecodeError as problem:
        return RecordError("encoding", "", f"not UTF-8 at byte {problem.start + 1}")
    for word in (b"NaN", b"Infinity"):
        if word in data:
            return RecordError("json", "", f"{error.msg} at column {error.colno}; JSON knows no {word.decode()}")
    if "depth" in error.msg or "recursion" in error.msg:
        return RecordError("json", "", f"nested deeper than {MAX_DEPTH} levels")
    return RecordError("json", "", f"{error.msg} at column {error.colno}")


def _first_problem(error: ValidationError) -> RecordError:
    details = error.errors(include_url=False, include_input=False)
    detail = details[0]
    field = _path(detail["loc"])
    message = {"missing": "is required", "union_tag_not_found": "needs a 'kind'"}.get(detail["type"], detail["msg"])
    if detail["type"] == "union_tag_invalid":
        message = f"unknown kind; expected one of {detail['ctx']['expected_tags']}"
    more = f" (and {len(details) - 1} more problems)" if len(details) > 1 else ""
    return RecordError("schema", field, message[0].lower() + message[1:] + more)


def _path(location: tuple[int | str, ...]) -> str:
    """`("explanations", 0, "rule", "items", 2, "op")` → `explanations[0].items[2].op`."""
    # Keys of free mappings may be somebody's data: they are not repeated.
    if location[:2] in (("output", "scores"), ("provenance", "not_applicable")):
        location = location[:2]
    words = ""
    for index, part in enumerate(location):
        if isinstance(part, int):
            words += f"[{part}]"
        elif not (index >= 2 and location[index - 2] == "explanations" and isinstance(location[index - 1], int)):
            words += f".{part}" if words else part
    return words


def _json_type(value: Any) -> str:
    names = {list: "an array", str: "a string", int: "a number", float: "a number", bool: "true or false"}
    return names.get(type(value), "null")
