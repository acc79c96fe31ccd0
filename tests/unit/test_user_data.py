"""A sender's own JSON: which names in it are labels, tools, files or persons, and whose values are taken out."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from tests.builders import protector, record

AGE, SEX, TRIBE = "[withheld: age]", "[withheld: sex]", "[withheld: tribe]"
SENSITIVE = [{"name": "tribe", "value": "Qo"}]
INPUTS = [
    {"name": "age", "kind": "number", "value": 34},
    {"name": "sex", "kind": "category", "value": "F"},
    {"name": "income", "kind": "number", "value": 1977},
    {"name": "months", "kind": "number", "value": 12},
]


def kept(value: Any, **policy: Any) -> Any:
    """What is kept of JSON, the same as an input, under an unknown key and in a tool call's arguments."""
    made = record(
        sensitive=SENSITIVE,
        inputs=[*INPUTS, {"name": "row", "kind": "json", "value": value}],
        extra={"row": value},
        explanations=[{"kind": "trace", "items": [{"name": "f", "arguments": value}]}],
    )
    found = protector(**policy).protect(made)
    places = [found["inputs"][-1]["value"], found["extra"]["row"], found["explanations"][0]["items"][0]["arguments"]]
    assert places[1:] == places[:1] * 2
    return places[0]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (
            [{"name": "age", "value": 34}, {"name": "sex", "value": "F"}],
            [{"name": "age", "value": AGE}, {"name": "sex", "value": SEX}],
        ),
        ([{"name": "months", "value": 12}], [{"name": "months", "value": 12}]),
        ({"key": "sex", "value": "F"}, {"key": "sex", "value": SEX}),
        ({"n": "sex", "v": "F"}, {"n": "sex", "v": SEX}),
        ({"lhs": "age", "op": ">", "rhs": 35.25}, {"lhs": "age", "op": ">", "rhs": AGE}),
        ({"split_feature": "age", "threshold": 35.25}, {"split_feature": "age", "threshold": AGE}),
        ({"feature_header": "sex", "value": "F"}, {"feature_header": "sex", "value": SEX}),
        ({"cols": ["months", "sex"], "row": [12, "F"]}, {"cols": ["months", "sex"], "row": [12, SEX]}),
        ({"field": "sex", "val": "F", "n": 3}, {"field": "sex", "val": SEX, "n": SEX}),
        ({"feature": "sex", "x": {"deep": ["F"]}}, {"feature": "sex", "x": SEX}),
        ({"question": "Tribe", "answer": "Qo"}, {"question": "Tribe", "answer": TRIBE}),
        ({"label": "Sex", "text": 1, "value": "F"}, {"label": "Sex", "text": SEX, "value": SEX}),
        ([["sex", "F"], ["months", 12]], [["sex", SEX], ["months", 12]]),
        ([["sex", "months"], ["F", 12], ["M", 3]], [["sex", "months"], [SEX, 12], [SEX, 3]]),
        (
            {"columns": ["months", "sex"], "data": [[12, "F"], [3, "M"]]},
            {"columns": ["months", "sex"], "data": [[12, SEX], [3, SEX]]},
        ),
        (
            {"feature_names": ["months", "log_age"], "values": [12, 3.5]},
            {"feature_names": ["months", AGE], "values": [12, AGE]},
        ),
        (
            {"feature": ["months", "sex"], "value": [12, "F"]}, {"feature": ["months", "sex"], "value": [12, SEX]},
        ),
        (
            {"feature": "income & age", "value": [1977, 33], "contribution": 0.5},
            {"feature": AGE, "value": AGE, "contribution": 0.5},
        ),
        (
            {"log_age": 3.5, "num__sex_F": 1, "income": 1977}, {AGE: AGE, SEX: SEX, "income": 1977},
        ),
        ({"vector": [12, 34, "1977", " 34.0 "]}, {"vector": [12, AGE, "1977", AGE]}),
        ({"months": 34}, {"months": AGE}),
        ('{"sex": "F", "months": 12}', '{"sex":"[withheld: sex]","months":12}'),
        ({"args": '[{"name": "sex", "value": "F"}]'}, {"args": '[{"name":"sex","value":"[withheld: sex]"}]'}),
        ({"age": None, "sex": True}, {"age": None, "sex": SEX}),
        ([], []), ({}, {}), ("{", "{"), ("[1, 2", "[1, 2"),
    ],
)  # fmt: skip
def test_values_are_known_by_their_names_and_alone(value: Any, expected: Any) -> None:
    assert kept(value) == expected


