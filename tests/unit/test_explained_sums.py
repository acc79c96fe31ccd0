"""Whether base and contributions come to the output: rounding and cut lists are no faults, real gaps are found."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.explained import INPUTS, attribution, case, codes, found, said, weight

GAP = "not_additive"
UNCHECKED = "sum_not_checked"


def test_a_sum_that_does_not_come_out_is_said_for_every_fidelity() -> None:
    items = (weight("rent", 0.6, 840), weight("debt (€)", 0.25, 12750), weight("reason", -0.1, "boat"))
    for fidelity in ("exact", "approximation", None):
        more = {"fidelity": fidelity} if fidelity else {}
        made = attribution(*items, base_value=-0.3, output_value=1.7, **more)
        sentence = said(GAP, made, score=0.85)
        assert sentence.endswith("does not add up: base and contributions come to 0.45, the output is 1.70")
        assert sentence.startswith("called exact") == (fidelity == "exact")


def by_places(places: int) -> Callable[[float], float]:
    return lambda value: round(value, places)


def by_digits(digits: int) -> Callable[[float], float]:
    return lambda value: float(f"{value:.{digits}g}")


ROUNDED = st.sampled_from([float, *map(by_places, (1, 2, 3, 4, 10)), *map(by_digits, (2, 3, 5))])
PARTS = st.lists(st.floats(-2, 2), min_size=2, max_size=30)


def listed(parts: list[float], base: float, output: float, rounded: Callable[[float], float]) -> dict[str, Any]:
    """All contributions of a case that has an input for each."""
    items = [weight(f"f{at}", rounded(part), at) for at, part in enumerate(parts)]
    made = attribution(*items, base_value=rounded(base), output_value=rounded(output), space="raw")
    inputs = [{"name": f"f{at}", "kind": "number", "value": at} for at in range(len(parts))]
    return {"explanation": made, "inputs": inputs}


@given(PARTS, st.floats(-3, 3), ROUNDED)
def test_rounding_is_no_gap(parts: list[float], base: float, rounded: Callable[[float], float]) -> None:
    made = listed(parts, base, math.fsum([base, *parts]), rounded)
    assert codes(made["explanation"], inputs=made["inputs"]) == []


@given(PARTS, st.floats(-3, 3), st.sampled_from([float, by_places(3), by_digits(4)]), st.booleans())
def test_a_gap_is_found(parts: list[float], base: float, rounded: Callable[[float], float], up: bool) -> None:
    # Not round: a number with one digit may have been rounded to it.
    parts = [part + 0.012345 for part in parts]
    size = math.fsum(map(abs, parts))
    gap = (0.1 + 0.05 * size) * (1 if up else -1)
    made = listed(parts, base, math.fsum([base, *parts]) + gap, rounded)
    assert codes(made["explanation"], inputs=made["inputs"]) == [GAP]


@given(PARTS, st.floats(-3, 3), st.sampled_from([float, by_places(2), by_digits(3)]), st.integers(1, 8))
def test_a_list_that_was_cut_is_no_gap(
    parts: list[float], base: float, rounded: Callable[[float], float], kept: int
) -> None:
    assume(kept < len(parts))
    made = listed(parts, base, math.fsum([base, *parts]), rounded)
    items = sorted(made["explanation"]["items"], key=lambda item: -abs(item["contribution"]))[:kept]
    found_codes = codes(made["explanation"] | {"items": items}, inputs=made["inputs"], low=True)
    assert GAP not in found_codes


def test_a_cut_list_says_what_the_rest_would_have_to_be() -> None:
    made = attribution(weight("rent", 0.6, 840), base_value=-0.3, output_value=0.45)
    assert said(UNCHECKED, made).endswith("not all contributions are listed; the rest would have to come to 0.15")
    # What was left out may be given as a sum.
    assert codes(made | {"omitted_contribution": 0.15}, low=True) == []
    assert codes(made | {"omitted_contribution": 0.9}) == [GAP]


def test_a_cut_list_of_single_features_lost_no_pairs() -> None:
    inputs = [{"name": f"x{at}", "kind": "number", "value": at + 20} for at in range(6)]
    items = [weight(f"x{at}", size, at + 20) for at, size in enumerate((0.8, -0.5, 0.2))]
    # The largest has the wrong sign: three more of 0.2 at most cannot come to 1.6.
    made = attribution(*items, base_value=0.1, output_value=-1.0)
    cut: dict[str, Any] = {"inputs": inputs, "score": 0.2689, "label": "approve"}
    assert codes(made | {"method": "shap.TreeExplainer"}, **cut) == [GAP]
    # Boosted additive models, and explainers that nothing is known of, give pairs as well.
    assert codes(made | {"method": "interpret.ebm"}, **cut) == codes(made, **cut) == []
    assert codes(made | {"method": "shap.TreeExplainer, shap_interaction_values"}, **cut) == []
    assert codes(made | {"method": "shap.TreeExplainer", "output_value": 0.1, "base_value": 0.1}, **cut)[:1] != [GAP]


def test_withheld_contributions_count() -> None:
    items = (weight("rent", 0.6, 840), weight("debt (€)", 0.25, 12750), weight("reason", 0.1, "boat"))
    made = attribution(*items, base_value=-0.3, output_value=0.45, withheld=1)
    assert codes(made | {"withheld_contribution": -0.2}, low=True) == []
    assert codes(made | {"withheld_contribution": 0.4}) == [GAP]
    assert said(UNCHECKED, made).endswith("contributions are withheld, and their sum is not given")


def test_without_an_output_value_the_score_stands_for_it() -> None:
    made = attribution(base_value=-0.3)
    del made["output_value"]
    assert codes(made) == []
    assert "the score is" in said(GAP, made, score=0.97)


@pytest.mark.parametrize(
    ("more", "because"),
    [
        ({"output_value": 0.45}, "it gives no base value"),
        ({"base_value": 0.1, "space": "raw"}, "it gives no output value"),
        (
            {"base_value": 0.1, "output_value": 0.45, "fidelity": "surrogate"},
            "a surrogate adds up to its own prediction",
        ),
        ({"base_value": 0.1, "output_value": 0.45, "method": "lime"}, "a surrogate adds up to its own prediction"),
    ],
)
def test_what_is_not_checked_says_why(more: dict[str, Any], because: str) -> None:
    made = attribution(weight("rent", 0.1, 840), **more)
    assert said(UNCHECKED, made) == f"sum not checked, because {because}"


def test_an_approximation_may_be_a_little_off() -> None:
    items = (weight("rent", 0.6, 840), weight("debt (€)", 0.27, 12750), weight("reason", -0.1, "boat"))
    made = attribution(*items, base_value=-0.3, output_value=0.45)
    assert codes(made | {"fidelity": "approximation"}) == []
    assert codes(made | {"method": "captum IntegratedGradients gradient"}) == []
    assert codes(made) == []
    more = attribution(weight("rent", 0.6667, 840), *items[1:], base_value=-0.3001, output_value=0.4502)
    assert codes(more) == [GAP]


def test_both_halves_of_interactions_and_one_hot_columns_count() -> None:
    pairs = [weight(["rent", "debt (€)"], 0.2), weight(["debt (€)", "rent"], 0.2), weight("rent", 0.3, 840)]
    columns = [weight("reason_boat", 0.1, 1), weight("reason_car", -0.05, 0)]
    assert codes(attribution(*pairs, *columns, base_value=-0.3, output_value=0.45)) == []
    assert codes(attribution(*pairs[1:], *columns, base_value=-0.3, output_value=0.45)) == [GAP]


def test_words_of_a_text_add_up_once_however_often_they_stand() -> None:
    text = {"name": "note", "kind": "text", "value": "no way no"}
    items = [
        {"text": "no", "contribution": 0.4, "start": 0, "end": 2, "place_group": 0},
        {"text": "no", "start": 7, "end": 9, "place_group": 0},
        {"text": "way", "contribution": -0.1, "start": 3, "end": 6},
    ]
    target = {"label": "decline", "space": "logit", "input": "note"}
    made = {"kind": "text_span", "target": target, "items": items, "base_value": 0.15, "output_value": 0.45}
    assert codes(made, inputs=[*INPUTS, text], low=True) == []
    assert codes(made | {"base_value": 0.55}, inputs=[*INPUTS, text]) == [GAP]
    # Of some words only nothing can be said.
    assert codes(made | {"items": items[2:]}, inputs=[*INPUTS, text], low=True) == [UNCHECKED]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=5))
def test_huge_numbers_are_survived(parts: list[float]) -> None:
    items = [weight("rent", part) for part in parts]
    made = attribution(*items, base_value=1e308, output_value=-1e308, space="raw")
    assert all(len(one.message) < 300 for one in found(case(made)))
