"""Bytes to a record: strict JSON, then the prediction model. Every refusal names field and reason."""

from __future__ import annotations

import json
from typing import Any

import orjson
from pydantic import ValidationError

from app.model.errors import RecordError
from app.model.policy import QueuePolicy
from app.model.prediction import Prediction

# Every digit as 0 and every blank as a space: a number of nineteen digits or more, a blank before a colon,
# and a quote written as a code point (\\u0022) are each one look-up then.
_SHAPE = bytes.maketrans(b"123456789\t\r\n", b"000000000   ")
_MANY_DIGITS = b"0" * 19
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
    if not _keeps_everything(data, again):
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


def _keeps_everything(data: bytes, again: bytes) -> bool:
    """Whether what was parsed surely holds every key and every digit of the bytes.

    As many keys as before means that none stood twice, if keys are spelled as usual and no string
    holds a quote in disguise. False only means: look closer.
    """
    if data.count(b'":') != again.count(b'":'):
        return False
    shape = data.translate(_SHAPE)
    return _MANY_DIGITS not in shape and b" :" not in shape and b"\\u0000" not in shape


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