# A tool's call, its result or its description, as today's frameworks write it.
TOOLS = [
    {"name": "transfer", "arguments": {"amount": 12}},
    {"name": "transfer", "args": {"amount": 12}, "id": "call-1", "type": "tool_call"},
    {"id": "c", "type": "function", "function": {"name": "transfer", "arguments": '{"amount":12}'}},
    {"type": "tool_use", "id": "t", "name": "transfer", "input": {"amount": 12}},
    {"role": "tool", "name": "transfer", "tool_call_id": "c", "content": "done"},
    {"role": "tool", "name": "transfer", "content": "done"},
    {"role": "assistant", "name": "transfer", "content": "done"},
    {"method": "tools/call", "params": {"name": "transfer", "arguments": {"amount": 12}}},
    {"tools": [{"name": "transfer", "description": "Moves money", "inputSchema": {"type": "object"}}]},
    {"name": "transfer", "description": "Moves money", "input_schema": {"type": "object"}},
    {"name": "transfer", "kwargs": {"amount": 12}},
    {"name": "transfer", "status": "ok", "duration_ms": 12},
    {"span": {"name": "transfer", "attributes": {"gen_ai.tool.name": "transfer"}}},
    {"run": {"name": "transfer", "run_type": "tool", "inputs": {"amount": 12}}},
    {"type": "function", "name": "transfer", "parameters": {}},
    {"functionCall": {"name": "transfer", "args": {}}},
    {"function_call": {"name": "transfer", "arguments": "{}"}},
    {"functionResponse": {"name": "transfer", "response": {"ok": True}}},
    {"type": "mcp_call", "name": "transfer", "server_label": "bank"},
    {"action_requests": [{"name": "transfer", "args": {"amount": 12}}]},
    {"tool_choice": {"type": "function", "function": {"name": "transfer"}}},
    {"serverInfo": {"name": "transfer", "version": "1"}},
    {"tool_calls": [{"name": "transfer", "arguments": {}}]},
    {"tool": "transfer", "tool_name": "transfer", "toolName": "transfer", "function_name": "transfer"},
]  # fmt: skip


@pytest.mark.parametrize("value", TOOLS)
def test_names_of_tools_are_no_persons(value: Any) -> None:
    """Neither in the call, nor in any text that speaks of the tool."""
    made = record(
        task={"type": "action", "question": "May the agent transfer this?"},
        inputs=[{"name": "call", "kind": "json", "value": value}, {"name": "chat", "kind": "chat", "value": [value]}],
        output={"text": orjson.dumps(value).decode()},
        explanations=[{"kind": "trace", "items": [{"name": "transfer", "arguments": value}]}],
        extra={"call": value},
    )
    assert protector().protect(made) == made


@pytest.mark.parametrize(
    "value",
    [
        {"name": "scan.pdf", "size": 9}, {"name": "Julia Weber.docx"}, {"file": {"name": "scan"}},
        {"filename": "scan.pdf", "file_name": "x"}, {"name": "scan", "mime_type": "image/png"},
        {"name": "monthly_income", "type": "number"}, {"name": "Monthly income", "dtype": "float"},
        {"name": "income", "value": 3}, {"name": "Monthly Income", "weight": 0.5},
        {"model": {"name": "gpt-x", "version": "2"}}, {"dataset": {"name": "credit v2"}},
        {"name": "temperature", "unit": "C", "value": 37},
    ],
)  # fmt: skip
def test_names_of_files_features_and_models_are_no_persons(value: Any) -> None:
    assert kept(value) == value


