"""`pseudonymise`, `band`, `texts` and `detect` of a queue's policy: what is shown in place of a value, everywhere."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from app.model.policy import QueuePolicy
from app.protect.coarsen import band, beginning
from tests.builders import protector, record

INCOME = 52_340


def a_record() -> dict[str, Any]:
    return record(
        inputs=[
            {"name": "income", "kind": "number", "value": INCOME},
            {"name": "customer_number", "kind": "category", "value": "CU-998877"},
            {"name": "postal_area", "kind": "category", "value": "10115"},
            {"name": "note", "kind": "text", "value": f"Customer CU-998877 earns {INCOME}. Write to a.b@example.org."},
            {"name": "chat", "kind": "chat", "value": [{"role": "user", "content": "call +44 20 7946 0958"}]},
        ],
        explanations=[
            {"kind": "attribution", "items": [{"feature": "income", "value": INCOME, "contribution": 0.2}]},
            {"kind": "rule", "items": [{"feature": "income", "op": ">", "value": 51_999}]},
            {"kind": "counterfactual", "items": [{"changes": [{"feature": "income", "from": INCOME, "to": 61_000}]}]},
            {"kind": "example", "items": [{"values": {"income": 48_200, "customer_number": "CU-112233"}}]},
        ],
    )


POLICY: dict[str, Any] = {
    "band": {"income": 1000, "postal_area": "3 characters"},
    "pseudonymise": ["customer_number"],
}


def inputs(kept: dict[str, Any]) -> dict[str, Any]:
    return {item["name"]: item for item in kept["inputs"]}


def test_a_band_stands_wherever_the_value_stood() -> None:
    kept, taken = protector(**POLICY).take_out(a_record())
    assert inputs(kept)["income"] == {"name": "income", "kind": "category", "value": "52000–53000"}
    assert inputs(kept)["postal_area"]["value"] == "101…"
    attribution, rule, counterfactual, example = kept["explanations"]
    assert attribution["items"][0]["value"] == "52000–53000"
    assert rule["items"][0]["value"] == "51000–52000"
    assert counterfactual["items"][0]["changes"][0] | {"actionable": None} == {
        "feature": "income",
        "from": "52000–53000",
        "to": "61000–62000",
        "actionable": None,
    }
    assert example["items"][0]["values"]["income"] == "48000–49000"
    assert str(INCOME).encode() not in orjson.dumps(kept)
    assert taken["inputs.income"] == INCOME


def test_a_token_is_the_same_within_a_case_and_another_elsewhere() -> None:
    guard = protector(**POLICY)
    one, two = guard.protect(a_record()), guard.protect(a_record() | {"id": "case-2"})
    tokens = [inputs(kept)["customer_number"]["value"] for kept in (one, two)]
    assert all(token.startswith("id-") for token in tokens)
    assert tokens[0] != tokens[1]
    assert inputs(guard.protect(a_record()))["customer_number"]["value"] == tokens[0]
    assert b"998877" not in orjson.dumps(one)
    assert b"112233" not in orjson.dumps(one)


def test_done_twice_changes_nothing() -> None:
    guard = protector(**POLICY, texts=["note"], detect="all")
    once = guard.protect(a_record())
    assert guard.protect(orjson.loads(orjson.dumps(once))) == orjson.loads(orjson.dumps(once))


def test_texts_that_the_policy_does_not_name_are_withheld() -> None:
    raw = a_record() | {"ticket": "She says that her neighbour told her so, at length.", "batch": "b-7"}
    kept, taken = protector(texts=["note"]).take_out(raw)
    assert inputs(kept)["chat"]["withheld"] == "free text"
    assert inputs(kept)["chat"]["value"] is None
    assert "withheld" not in inputs(kept)["note"]
    assert kept["extra"] == {"ticket": "[withheld: free text]", "batch": "b-7"}
    assert taken["inputs.chat"] == raw["inputs"][4]["value"]
    assert taken["elsewhere.ticket"] == raw["ticket"]


@pytest.mark.parametrize("detect", ["identifiers", "all"])
def test_identifiers_in_texts_are_masked(detect: str) -> None:
    kept, taken = protector(detect=detect).take_out(a_record())
    document = orjson.dumps(kept).decode()
    assert "a.b@example.org" not in document
    assert "7946" not in document
    assert "[withheld: email]" in inputs(kept)["note"]["value"]
    assert "[withheld: phone]" in inputs(kept)["chat"]["value"][0]["content"]
    assert "a.b@example.org" in taken["text.inputs.note"]


def test_detection_can_be_left_off() -> None:
    kept = protector(detect="off").protect(a_record())
    assert "a.b@example.org" in inputs(kept)["note"]["value"]


def test_spans_move_with_what_is_masked_before_them() -> None:
    text = "Mail a.b@example.org about the bridge that fell."
    start = text.index("bridge")
    raw = record(
        output={"text": text},
        explanations=[
            {"kind": "text_span", "items": [{"start": start, "end": start + 6, "text": "bridge", "contribution": 1.0}]}
        ],
    )
    kept = protector().protect(raw)
    item = kept["explanations"][0]["items"][0]
    assert kept["output"]["text"][item["start"] : item["end"]] == item["text"] == "bridge"


@pytest.mark.parametrize(
    ("value", "width", "shown"),
    [(37, 10, "30–40"), (40, 10, "40–50"), (-3, 10, "-10–0"), (0.27, 0.25, "0.25–0.5"), ("41", 10, "40–50"),
     ("n/a", 10, None), (float("inf"), 10, None)],
)  # fmt: skip
def test_bands(value: Any, width: float, shown: str | None) -> None:
    assert band(value, width) == shown


def test_beginnings() -> None:
    assert beginning("10115", 3) == "101…"
    assert beginning("10", 3) == "10"
    assert beginning(beginning("10115", 3), 3) == "101…"


@pytest.mark.parametrize("wrong", [{"band": {"age": 0}}, {"band": {"zip": "three"}}, {"detect": "names"}])
def test_a_policy_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        QueuePolicy.model_validate({"rubric": "x", **wrong})
