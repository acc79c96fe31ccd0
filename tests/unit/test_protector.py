"""What protection keeps of a record: exactly this, and nothing of what is withheld."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from app.intake.parse import validate
from app.model.prediction import Prediction
from tests.builders import POLICY, protector, record


def protect(made: dict[str, Any], **policy: Any) -> dict[str, Any]:
    validate(made, POLICY)
    return protector(**policy).protect(made)


def explained(kind: str, items: list[dict[str, Any]], record_more: dict[str, Any] | None = None, **more: Any) -> Any:
    made = record(explanations=[{"kind": kind, "items": items, **more}], **(record_more or {}))
    return protect(made)["explanations"][0]


def test_a_record_without_anything_withheld_stays_as_it_is() -> None:
    assert protect(record(domain="credit")) == record(domain="credit")


def test_inputs_are_withheld_with_the_attribute_they_name() -> None:
    inputs = [
        {"name": "Date of Birth", "kind": "category", "value": "1980-01-01", "role": "feature"},
        {"name": "month", "kind": "number", "value": 48, "role": "feature"},
    ]
    assert protect(record(inputs=inputs))["inputs"] == [
        {"name": "Date of Birth", "kind": "category", "value": None, "withheld": "age"},
        inputs[1],
    ]


def test_sensitive_attributes_keep_their_names_only() -> None:
    kept = protect(record(sensitive=[{"name": "tribe", "value": "Northern", "note": "x"}, {"name": "sex"}]))
    assert kept["sensitive"] == [{"name": "tribe", "value": None}, {"name": "sex", "value": None}]


def test_policy_withholds_shows_and_reveals() -> None:
    inputs = [{"name": "age", "value": 40}, {"name": "purpose", "value": "car"}, {"name": "school", "value": 1999}]

    def withheld(**policy: Any) -> list[str | None]:
        return [item.get("withheld") for item in protect(record(inputs=inputs), **policy)["inputs"]]

    assert withheld() == ["age", None, None]
    assert withheld(show=["age"]) == [None, None, None]
    assert withheld(withhold=["purpose"]) == ["age", "purpose", None]
    assert withheld(reveals={"age": ["school"]}) == ["age", None, "age"]
    assert withheld(show=["age"], withhold=["age"]) == ["age", None, None]


def test_unknown_keys_are_kept_under_extra() -> None:
    kept = protect(record(batch=7, extra={"a": 1}))
    assert (kept["extra"], "batch" in kept) == ({"a": 1, "batch": 7}, False)


def test_attributions_fold_what_is_withheld() -> None:
    items = [
        {"feature": "month", "value": 48, "contribution": 0.5},
        {"feature": "sex", "value": "f", "contribution": 0.25},
        {"feature": ["month", "age"], "contribution": -1},
    ]
    assert explained("attribution", items) == {
        "kind": "attribution", "items": items[:1], "withheld": 2, "withheld_contribution": -0.75,
    }  # fmt: skip


def test_counterfactuals_keep_that_something_changes() -> None:
    changes = [
        {"feature": "sex", "from": "f", "to": "m", "actionable": False},
        {"feature": "month", "from": 48, "to": 10},
    ]
    found = explained("counterfactual", [{"changes": changes, "valid": True}], immutable=["race_x", "month"])
    assert found["immutable"] == ["[withheld: ethnicity]", "month"]
    assert found["items"] == [
        {
            "changes": [{"feature": "[withheld: sex]", "from": None, "to": None, "actionable": False}, changes[1]],
            "valid": True,
        }
    ]


def test_a_value_that_reads_like_our_words_does_not_change_them() -> None:
    inputs = [{"name": "sex", "kind": "category", "value": "withheld"}]
    found = explained("counterfactual", [], {"inputs": inputs}, sex=12345, immutable=["sex"])
    assert found["immutable"] == ["[withheld: sex]"]


def test_rules_keep_how_precise_they_are() -> None:
    rule = {"feature": "age", "op": ">", "value": 37, "precision_so_far": 0.9, "coverage_so_far": 0.5}
    assert explained("rule", [rule])["items"] == [
        {"feature": "[withheld: age]", "op": "", "value": None, "precision_so_far": 0.9, "coverage_so_far": 0.5}
    ]


def test_examples_lose_withheld_values() -> None:
    values = {"month": 10, "age": 30, "gender_female": 1}
    assert explained("example", [{"ref": "r", "values": values}])["items"] == [{"ref": "r", "values": {"month": 10}}]


@pytest.mark.parametrize("kind", ["text_span", "evidence"])
def test_spans_of_a_withheld_text_are_counted_only(kind: str) -> None:
    more = {"inputs": [{"name": "address", "kind": "text", "value": "12 Elm"}]}
    found = explained(kind, [{"start": 0, "end": 2, "text": "12"}], more, target={"input": "inputs.address"})
    assert (found["items"], found["withheld"]) == ([], 1)


def test_a_span_that_touches_what_is_masked_covers_all_of_it() -> None:
    items = [
        {"start": 0, "end": 4, "text": "Dear"},
        {"start": 5, "end": 8, "text": "Ann"},
        {"start": 14, "end": 20, "text": "called"},
    ]
    more = {"output": {"text": "Dear Ann Lees called"}, "sensitive": [{"name": "alias", "value": "ann lees"}]}
    assert [(i["start"], i["end"], i["text"]) for i in explained("text_span", items, more)["items"]] == [
        (0, 4, "Dear"),
        (5, 22, "[withheld: alias]"),
        (23, 29, "called"),
    ]


# People may be called like the format's own words, and policies may name them.
OWN_WORDS = [
    "inputs", "output", "value", "explanations", "items", "contribution", "feature", "text", "label", "kind", "number",
    "attribution", "critical", "exact", "task", "binary", "score", "model", "flags", "code", "severity", "secondlook",
]  # fmt: skip


@pytest.mark.parametrize("word", OWN_WORDS)
def test_a_value_that_is_a_word_of_the_format_does_not_break_the_record(word: str) -> None:
    made = record(
        sensitive=[{"name": "alias", "value": word}],
        flags=[{"code": "x", "severity": "critical"}],
        explanations=[{"kind": "attribution", "fidelity": "exact", "items": [{"feature": "f", "contribution": 1}]}],
        extra={"about": f"our {word}", word: 1},
    )
    kept = protect(made)
    validate(kept, POLICY)
    assert kept["extra"] == {"about": "our [withheld: alias]", "[withheld: alias]": 1}
    assert {key: kept[key] for key in ("inputs", "flags", "explanations", "task")} == {
        key: made[key] for key in ("inputs", "flags", "explanations", "task")
    }


@pytest.mark.parametrize(
    "name", [*OWN_WORDS, "value of home", "text language", "start_date", "score-band", "kindOfJob"]
)
def test_a_withheld_name_that_is_a_word_of_the_format_does_not_break_the_record(name: str) -> None:
    made = record(explanations=[{"kind": "text_span", "items": [{"start": 0, "end": 1, "contribution": 2}]}])
    kept = protect(made | {"inputs": [*made["inputs"], {"name": name, "value": "x"}]}, withhold=[name])
    assert kept["inputs"] == [*made["inputs"], {"name": name, "kind": "category", "value": None, "withheld": name}]
    assert (kept["output"], kept["explanations"]) == (made["output"], made["explanations"])


def test_what_stands_for_a_value_is_not_masked_itself() -> None:
    kept = protect(record(subject="withheld", extra={"gender": "f", "note": "withheld"}))
    assert kept["extra"] == {"gender": "[withheld: sex]", "note": "[withheld: subject]"}


def test_labels_that_sound_like_attributes_keep_their_scores() -> None:
    output = {"label": "religion", "scores": {"religion": 0.75, "gender": 0.25}}
    assert protect(record(output=output))["output"] == output


def test_numbers_of_the_format_stay_numbers() -> None:
    made = record(
        sensitive=[{"name": "account", "value": 12345}],
        explanations=[
            {"kind": "trace", "items": [{"duration_ms": 12345, "arguments": {"n": 12345}}]},
            {"kind": "text", "fidelity_score": {"name": "12345", "value": 12345}, "base_value": 12345},
        ],
    )
    trace, note = protect(made)["explanations"]
    assert trace["items"] == [{"duration_ms": 12345, "arguments": {"n": "[withheld: account]"}}]
    assert (note["base_value"], note["fidelity_score"]) == (12345, {"name": "[withheld: account]", "value": 12345})


def test_masking_that_makes_names_longer_keeps_a_record_valid() -> None:
    subject = "abcdef"
    raw = record(
        subject=subject,
        flags=[{"code": subject * 33, "severity": "low"}],
        inputs=[{"name": subject * 50, "kind": "number", "value": 1}],
        sensitive=[{"name": subject * 50, "value": "x"}],
    )
    validate(raw, POLICY)
    kept = protector().protect(raw)
    assert subject not in str(kept)
    Prediction.model_validate(orjson.loads(orjson.dumps(kept)))
