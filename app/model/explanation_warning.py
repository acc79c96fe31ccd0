"""What is found wrong with an explanation; apart from the checks, so that a case can name it cheaply."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from app.model.words import Severity

Code = Literal[
    "contradicts_score",
    "differs_from_score",
    "surrogate_differs",
    "not_a_probability",
    "score_not_compared",
    "softmax_needed",
    "not_additive",
    "sum_not_checked",
    "class_not_stated",
    "unknown_label",
    "other_class",
    "unit_not_stated",
    "unknown_unit",
    "other_values",
    "encoded_values",
    "unknown_features",
    "same_label",
    "changes_nothing",
    "wrong_role",
    "condition_not_met",
    "anchor_too_weak",
    "low_fidelity",
    "not_exact",
    "other_model",
    "other_input",
    "other_explainer",
    "not_anchored",
    "text_not_here",
]


class Found(NamedTuple):
    """A warning without the explanation it belongs to."""

    code: Code
    severity: Severity
    message: str


@dataclass(frozen=True, slots=True)
class ExplanationWarning:
    """What is wrong with, or missing from, one explanation.

    `explanation` is its place in the record, from 0. `critical`: it contradicts the model; `high`: it is not about
    this prediction, or not what it claims to be; `medium`: take it with care; `low`: something was not stated or not
    checked.
    The message holds words of the record: it is not safe for a terminal.
    """

    explanation: int
    code: Code
    severity: Severity
    message: str
