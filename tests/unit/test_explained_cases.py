"""What an explanation speaks of: its class, its unit, its values, its model, and whether it leads where it says."""

from __future__ import annotations

from typing import Any

import pytest

from tests.explained import CLASSES, INPUTS, attribution, case, codes, found, said, weight

PROVENANCE = {
    "model": {"name": "loans", "version": "2.3.0", "artifact_digest": "sha256:aabbccdd"},
    "data": {"input_digest": "sha256:11223344"},
    "explainer": {"name": "shap", "version": "0.51.0"},
}


# -- class and unit ----------------------------------------------------------------------------------


def test_what_is_not_stated_is_said() -> None:
    assert codes(attribution(label=None, space=None), low=True) == ["unit_not_stated", "class_not_stated"]


def test_a_unit_that_is_not_known() -> None:
    assert said("unknown_unit", attribution(space="splits")) == "counts in splits, a unit that is not known here"


def test_a_label_that_the_task_does_not_know() -> None:
    for kind in ("attribution", "rule", "counterfactual", "text_span"):
        made = {"kind": kind, "target": {"label": "Output 1"}}
        assert said("unknown_label", made) == "explains Output 1, which is no label of this task"
    leads = {"kind": "counterfactual", "items": [{"changes": [], "output": {"label": "0"}}]}
    assert said("unknown_label", leads) == "leads to 0, which is no label of this task"
    near = {"kind": "example", "items": [{"label": "maybe"}, {"label": "decline"}]}
    assert codes(near) == ["unknown_label"]
    assert codes(near, task={"type": "binary"}) == []


def test_another_class_than_the_predicted_one() -> None:
    other = attribution(label="approve", base_value=0.3, output_value=-0.45)
    assert "explains approve, the model said decline" in said("other_class", other)
    # The class that counts as the risk is explained whatever was predicted.
    assert codes(attribution(), score=0.61, label="approve", low=True) == ["other_class"]
    assert codes(attribution(), label="approve") == []
    # Beside one of the predicted class the others are wanted.
    output = {"label": "hide", "score": 0.5, "scores": {"keep": 0.3, "hide": 0.5, "ban": 0.2}}
    both = [attribution(weight("rent", 0.1, 840), label=label, space="probability") for label in ("hide", "ban")]
    assert codes(*both, task=CLASSES, output=output) == []
    assert codes(both[1], task=CLASSES, output=output) == ["other_class"]


# -- values ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("feature", "value", "here"),
    [
        ("rent", 900, 840),
        ("rent", "900", 840),
        ("debt", 75, 12750),
        ("num", 1, 7200),
        ("rent", "900 €", 840),
        ("rent", "€1,840", 840),
        ("rent", "(850, 1000]", 840),
        ("rent", "500 to 800", 840),
        ("reason", "car", "boat"),
        ("rent > 850.00", None, 840),
        ("500.00 < rent <= 700.00", None, 840),
        ("rent & debt", [840, 99], 12750),
    ],
)
def test_values_of_another_case(feature: str, value: Any, here: Any) -> None:
    inputs = [
        {"name": "rent", "kind": "number", "value": 840},
        {"name": "debt", "kind": "number", "value": 12750},
        {"name": "num", "kind": "number", "value": 7200},
        {"name": "reason", "kind": "category", "value": "boat"},
    ]
    sentence = said("other_values", attribution(weight(feature, 0.1, value)), inputs=inputs)
    assert sentence.endswith(f"here {here}")


@pytest.mark.parametrize(
    ("feature", "value", "here"),
    [
        ("x", 840.0, 840),
        ("x", "840", 840),
        ("x", 839.9998, 840),
        ("x", 0.33, 0.3333333),
        ("x", 12350, 12345.678),
        ("x", 2540, 2540.4),
        ("x", None, 840),
        ("x", "1,977", 1977),
        ("x", 1, True),
        ("x", "yes", True),
        ("x", "Radio_TV", "radio/tv"),
        # With a unit, in groups of other countries, in bins, as a date of pandas.
        ("x", "2540 €", 2540),
        ("x", "2.540", 2540),
        ("x", "2.540,50", 2540.5),
        ("x", "2 540 kr", 2540),
        ("x", "50 %", 0.5),
        ("x", "(2500, 3000]", 2540),
        ("x", "2500 to 3000", 2540),
        ("x", "medium", 2540),
        ("x", "≥ 7 years", 2540),
        ("x", "2024-03-01T00:00:00", "2024-03-01"),
        ("x", "01.03.2024", "2024-03-01"),
        ("x", "A43", "A43 radio/tv"),
        # Encoded: in standard deviations, in thousands, as a code, filled in.
        ("x", -0.3141, 840),
        ("x", 0.84, 840),
        ("x", 3.0, "boat"),
        ("x", 77.5, None),
        ("num__x", -0.31, 840),
        ("scaler__num__x", 17, 840),
        ("log_x", 6.73, 840),
        ("x^2", 705600, 840),
        ("x_boat", 1.0, "boat"),
        ("x_car", 0.0, "boat"),
        ("cat__x_boat", 1.0, "boat"),
        ("x[T.boat]", 1, "boat"),
        ("C(x)[T.boat]", 1, "boat"),
        ("x_count", 1, "boat"),
        ("800.00 < x <= 840.00", None, 840.004),
        ("x <= 840.00", None, 840),
        # Made coarse or masked like the input, or more.
        ("x", "1950–2000", "1950–2000"),
        ("x", 1977, "1950–2000"),
        ("x", "[withheld: x]", 1977),
        ("x", "id-abcdefghijklmnop", "id-qrstuvwxyz234567"),
        ("x", "802…", "80210"),
        ("1900.00 < x <= 2000.00", None, "1950–2000"),
    ],
)
def test_values_that_are_the_inputs_or_may_be(feature: str, value: Any, here: Any) -> None:
    inputs = [{"name": "x", "kind": "category" if isinstance(here, str) else "number", "value": here}]
    assert codes(attribution(weight(feature, 0.1, value)), inputs=inputs) == []


