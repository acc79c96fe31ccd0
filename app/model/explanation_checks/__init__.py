"""Checks of explanations against the prediction they come with: what each says, and whether that can be.

Pure: a protected prediction in, warnings out. Every surface (desk, lines, JSON, hub) shows these and no others. A check
is a function of an explanation and the facts of its case; each says at most a few sentences.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from app.model.explanation import Explanation
from app.model.explanation_checks import (
    additivity,
    counterfactuals,
    fidelity,
    origin,
    rules,
    scores,
    spans,
    targets,
    values,
)
from app.model.explanation_checks.facts import Facts
from app.model.explanation_warning import ExplanationWarning, Found
from app.model.prediction import Prediction
from app.model.words import SEVERITIES

__all__ = ["ExplanationWarning", "warnings_of"]

Check = Callable[[Explanation, Facts], Iterator[Found]]

CHECKS: tuple[Check, ...] = (
    scores.check,
    additivity.check,
    targets.check,
    values.check,
    counterfactuals.check,
    rules.check,
    fidelity.check,
    origin.check,
    spans.check,
)
MOST_EXPLANATIONS = 200
"""The most explanations of a case that are checked: a record may hold any number."""


def warnings_of(prediction: Prediction) -> tuple[ExplanationWarning, ...]:
    """All warnings of a prediction, by explanation, the gravest of each first."""
    explanations = prediction.explanations or []
    if not explanations:
        return ()
    facts = Facts(prediction)
    found: list[ExplanationWarning] = []
    for number, explanation in enumerate(explanations[:MOST_EXPLANATIONS]):
        mine = [ExplanationWarning(number, *one) for check in CHECKS for one in check(explanation, facts)]
        found += sorted(mine, key=lambda warning: -SEVERITIES.index(warning.severity))
    return tuple(found)
