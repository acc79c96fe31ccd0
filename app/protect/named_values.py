"""Names and values in a sender's JSON: which names are labels, tools, files or persons, and what they name.

`{"name": "age", "value": 34}`, `{"feature": "sex", "score": "F"}`, `["age", 34]` and a table with a header name values;
`{"name": "transfer", "arguments": …}` is the call of a tool, `{"name": "scan.pdf", "size": 9}` a file. A `name` that
stands in none of these shapes is taken for a person's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from app.protect.whose import is_a_thing
from app.protect.word_sets import word_set

# Keys under which the name of a feature stands; everything beside them belongs to it.
_FEATURE_KEYS = (
    "feature", "features", "feature_name", "featurename", "variable", "variable_name", "predictor", "covariate",
    "attribute", "attribute_name", "column", "column_name", "field", "field_name", "fieldname", "factor", "dimension",
    "feature_header", "split_feature", "feat", "fact", "lhs", "var",
)  # fmt: skip
# Keys that name something beside a value only.
_LABEL_KEYS = ("name", "key", "label", "title", "question", "property", "parameter", "param", "id", "code", "type",
               "k", "n", "term", "slot", "entity", "item", "header", "measure", "display_name")  # fmt: skip
_VALUE_KEYS = frozenset(
    (
        "value", "values", "val", "v", "answer", "answers", "response", "raw", "raw_value", "display_value", "current",
        "from", "to", "before", "after", "old", "new", "was", "actual", "observed", "data", "feature_value",
        "variable_value", "text_value", "string_value", "stringvalue", "int_value", "intvalue", "number_value",
        "double_value", "doublevalue", "valuestring", "valueinteger", "valuequantity", "contents",
    )
)  # fmt: skip
# Beside a withheld feature these say nothing of its value: numbers and words of explainers.
_HARMLESS_NUMBERS = word_set(
    "contribution weight importance rank sign position precision_so_far coverage_so_far coefficient coef shap "
    "shap_value attribution start end step"
)
_HARMLESS_WORDS = word_set("kind type dtype unit severity anchor actionable required op operator")
_HEADER_KEYS = word_set(
    "columns feature_names featurenames features names fields header headers keys variables cols "
    "column_names colnames feature_names_including_target"
)
_TOOL_BESIDE = word_set(
    "arguments args parameters params input_schema inputschema outputschema tool_call_id toolcallid tool_use_id "
    "call_id function tool_input toolinput"
)
_TOOL_TYPES = word_set(
    "function tool tool_use tool_call tool_result function_call function_call_output server_tool_use mcp_call "
    "mcp_tool_use mcp_approval_request mcp_list_tools custom custom_tool_call action_request"
)
# Who speaks, where a name is not a person's.
_MACHINES = word_set("assistant system developer tool function model ai agent bot ipython")
_TOOL_PARENTS = word_set(
    "function functions tool tools tool_call tool_calls toolcalls function_call tool_choice toolchoice action "
    "action_request action_requests actions invalid_tool_calls serverinfo clientinfo server_info client_info "
    "prompts resources functioncall functionresponse function_response toolcall tooluse tool_use"
)
_FILE_BESIDE = word_set(
    "mime mime_type mimetype content_type contenttype media_type mediatype filename file_name path uri url sha256 sha1 "
    "md5 digest checksum size_bytes bytes extension"
)
_SCHEMA_BESIDE = word_set("dtype datatype data_type nullable enum minimum maximum default unit schema required")
_SCHEMA_TYPES = word_set(
    "string number integer boolean object array null float double int int32 int64 float32 float64 str bool text "
    "category categorical numeric date datetime timestamp json"
)
# The only words that stay beside a withheld feature: types, grades and operators.
_HARMLESS_VALUES = _SCHEMA_TYPES | word_set(
    "low medium high critical exact shifted searched failed < <= > >= = == != feature"
)
# What is said of a run, a span or a step of a program.
_RUN_BESIDE = word_set(
    "duration duration_ms latency latency_ms start_time end_time started_at ended_at run_type run_id span_id span_kind "
    "trace_id parent_id kwargs payload"
)
_RUN_PARENTS = word_set("span spans run runs node nodes handoff from_agent to_agent")
_VERSION_BESIDE = word_set("version versions sha commit revision checkpoint")
_FILE_NAME = re.compile(r"[^\s/\\][^/\\\n]{0,200}\.[A-Za-z][A-Za-z0-9]{0,9}")
# An identifier of a program's: no name of a person is written so.
_IDENTIFIER = re.compile(r"[a-z][a-z0-9]*(?:[_.:/-][a-zA-Z0-9]+)+|[a-z]+(?:[A-Z][a-z0-9]*)+|[A-Z0-9]+(?:_[A-Z0-9]+)+")
_WORD = re.compile(r"[^\W\d_]+")
_MOST_NAME_WORDS = 4
# No key that means something here is longer.
_CACHED_LENGTH = 40


def feature_named(mapping: Mapping[str, Any]) -> tuple[str, list[str]] | None:
    """The key under which a mapping names what its values are of, and the names; None where it names nothing."""
    keys = tuple(mapping)
    if not (_may_name(keys) if sum(map(len, keys)) <= _CACHED_LENGTH * 5 else may_name(keys)):
        return None
    for key in mapping:
        folded = _folded(key)
        if folded in _FEATURE_KEYS and (names := _names(mapping[key])):
            return key, names
    if not any(_folded(key) in _VALUE_KEYS for key in mapping):
        return None
    for key in mapping:
        if _folded(key) in _LABEL_KEYS and (names := _names(mapping[key])):
            return key, names
    return None


def may_name(keys: Iterable[str]) -> bool:
    """Whether an object with these keys may name a value, or the columns of a table."""
    folded = set(map(_folded, keys))
    if not folded.isdisjoint(_FEATURE_KEYS) or not folded.isdisjoint(_HEADER_KEYS):
        return True
    return not folded.isdisjoint(_VALUE_KEYS) and not folded.isdisjoint(_LABEL_KEYS)


_may_name = lru_cache(maxsize=1024)(may_name)


def is_value_key(key: str) -> bool:
    """Whether a value stands under this key, beside what names it."""
    return _folded(key) in _VALUE_KEYS


def is_harmless(key: str, value: Any) -> bool:
    """Whether what stands beside a withheld feature's name says nothing of its value."""
    folded = _folded(key)
    if isinstance(value, int | float):
        return folded in _HARMLESS_NUMBERS
    return folded in _HARMLESS_WORDS and isinstance(value, str) and value.casefold() in _HARMLESS_VALUES