def test_beside_values_as_they_are_none_was_scaled() -> None:
    assert codes(attribution(weight("rent", 0.1, 840), weight("debt (€)", 0.2, 3.7))) == ["other_values"]
    assert codes(attribution(weight("rent", 0.1, -1.2), weight("debt (€)", 0.2, 3.7)), low=True)[-1] == "encoded_values"


def test_beside_what_a_pipeline_passes_through_others_may_be_scaled() -> None:
    inputs = [
        {"name": "share", "kind": "number", "value": 0.48},
        {"name": "rent", "kind": "number", "value": 840},
        {"name": "debt", "kind": "number", "value": 12750},
    ]
    mixed = attribution(weight("share", 0.1, 0.48), weight("rent", 0.1, -0.51), weight("debt", 0.1, 1.92))
    assert codes(mixed, inputs=inputs) == []
    assert said("encoded_values", mixed, inputs=inputs).endswith("rent, debt")


def test_another_unit_is_not_another_case() -> None:
    thousands = attribution(weight("rent", 0.1, 840), weight("debt (€)", 0.2, 12.75))
    assert codes(thousands) == []
    assert said("encoded_values", thousands).endswith("debt (€)")


def test_a_withheld_input_is_not_compared() -> None:
    inputs = [{"name": "rent", "kind": "number", "value": None, "withheld": "rent"}]
    assert codes(attribution(weight("rent", 0.1, 77)), inputs=inputs) == []


def test_a_one_hot_column_of_another_category() -> None:
    columns = [weight("cat__reason_boat", 0.2, 0.0), weight("cat__reason_car", 0.1, 1.0)]
    assert said("other_values", attribution(*columns)).endswith("explains reason = car, here boat")
    # Codes for what the case spells out cannot be told apart, and are shown as the case's: so it is said.
    coded = attribution(weight("reason_A43", 0.2, 1.0), weight("reason_A40", 0.1, 0.0))
    assert codes(coded) == []
    assert said("encoded_values", coded).endswith("reason")


def test_a_category_that_lime_names_is_the_cases() -> None:
    lime: dict[str, Any] = {"method": "lime", "fidelity": "surrogate"}
    assert codes(attribution(weight("reason=boat", 0.2), **lime)) == []
    assert codes(attribution(weight("reason=car", 0.2), **lime)) == ["other_values"]
    # One of many columns, from another explainer.
    assert codes(attribution(weight("reason=car", 0.2))) == []


def test_features_that_are_no_inputs() -> None:
    made = attribution(weight("Feature 3", 0.1, 5), weight("rent", 0.1, 840))
    assert said("unknown_features", made) == "no input of this case: Feature 3"


# -- counterfactuals, examples, rules ----------------------------------------------------------------


def ways(*changes: tuple[str, Any, Any], label: str = "approve") -> dict[str, Any]:
    listed = [{"feature": feature, "from": before, "to": after} for feature, before, after in changes]
    return {"kind": "counterfactual", "items": [{"changes": listed, "output": {"label": label}}]}


def test_counterfactuals_start_from_this_case() -> None:
    assert codes(ways(("rent", 840.0, 500))) == []
    assert said("other_values", ways(("rent", 300, 500))).endswith("starts from rent = 300, here 840")


def test_counterfactuals_lead_somewhere_else() -> None:
    assert codes(ways(("rent", 840, 500), label="decline")) == ["same_label"]
    assert codes({"kind": "counterfactual", "target": {"label": "decline"}}) == ["same_label"]
    assert codes(ways(("rent", 840, 840), ("debt (€)", 12750, 12749.9999))) == ["changes_nothing"]
    assert codes(ways(("rent", "800–900", "800–900"), ("[withheld: sex]", None, None))) == []


def test_neighbours_are_what_their_role_says() -> None:
    assert codes({"kind": "example", "items": [{"role": "nearest_same", "label": "approve"}]}) == ["wrong_role"]
    assert codes({"kind": "example", "items": [{"role": "nearest_other", "label": "approve"}]}) == []


