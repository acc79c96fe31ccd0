"""Short withheld values in prose beside the names of their fields."""

from __future__ import annotations

from typing import Any

import pytest

from tests.builders import protector, record

INPUTS = [
    {"name": "age", "kind": "number", "value": 34},
    {"name": "sex", "kind": "category", "value": "F"},
    {"name": "income", "kind": "number", "value": 1977},
    {"name": "months", "kind": "number", "value": 12},
]


def shown(text: str, **more: Any) -> str:
    """What is shown of a rationale; the same as of an output and of a text among the inputs."""
    made = record(
        inputs=[*INPUTS, {"name": "note", "kind": "text", "value": text}],
        output={"text": text},
        explanations=[{"kind": "text", "text": text}],
        **more,
    )
    found = protector(band={"income": 1000}).protect(made)
    places = {found["inputs"][-1]["value"], found["output"]["text"], found["explanations"][0]["text"]}
    assert len(places) == 1
    return str(places.pop())


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("declined because age = 34 is low", "declined because age = [withheld: age] is low"),
        ("age: 34, sex: F", "age: [withheld: age], sex: [withheld: sex]"),
        ("Age is 34.", "Age is [withheld: age]."),
        ("The age of 34 counts", "The age of [withheld: age] counts"),
        ("income (1977) and months (12)", "income ([withheld: income]) and months (12)"),
        ("SEX=F; MONTHS=12", "SEX=[withheld: sex]; MONTHS=12"),
        ("{'age': 34, 'sex': 'F'}", "{'age': [withheld: age], 'sex': '[withheld: sex]'}"),
        ("a 34-year-old applicant, aged 34", "a [withheld: age]-year-old applicant, aged [withheld: age]"),
        ("age 34.0", "age [withheld: age]"),
    ],
)
def test_a_short_value_is_masked_beside_its_name(text: str, masked: str) -> None:
    assert shown(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "page 34 of 40",
        "34 months",
        "age 35",
        "income 34",
        "age 340",
        "age 3.4",
        "grade F",
        "average: 34",
        "sexton F",
        "F",
    ],
)
def test_elsewhere_it_stays(text: str) -> None:
    assert shown(text) == text


def test_spans_follow() -> None:
    text = "because age = 34 is low"
    spans = [{"start": 14, "end": 16, "text": "34", "contribution": 1}, {"start": 20, "end": 23, "text": "low"}]
    explained = {"kind": "text_span", "target": {"input": "output.text"}, "items": spans}
    found = protector().protect(record(inputs=INPUTS, output={"text": text}, explanations=[explained]))
    assert [item["text"] for item in found["explanations"][0]["items"]] == ["[withheld: age]", "low"]