def header_of(mapping: Mapping[str, Any]) -> tuple[str, list[str]] | None:
    """The key under which a table's column names stand, and the names; None where there is no such list."""
    for key, value in mapping.items():
        if isinstance(value, list) and _folded(key) in _HEADER_KEYS and len(value) > 0:
            names = [name if isinstance(name, str) else "" for name in value]
            if any(names):
                return key, names
    return None


def is_pair(value: Any) -> bool:
    """Whether this is a name and what it names: `["age", 34]`."""
    return isinstance(value, list) and len(value) == 2 and isinstance(value[0], str) and bool(value[0])


def is_header_row(rows: Sequence[Any]) -> bool:
    """Whether rows are a table that begins with its column names."""
    first = rows[0] if rows else None
    return (
        isinstance(first, list)
        and len(rows) > 1
        and all(isinstance(cell, str) for cell in first)
        and all(isinstance(row, list) and len(row) == len(first) for row in rows)
    )


def names_a_person(mapping: Mapping[str, Any], key: str, parent: str) -> bool:
    """Whether the value under `key`, which reads like a person's name, is one: by what stands around it.

    `parent` is the key under which the mapping itself stands.
    """
    value = mapping[key]
    if not isinstance(value, str):
        return True
    beside = {_folded(other): inner for other, inner in mapping.items() if other != key}
    if _is_tool(beside, parent):
        return False
    if not _FILE_BESIDE.isdisjoint(beside) or _FILE_NAME.fullmatch(value):
        return False
    if not _SCHEMA_BESIDE.isdisjoint(beside) or str(beside.get("type")) in _SCHEMA_TYPES:
        return _may_be_a_person(value)
    if not _VALUE_KEYS.isdisjoint(beside) or not _HARMLESS_NUMBERS.isdisjoint(beside):
        return _may_be_a_person(value)
    if not _RUN_BESIDE.isdisjoint(beside) or _folded(parent) in _RUN_PARENTS:
        return _may_be_a_person(value)
    if not _VERSION_BESIDE.isdisjoint(beside) or is_a_thing(_folded(parent)):
        return _may_be_a_person(value)
    return True


def _is_tool(beside: Mapping[str, Any], parent: str) -> bool:
    """Whether a name stands where tools, functions and agents have theirs."""
    if _folded(parent) in _TOOL_PARENTS or not _TOOL_BESIDE.isdisjoint(beside):
        return True
    kind, role = beside.get("type"), beside.get("role")
    if isinstance(kind, str) and kind.casefold() in _TOOL_TYPES:
        return True
    if isinstance(role, str):
        return role.casefold() in _MACHINES
    # `{"name", "input"}` and `{"name", "description"}` are a call and a list of tools.
    return isinstance(beside.get("input"), dict | list)


def _may_be_a_person(value: str) -> bool:
    """Whether words may be what a person is called: a few of them with capitals, none an everyday word."""
    from app.protect.detect.words import is_common

    words = _WORD.findall(value)
    if not 0 < len(words) <= _MOST_NAME_WORDS or _IDENTIFIER.fullmatch(value) or any(map(str.isdigit, value)):
        return False
    return any(word[0].isupper() or not word.isascii() for word in words) and not any(map(is_common, words))


def _names(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value] if value else []
    if isinstance(value, list) and value and all(isinstance(name, str) for name in value):
        return value
    return []


def _folded(key: str) -> str:
    return _cached_folded(key) if len(key) <= _CACHED_LENGTH else key


@lru_cache(maxsize=4096)
def _cached_folded(key: str) -> str:
    return key.casefold().replace("-", "_").replace(" ", "_")
