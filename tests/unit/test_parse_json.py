"""Bytes to a record: what is JSON and nothing else, with every key once and every number unchanged."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.intake.parse import MAX_DEPTH, MAX_RECORD_BYTES, parse_json, parse_value
from app.model.errors import RecordError

# json.dumps can write these and JSON can carry them unchanged.
TEXTS = st.text(st.characters(codec="utf-8"), max_size=20) | st.sampled_from(
    ['": ', ', "', "}, {", "], [", 'a": "b', "\\", '"', "\u2028", "NaN", "1e400", "é", "\x7f", "\\u0061"]
)
NUMBERS = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)
OBJECTS = st.dictionaries(TEXTS, VALUES, max_size=6)
SEPARATORS = st.sampled_from([None, (",", ":"), (", ", ": "), (" ,  ", "\t:\n"), (",", ": "), (", ", ":")])


def refusal(data: bytes) -> RecordError:
    with pytest.raises(RecordError) as caught:
        parse_json(data)
    return caught.value


@settings(max_examples=200, deadline=None)
@given(OBJECTS, st.booleans(), SEPARATORS, st.sampled_from([None, 0, 2]))
def test_every_object_that_python_writes_is_accepted(
    value: dict[str, Any], ascii_only: bool, separators: tuple[str, str] | None, indent: int | None
) -> None:
    data = json.dumps(value, ensure_ascii=ascii_only, separators=separators, indent=indent).encode()
    assert parse_json(data) == value


@settings(max_examples=200, deadline=None)
@given(OBJECTS, TEXTS, VALUES, VALUES, st.booleans(), st.integers(0, 3), st.booleans())
def test_a_key_twice_is_always_refused(
    others: dict[str, Any], key: str, one: Any, two: Any, spaced: bool, depth: int, escaped: bool
) -> None:
    colon, comma = (": ", ", ") if spaced else (":", ",")
    again = "".join(f"\\u{unit:04x}" for unit in memoryview(key.encode("utf-16-le")).cast("H")) if escaped else None
    parts = [f"{json.dumps(k)}{colon}{json.dumps(v)}" for k, v in others.items() if k != key]
    parts.insert(len(parts) // 2, f"{json.dumps(key)}{colon}{json.dumps(one)}")
    parts.append(f'"{again}"{colon}{json.dumps(two)}' if escaped else f"{json.dumps(key)}{colon}{json.dumps(two)}")
    text = "{" + comma.join(parts) + "}"
    for _ in range(depth):
        text = f'{{"list"{colon}[1{comma}{text}]}}'
    assert "twice" in refusal(text.encode()).expected


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_give_a_record_or_a_reason(data: bytes) -> None:
    try:
        record = parse_json(data)
    except RecordError as error:
        assert error.code in ("json", "encoding")
        assert error.expected
    else:
        assert record == json.loads(data)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b'{"a": NaN}', "NaN"),
        (b'{"a": [Infinity]}', "Infinity"),
        (b'{"a": -Infinity}', "Infinity"),
        (b'{"a": 1e400}', "infinity"),
        (b'{"a": -1e400}', "infinity"),
        (b'{"a": 18446744073709551616}', "too large"),
        (b'{"a": -9223372036854775809}', "too large"),
        # Written again it is as long: 1.2345678901234568e20.
        (b'{"a": 123456789012345678901}', "too large"),
        (b'{"a": [' + b"9" * 5000 + b"]}", ""),
        (b'{"a": "\\ud800"}', "surrogate"),
        (b'{"a": "\\udc00x"}', ""),
        (b'{"a": 1', ""),
        (b'{"a": "unfinished', ""),
        (b"", ""),
        (b"{'a': 1}", ""),
        (b'{"a": 01}', ""),
        (b'{"a": 1,}', ""),
        (b'{"a": 1} {"b": 2}', ""),
        (b'{"a": 1} // note', ""),
        (b'\xef\xbb\xbf{"a": 1}', "BOM"),
        (b'[{"a": 1}]', "expected a JSON object, got an array"),
        (b'"a"', "got a string"),
        (b"3", "got a number"),
        (b"true", "got true or false"),
        (b"null", "got null"),
    ],
)
def test_what_is_no_record_is_refused_with_its_reason(data: bytes, words: str) -> None:
    error = refusal(data)
    assert error.code == "json"
    assert words in error.expected


@pytest.mark.parametrize(
    "data", [b'{"a": "\xff"}', b'{"a": "\xed\xa0\x80"}', b'{"a": "\xc0\xaf"}', b"\x00\x01\x02", b'{"a": 1}\x00']
)
def test_what_is_not_utf_8_is_said_to_be(data: bytes) -> None:
    assert refusal(data).code == "encoding"


@pytest.mark.parametrize("number", [2**64 - 1, -(2**63), 2**53 + 1, 0.1, -0.0, 5e-324, 1.7976931348623157e308])
def test_numbers_that_fit_come_through_exactly(number: float) -> None:
    assert repr(parse_json(json.dumps({"a": number}).encode())["a"]) == repr(number)


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 300, 1025, 100_000])
@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_deep_nesting_is_refused_by_its_depth(depth: int, opening: bytes) -> None:
    closing = b"]" if opening == b"[" else b"}"
    data = b'{"a":' + opening * (depth - 1) + b"1" + closing * (depth - 1) + b"}"
    assert f"deeper than {MAX_DEPTH}" in refusal(data).expected


def test_the_deepest_that_is_accepted_can_be_written_again_with_room_to_spare() -> None:
    data = b'{"a":' + b"[" * (MAX_DEPTH - 1) + b"]" * (MAX_DEPTH - 1) + b"}"
    assert orjson.dumps({"extra": {"more": [parse_json(data)]}})


def test_too_many_bytes_are_refused_before_they_are_parsed() -> None:
    rest = MAX_RECORD_BYTES - len(b'{"a":""}')
    assert len(parse_json(b'{"a":"' + b"x" * rest + b'"}')["a"]) == rest
    assert refusal(b'{"a":"' + b"x" * (rest + 1) + b'"}').code == "too_large"
    assert refusal(b"\xff" * (MAX_RECORD_BYTES + 1)).code == "too_large"


@pytest.mark.parametrize("data", [b'{"Ann Lee": 1, "Ann Lee": 2}', b'{"a": 48830000000000000000001}'])
def test_a_reason_does_not_repeat_what_stands_there(data: bytes) -> None:
    error = refusal(data)
    assert "Ann" not in str(error)
    assert "4883" not in str(error)


def test_a_doubled_key_of_the_format_is_named() -> None:
    assert refusal(b'{"id": 1, "id": 2}').field == "id"


def test_a_value_need_not_be_an_object() -> None:
    assert parse_value(b"[1, 2]") == [1, 2]
    with pytest.raises(RecordError, match="twice"):
        parse_value(b'[{"a": 1, "a": 1}]')