def rule(*items: tuple[str, str, Any, float | None], **more: Any) -> dict[str, Any]:
    keys = ("feature", "op", "value", "precision_so_far")
    listed = [{key: value for key, value in zip(keys, item, strict=True) if value is not None} for item in items]
    return {"kind": "rule", "target": {"label": "decline"}, "items": listed, **more}


@pytest.mark.parametrize(
    ("feature", "op", "value", "holds"),
    [
        ("rent", ">", 800, True),
        ("rent", ">", 900, False),
        ("rent", "in", [1, 840], True),
        ("rent", "in", [1, 2], False),
        ("reason", "=", "boat", True),
        ("reason", "!=", "boat", False),
        ("reason", "in", ["car", "boat"], True),
        ("rent > 900.00 AND reason = boat", "", None, False),
        ("reason = boat, rent <= 840.00", "", True, True),
        ("unheard of", "<", 3, True),
        ("rent", "resembles", 3, True),
        ("rent", ">", "[withheld: rent]", True),
    ],
)
def test_rules_hold_for_this_case(feature: str, op: str, value: Any, holds: bool) -> None:
    assert codes(rule((feature, op, value, None))) == ([] if holds else ["condition_not_met"])


def test_an_anchor_that_missed_its_threshold() -> None:
    weak = rule(("rent", ">", 800, 0.65), method="anchors")
    assert codes(weak) == ["anchor_too_weak"]
    assert said("anchor_too_weak", weak | {"precision_threshold": 0.9}).endswith("0.90 was asked for")
    assert codes(weak | {"precision_threshold": 0.6}) == []
    assert codes(rule(("rent", ">", 800, 0.95), method="AnchorTabular", success=False)) == ["anchor_too_weak"]
    assert codes(rule(("rent", ">", 800, 0.65), method="decision tree")) == []


# -- fidelity and origin -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"fidelity_score": {"name": "r2", "value": 0.26}}, ["low_fidelity"]),
        ({"fidelity_score": {"name": "R²", "value": 0.26}}, ["low_fidelity"]),
        ({"fidelity_score": {"name": "r2", "value": 0.8}}, []),
        ({"fidelity": "surrogate", "fidelity_score": {"name": "score", "value": 0.05}}, ["low_fidelity"]),
        ({"fidelity_score": {"name": "score", "value": 0.05}}, []),
        ({"fidelity": "exact", "method": "lime"}, ["not_exact"]),
        ({"fidelity": "exact", "fidelity_score": {"name": "r2", "value": 0.7}}, ["not_exact"]),
        ({"fidelity": "exact", "method": "shap.TreeExplainer"}, []),
    ],
)
def test_how_faithful_it_can_be(more: dict[str, Any], expected: list[str]) -> None:
    assert codes(attribution(**more)) == expected


@pytest.mark.parametrize(
    ("explains", "sentence"),
    [
        ({"model": "loans", "version": "2.2.0"}, "explains a different model (loans 2.2.0)"),
        ({"artifact_digest": "sha256:00bbccdd"}, "explains a different model (artifact sha256:00bbccdd)"),
        ({"model": "Loans", "version": "v2.3.0", "artifact_digest": "AABBCCDD"}, None),
        ({"artifact_digest": "sha256:aabbccd"}, None),
        ({"input_digest": "sha256:99223344"}, "was made for another input (sha256:99223344)"),
        ({"input_digest": "11223344"}, None),
        ({}, None),
    ],
)
def test_which_model_and_input_it_explains(explains: dict[str, str], sentence: str | None) -> None:
    made = {"kind": "text", "text": "because", "explains": explains}
    assert [one.message for one in found(case(made, provenance=PROVENANCE))] == ([sentence] if sentence else [])


def test_another_version_of_the_explainer() -> None:
    made = attribution(method="shap", method_version="0.44.1")
    assert codes(made, provenance=PROVENANCE) == ["other_explainer"]
    assert codes(made | {"method_version": "0.51.0"}, provenance=PROVENANCE) == []


def test_spans_without_a_place_or_a_text() -> None:
    items = [{"start": 0, "end": 3, "anchor": "failed"}, {"text": "x"}, {"start": 0, "end": 3, "anchor": "shifted"}]
    special = {"text": "[CLS]", "special_token": True}
    for kind in ("text_span", "evidence"):
        made = {"kind": kind, "items": items, "target": {"input": "note"}}
        inputs = [*INPUTS, {"name": "note", "kind": "text", "value": "words"}]
        assert said("not_anchored", made, inputs=inputs) == "2 spans could not be anchored"
        assert codes(made) == ["not_anchored", "text_not_here"]
    made = {"kind": "text_span", "items": [special], "target": {"input": "note"}}
    assert codes(made, inputs=[{"name": "note", "kind": "text", "value": "words"}]) == []


def test_the_gravest_stands_first_and_each_names_its_explanation() -> None:
    grave = attribution(weight("rent", 0.1, 999), base_value=0.1, output_value=3.5, fidelity="exact")
    listed = found(case({"kind": "text", "text": "because"}, grave))
    assert [one.severity for one in listed] == sorted(
        (one.severity for one in listed), key=["critical", "high", "medium", "low"].index
    )
    assert {one.explanation for one in listed} == {1}
