"""An explanation's output against the model's score: in the stated unit, of the stated class."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.explained import CLASSES, attribution, case, codes, found, said, weight

CONTRADICTS = ["contradicts_score"]


def log_odds(share: float) -> float:
    return math.log(share / (1 - share))


def of(value: float, space: str | None = "logit", label: str | None = "decline", **more: Any) -> Any:
    """An explanation that only says what it comes to."""
    return attribution(weight("rent", 0.1, 840), output_value=value, space=space, label=label, **more)


def test_what_fits_says_nothing() -> None:
    assert codes(attribution(), low=True) == []


def test_an_exact_explanation_that_says_the_opposite_is_the_gravest() -> None:
    (first, *_) = found(case(of(-1.4, fidelity="exact"), score=0.97))
    assert (first.code, first.severity) == ("contradicts_score", "critical")
    assert first.message == (
        "called exact, but contradicts the score: comes to 0.20 for decline, the model said 0.97, the other way round"
    )


@pytest.mark.parametrize(
    ("value", "space", "label", "output"),
    [
        (0.45, "logit", "decline", {"score": 0.61}),
        (0.45, "log-odds", "decline", {"score": 0.61}),
        (0.45, "Log_Odds", "decline", {"score": 0.6106}),
        (-0.45, "logit", "approve", {"score": 0.61}),
        (0.61, "probability", "decline", {"score": 0.61}),
        (0.39, "probability", "approve", {"score": 0.61}),
        (61.0, "percent", "decline", {"score": 0.61}),
        (math.log(0.61), "log_prob", "decline", {"score": 0.61}),
        (0.39, "probability", "approve", {"score": 0.61, "scores": {"approve": 0.39, "decline": 0.61}}),
        (-0.45, "logit", "decline", {"score": 0.39, "label": "approve"}),
        # Cut off instead of rounded; printed with one decimal; float32.
        (log_odds(0.6199), "logit", "decline", {"score": 0.61}),
        (0.4, "logit", "decline", {"score": 0.6}),
        (log_odds(0.6100001), "logit", "decline", {"score": 0.61}),
        # The score of the predicted class, though the task names another as positive.
        (log_odds(0.08), "logit", "decline", {"score": 0.92, "label": "approve"}),
        # No class: it may be either.
        (-0.45, "logit", None, {"score": 0.61}),
        # No unit: it fits one.
        (0.45, None, "decline", {"score": 0.61}),
        (0.61, None, "decline", {"score": 0.61}),
    ],
)
def test_the_same_in_other_words(value: float, space: str | None, label: str | None, output: dict[str, Any]) -> None:
    assert codes(of(value, space, label), output={"label": "decline", **output}, low=False) in ([], ["other_class"])


@pytest.mark.parametrize(
    ("value", "space", "label", "score"),
    [
        (0.45, "probability", "decline", 0.61),
        (0.61, "logit", "decline", 0.9),
        (-0.45, "logit", "decline", 0.61),
        (0.45, "logit", "approve", 0.61),
        (0.61, "probability", "approve", 0.61),
        (4.0, "logit", "decline", 0.61),
        (6.1, "percent", "decline", 0.61),
    ],
)
def test_another_value_contradicts(value: float, space: str, label: str, score: float) -> None:
    assert codes(of(value, space, label), score=score)[0] == "contradicts_score"


def test_a_unit_that_would_fit_is_named() -> None:
    assert said("contradicts_score", of(0.45, "probability")).endswith("as log-odds it would fit")
    assert said("contradicts_score", of(0.97, "logit"), score=0.97).endswith("as probability it would fit")


def test_a_small_difference_is_said_more_quietly() -> None:
    assert codes(of(0.64, "probability")) == ["differs_from_score"]
    # On the other side of the threshold it is another decision.
    near = {"label": "decline", "score": 0.505, "threshold": 0.5}
    assert codes(of(0.47, "probability"), output=near) == CONTRADICTS


@given(st.floats(0.001, 0.999), st.integers(2, 6), st.integers(2, 6))
def test_rounding_is_no_contradiction(share: float, places: int, score_places: int) -> None:
    score = round(share, score_places)
    label = "decline" if score >= 0.5 else "approve"
    for value, space in ((round(log_odds(share), places), "logit"), (round(share, places), "probability")):
        assert codes(of(value, space), score=score, label=label) == []


@given(st.floats(0.02, 0.98), st.floats(0.02, 0.98), st.integers(2, 6))
def test_what_is_further_off_is_found(share: float, score: float, places: int) -> None:
    if abs(share - score) > 0.07:
        label = "decline" if score >= 0.5 else "approve"
        assert codes(of(round(log_odds(share), places)), score=score, label=label) == CONTRADICTS


@pytest.mark.parametrize(("value", "space"), [(1.92, "probability"), (-0.2, "probability"), (130.0, "percent")])
def test_what_is_no_probability(value: float, space: str) -> None:
    (first, *_) = found(case(of(value, space)))
    assert (first.code, first.severity) == ("not_a_probability", "critical")


@pytest.mark.parametrize(("contribution", "space"), [(1.7, "probability"), (-2.0, "probability"), (130.0, "percent")])
def test_what_no_probability_changes_by(contribution: float, space: str) -> None:
    (first, *_) = found(case(attribution(weight("rent", contribution, 840), space=space)))
    assert (first.code, first.severity) == ("not_a_probability", "high")
    # The slope of a surrogate may be of any size; log-odds are no probability.
    for other in (
        attribution(weight("rent", contribution, 840), space=space, fidelity="surrogate"),
        attribution(weight("rent", contribution, 840)),
        attribution(weight("rent", contribution / 200, 840), space=space),
    ):
        assert codes(other) == []


def test_a_surrogate_predicts_by_itself() -> None:
    assert codes(of(0.55, "probability", fidelity="surrogate")) == []
    assert codes(of(1.03, "probability", method="lime", fidelity="surrogate"), score=0.97) == []
    far = of(0.57, "probability", method="LimeTabularExplainer")
    assert codes(far, score=0.26, label="approve") == ["surrogate_differs"]


# -- several classes ---------------------------------------------------------------------------------


def margins(values: dict[str, float], **more: Any) -> list[Any]:
    return [of(value, label=label, method="shap", **more) for label, value in values.items()]


def scored(label: str, **scores: float) -> dict[str, Any]:
    return {"task": CLASSES, "output": {"label": label, "score": scores[label], "scores": scores}}


def test_margins_of_all_classes_go_through_softmax() -> None:
    values = {"keep": 0.2, "hide": 1.1, "ban": -0.4}
    whole = sum(map(math.exp, values.values()))
    scores = {label: round(math.exp(value) / whole, 3) for label, value in values.items()}
    assert codes(*margins(values), **scored("hide", **scores)) == []
    turned = {"keep": 1.1, "hide": 0.2, "ban": -0.4}
    assert "contradicts_score" in codes(*margins(turned), **scored("hide", **scores))


def test_one_margin_alone_is_not_compared() -> None:
    scores = {"keep": 0.3, "hide": 0.45, "ban": 0.25}
    assert codes(of(1.4, label="hide"), **scored("hide", **scores)) == ["softmax_needed"]
    assert "softmax over all" in said("softmax_needed", of(1.4, label="hide"), **scored("hide", **scores))
    # Called a margin it is not passed off as log-odds; as log-odds against all others it may fit.
    assert codes(of(1.4, "margin", label="hide"), **scored("hide", **scores)) == []
    assert codes(of(log_odds(0.45), label="hide"), **scored("hide", **scores), low=True)[:1] != ["softmax_needed"]


def test_sigmoids_of_margins_are_no_probabilities_of_classes() -> None:
    scores = {"keep": 0.6, "hide": 0.75, "ban": 0.3}
    sentence = said("softmax_needed", of(log_odds(0.75), label="hide"), **scored("hide", **scores))
    assert "come to 1.65" in sentence


def test_a_probability_is_compared_with_the_score_of_its_class() -> None:
    scores = {"keep": 0.3, "hide": 0.45, "ban": 0.25}
    assert codes(of(0.45, "probability", "hide"), **scored("hide", **scores)) == []
    assert codes(of(0.3, "probability", "hide"), **scored("hide", **scores)) == CONTRADICTS


# -- what cannot be compared -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("explanation", "more", "because"),
    [
        (attribution(weight("rent", 0.1, 840)), {}, "it gives no output value"),
        (of(2.0, "raw"), {}, "its unit is the model's own"),
        (of(2.0, "splits"), {}, "its unit is not known"),
        (of(2.0, label="1"), {}, "the task does not know 1"),
        (of(2.0), {"score": None}, "the model gave none"),
        (
            of(0.2, "probability", "ban"),
            {"task": CLASSES, "output": {"label": "keep", "score": 0.6}},
            "the model gave none for ban",
        ),
    ],
)
def test_what_is_not_compared_says_why(explanation: Any, more: dict[str, Any], because: str) -> None:
    assert said("score_not_compared", explanation, **more) == f"not checked against the score, because {because}"