@pytest.mark.parametrize(
    "value",
    [
        {"name": "Quentin Tarr"}, {"customer": {"name": "quentin tarr"}},
        {"role": "user", "name": "quentin", "content": "hi"},
        {"name": "Quentin Tarr", "income": 3}, {"applicant": [{"name": "Quentin Tarr", "since": 2020}]},
        {"name": "quentin_tarr"}, {"name": "Quentin", "value": "gold"}, {"name": "Quentin Tarr", "type": "customer"},
        {"first_name": "Quentin", "lastName": "Tarr"}, {"name": {"first": "Quentin", "last": "Tarr"}},
        {"name": ["Quentin Tarr"]}, {"function": {"arguments": '{"customer_name": "Quentin"}', "name": "transfer"}},
        {"name": "name", "value": "Quentin Tarr"}, [["name", "Quentin Tarr"]],
        {"name": "transfer", "arguments": {"to": {"name": "Quentin Tarr"}}},
    ],
)  # fmt: skip
def test_persons_in_json_are_found(value: Any) -> None:
    found = orjson.dumps(kept(value)).decode().casefold()
    assert "quentin" not in found
    assert "tarr" not in found
    assert "[withheld: name]" in found


def test_what_is_shown_less_exactly_is_so_in_json_too() -> None:
    found = kept(
        {
            "income": 1977,
            "num__income": 0.31,
            "pairs": [{"name": "income", "value": 1977}, {"feature": "log_income", "value": 7.6}],
            "row": [1977, "1977", 5],
        },
        band={"income": 1000},
    )
    masked = "[withheld: income]"
    assert found == {
        "income": masked,
        masked: masked,
        "pairs": [{"name": "income", "value": masked}, {"feature": masked, "value": masked}],
        "row": [masked, masked, 5],
    }


def test_a_visible_value_that_happens_to_be_equal_stays_under_its_own_name() -> None:
    inputs = [{"name": "age", "value": 34}, {"name": "months", "value": 34}]
    explained = [{"kind": "attribution", "items": [{"feature": "months", "value": 34, "contribution": 1}]}]
    made = record(inputs=inputs, explanations=explained, extra={"echo": {"months": 34}})
    found = protector().protect(made)
    assert (found["explanations"], found["extra"], found["inputs"][1]) == (explained, made["extra"], inputs[1])


def test_numbers_of_models_are_not_compared_with_people() -> None:
    """A seed of 34 is not somebody's age, nor is a baseline's decile."""
    provenance = {"model": {"name": "m", "version": "34"}, "hyperparameters": {"seed": 34, "depth": [34]}}
    made = record(
        inputs=INPUTS, output={"label": "approve", "baseline": {"name": "deciles", "value": 34}}, provenance=provenance
    )
    found = protector().protect(made)
    assert (found["output"], found["provenance"]) == (made["output"], provenance)


def test_what_only_a_key_gave_away_is_found_where_it_stood_before() -> None:
    found = protector().protect(record(extra={"row": ["Zq", 77], "who": {"sex": "Zq", "age": 77}}))
    assert found["extra"] == {"row": [SEX, AGE], "who": {"sex": SEX, "age": AGE}}


def test_spans_into_a_json_document_that_was_written_anew_point_nowhere() -> None:
    document = '{"sex": "F", "months": 12}'
    made = record(
        output={"text": document},
        explanations=[{"kind": "text_span", "items": [{"start": 9, "end": 10, "text": "F", "contribution": 1}]}],
    )
    found = protector().protect(made)
    assert found["output"]["text"] == '{"sex":"[withheld: sex]","months":12}'
    assert [(i["start"], i["end"], i["anchor"]) for i in found["explanations"][0]["items"]] == [(None, None, "failed")]


def test_words_beside_a_withheld_value_are_not_masked_elsewhere() -> None:
    item = {"feature": "age", "value": "Zqx 9", "note": "amount of the loan"}
    made = record(extra={"item": item, "said": "the amount of the loan; Zqx 9"})
    assert protector().protect(made)["extra"] == {
        "item": {"feature": "age", "value": AGE, "note": AGE},
        "said": f"the amount of the loan; {AGE}",
    }
