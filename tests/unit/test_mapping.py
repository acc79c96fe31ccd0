"""Rows of a table as records: which column becomes what, and what stays as it is written."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.intake.mapping import FIELDS, check_mapping, to_record
from app.intake.parse import validate
from app.model.errors import BadInput, RecordError
from app.model.policy import QueuePolicy
from tests.builders import record


def only_input(value: Any, field: str | None = None) -> dict[str, Any]:
    found = to_record({"x": value}, {"x": field} if field else {})["inputs"]
    assert [item["name"] for item in found] == ["x"]
    return found[0]  # type: ignore[no-any-return]


def refusal(row: dict[str, Any], columns: dict[str, str]) -> RecordError:
    with pytest.raises(RecordError) as caught:
        to_record(row, columns)
    return caught.value


def test_obvious_columns_find_their_field() -> None:
    row = {
        "Prediction_ID": "007", "subject": "s", "timestamp": "2026-01-05", " Label ": "bad", "predicted_score": "0.7",
        "threshold": "0.5", "flag": "near", "severity": " HIGH ", "model": "m", "model_version": "1.0",
        "sampling_probability": "0.05", "month": "48", "purpose": "car", "empty": "",
    }  # fmt: skip
    assert to_record(row, {}) == {
        "id": "007",
        "subject": "s",
        "created_at": "2026-01-05",
        "output": {"label": "bad", "score": 0.7, "threshold": 0.5},
        "flags": [{"code": "near", "severity": "high"}],
        "provenance": {"model": {"name": "m", "version": "1.0"}},
        "sampling": {"probability": 0.05},
        "inputs": [
            {"name": "month", "kind": "number", "value": 48},
            {"name": "purpose", "kind": "category", "value": "car"},
            {"name": "empty", "kind": "category", "value": None},
        ],
    }


def test_a_mapping_wins_over_the_obvious() -> None:
    row = {"id": "row 1", "case": "c1", "label": "x", "race": "y", "why": "z", "note": "n", "skip": "me", "text": "t"}
    columns = {
        "id": "ignore", "case": "id", "label": "input:category", "race": "sensitive", "why": "detail", "note": "text",
        "skip": "ignore",
    }  # fmt: skip
    assert to_record(row, columns) == {
        "id": "c1",
        "output": {"text": "n"},
        "sensitive": [{"name": "race", "value": "y"}],
        "flags": [{"code": "flagged", "detail": "z"}],
        "inputs": [
            {"name": "label", "kind": "category", "value": "x"},
            {"name": "text", "kind": "category", "value": "t"},
        ],
    }


@pytest.mark.parametrize("field", FIELDS)
def test_every_field_can_be_mapped_and_gives_a_valid_record(field: str) -> None:
    check_mapping({"x": field})
    spelled = {"severity": "low", "input:json": '["low"]', "input:chat": '[{"role": "user", "content": "low"}]'}
    row = {"id": "a", "x": spelled.get(field, "0.75")}
    policy = QueuePolicy.model_validate({"rubric": "r", "task": {"type": "binary"}})
    made = to_record(row, {"x": field, "id": "ignore"} if field == "id" else {"x": field})
    assert validate(made, policy).id
    word = "low" if field in spelled else "0.75"
    assert (word in json.dumps(made)) is (field != "ignore")


def test_an_unknown_field_is_refused_with_a_guess() -> None:
    with pytest.raises(
        BadInput, match=r"--map age=sensitiv: there is no field 'sensitiv' \(did you mean 'sensitive'\?\)"
    ):
        check_mapping({"id": "id", "age": "sensitiv"})
    with pytest.raises(BadInput, match=r"no field 'qqqq'\. Fields: id, subject"):
        check_mapping({"age": "qqqq"})


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("48", 48), ("-48", -48), ("+5", 5), (" 12 ", 12), ("0", 0), ("0.5", 0.5), (".5", 0.5), ("5.", 5.0),
        ("1e5", 1e5), ("1.5E-3", 0.0015), ("9007199254740993", 2**53 + 1), ("18446744073709551615", 2**64 - 1),
        (7, 7), (0.1, 0.1), (2**63, 2**63),
    ],
)  # fmt: skip
def test_what_is_a_number_is_kept_as_one(text: Any, number: float) -> None:
    found = only_input(text)
    assert (found["kind"], repr(found["value"])) == ("number", repr(number))


@pytest.mark.parametrize(
    "text",
    [
        "007", "-007", "00", "1_000", "1,000", "0x10", "nan", "inf", "-Infinity", "1e400", "2026-01-05", "--5", "5-",
        "1e", "e5", ".", "-", "٣", "²", "５", "18446744073709551616", "4929000000000000000000", "1 2", "12:30", "True",
    ],
)  # fmt: skip
def test_what_only_looks_like_a_number_stays_text(text: str) -> None:
    assert only_input(text) == {"name": "x", "kind": "category", "value": text}


@pytest.mark.parametrize(
    ("value", "field", "kind", "stored"),
    [
        ("48", "input:category", "category", "48"),
        ("48", "input:text", "text", "48"),
        ("007", "input:reference", "reference", "007"),
        ("", "input:number", "number", None),
        (None, "input:text", "text", None),
        ("x" * 81, None, "text", "x" * 81),
        ("x" * 80, None, "category", "x" * 80),
        (True, None, "category", True),
        ('{"a": [1]}', "input:json", "json", {"a": [1]}),
        ({"a": 1}, "input:json", "json", {"a": 1}),
        ('[{"role":"user","content":"hi"}]', "input:chat", "chat", [{"role": "user", "content": "hi"}]),
    ],
)
def test_kinds(value: Any, field: str | None, kind: str, stored: Any) -> None:
    assert only_input(value, field) == {"name": "x", "kind": kind, "value": stored}


@pytest.mark.parametrize(
    ("value", "field", "expected"),
    [
        ("many", "input:number", "expected a number"),
        ("007", "input:number", "expected a number"),
        ("many", "score", "expected a number"),
        ("grave", "severity", "expected one of low, medium, high, critical"),
        ("{", "input:json", "expected JSON"),
        ('{"a":1,"a":2}', "input:json", "twice"),
        ("[18446744073709551616]", "input:json", "too large"),
        ("[" * 600 + "]" * 600, "input:json", "deeper"),
        ("[" * 100_000, "input:chat", "expected JSON"),
        ("NaN", "input:json", "NaN"),
    ],
)
def test_a_cell_that_does_not_fit_names_its_column(value: str, field: str, expected: str) -> None:
    error = refusal({"id": "a", "x": value}, {"x": field})
    assert (error.code, error.field) == ("csv", "x")
    assert expected in error.expected


def test_sections_as_json_columns_are_the_record_itself() -> None:
    whole = record(id="007", subject="s", sensitive=[{"name": "sex", "value": "f"}])
    row = {key: value if isinstance(value, str) else json.dumps(value) for key, value in whole.items()}
    assert to_record(row | {"flags": "", "provenance": None}, {}) == whole


def test_a_section_that_is_no_json_names_itself() -> None:
    error = refusal({"id": "a", "inputs": "[", "output": "{}"}, {})
    assert (error.field, error.code) == ("inputs", "csv")
    assert refusal({"id": "a", "inputs": "[" * 600 + "]" * 600, "output": "{}"}, {}).field == "inputs"


def test_nulls_of_nested_columns_are_not_there() -> None:
    row = {"id": "a", "inputs": [{"name": "x", "value": 1, "role": None}], "output": {"label": "b", "text": None}}
    assert to_record(row, {}) == {"id": "a", "inputs": [{"name": "x", "value": 1}], "output": {"label": "b"}}
