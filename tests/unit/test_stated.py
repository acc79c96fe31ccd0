"""Values that texts state of withheld inputs by name, however short the values are."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from tests.builders import protector, record

AGE, SEX, INCOME, NUMBER = "[withheld: age]", "[withheld: sex]", "[withheld: income]", "[withheld: customer_number]"
INPUTS = [
    {"name": "age", "kind": "number", "value": 34},
    {"name": "sex", "kind": "category", "value": "F"},
    {"name": "income", "kind": "number", "value": 1977},
    {"name": "customer_number", "kind": "category", "value": "Q7"},
    {"name": "loan age", "kind": "number", "value": 34},
]


def kept(text: str) -> str:
    """What is kept of a text, the same in every place."""
    made = record(
        inputs=[*INPUTS, {"name": "note", "kind": "text", "value": text}],
        output={"label": "decline", "score": 0.7, "text": text},
        flags=[{"code": "x", "severity": "low", "detail": text}],
        sampling={"reason": text, "probability": 1},
        extra={"said": [text]},
        explanations=[{"kind": "text", "text": text}],
    )
    found: dict[str, Any] = protector(band={"income": 1000}, pseudonymise=["customer_number"]).protect(made)
    places = [
        found["inputs"][-1]["value"],
        found["output"]["text"],
        found["flags"][0]["detail"],
        found["sampling"]["reason"],
        found["extra"]["said"][0],
        found["explanations"][0]["text"],
    ]
    assert len(set(places)) == 1
    return str(places[0])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("age=34", f"age={AGE}"),
        ("Age: 34, sex: F", f"Age: {AGE}, sex: {SEX}"),
        ("IF age > 34 AND sex = F", f"IF age > {AGE} AND sex = {SEX}"),
        ("30 < age <= 40", f"{AGE} < age <= {AGE}"),
        ("age in (30, 34] here", f"age in ({AGE}] here"),
        ('Got: {"age": 34, "sex": "F", "n": 34}', f'Got: {{"age": {AGE}, "sex": "{SEX}", "n": 34}}'),
        ('{"age": 34}\n{"sex": "F"}', f'{{"age": {AGE}}}\n{{"sex": "{SEX}"}}'),
        ('```json\n{"sex": "F"}\n```', f'```json\n{{"sex": "{SEX}"}}\n```'),
        ('"{\\"sex\\": \\"F\\"}"', f'"{{\\"sex\\": \\"{SEX}\\"}}"'),
        ("{'age': 34, 'sex': 'F'}", f"{{'age': {AGE}, 'sex': '{SEX}'}}"),
        ("income <= 1900.5", f"income <= {INCOME}"),
        ("customerNumber: Q7", f"customerNumber: {NUMBER}"),
        ("log_age=3.53", f"log_age={AGE}"),
        ("<age>34</age>", f"<age>{AGE}</age>"),
        ("age (years): 34.", f"age (years): {AGE}."),
        ("age is 34", f"age is {AGE}"),
    ],
)
def test_a_value_is_known_by_the_name_that_a_text_gives_it(text: str, expected: str) -> None:
    assert kept(text) == expected


@pytest.mark.parametrize("text", ["?age=34&sex=F", "sex = F"])
def test_also_where_the_text_is_encoded(text: str) -> None:
    shown = kept(f"see {quote(text)} there")
    assert "34" not in shown and not shown.replace("%", " ").endswith("F there")
    assert "[withheld: sex]" in shown


@pytest.mark.parametrize(
    "text",
    [
        "page: 34", "image: F.png", "loan age: 34", "vehicle_age=34", "usage=34", "percentage: 34", "age: null",
        "def f(age: int)", "of age, 34 loans", "amount: 34", "30 < amount <= 34", "sex", "34 < 35",
    ],
)  # fmt: skip
def test_what_is_said_of_other_things_stays(text: str) -> None:
    assert kept(text) == text


def test_what_stands_in_place_of_a_value_states_none() -> None:
    inputs = [{"name": "withheld", "value": "x", "reveals": "sex"}, *INPUTS]
    made = record(inputs=inputs, extra={"said": "age=34"})
    once = protector().protect(made)
    assert once["extra"] == {"said": f"age={AGE}"}
    assert protector().protect(once) == once
