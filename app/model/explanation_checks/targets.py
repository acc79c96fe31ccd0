"""The class and the unit that an explanation speaks of."""

from __future__ import annotations

from collections.abc import Iterator

from app.model.explanation import Attribution, Counterfactual, Example, Explanation, ImageRegion, Rule, TextSpan
from app.model.explanation_checks.facts import Facts, label_of
from app.model.explanation_checks.units import unit_of
from app.model.explanation_checks.wording import names, short
from app.model.explanation_warning import Found

_MOST_ITEMS = 1_000


def check(explanation: Explanation, facts: Facts) -> Iterator[Found]:
    """A class that is missing, unknown or another one; a unit that is missing or unknown."""
    weighs = isinstance(explanation, Attribution | TextSpan | ImageRegion) and bool(explanation.items)
    if weighs:
        yield from _unit(explanation)
    label = label_of(explanation)
    if label is None:
        if weighs or (isinstance(explanation, Rule) and explanation.items):
            yield Found("class_not_stated", "low", "the class is not stated")
    elif facts.labels and label not in facts.labels:
        yield Found("unknown_label", "high", f"explains {short(label)}, which is no label of this task")
    elif isinstance(explanation, Attribution | TextSpan | ImageRegion | Rule):
        yield from _other_class(label, explanation.kind, facts)
    yield from _labels_of_items(explanation, facts, label)


def _unit(explanation: Explanation) -> Iterator[Found]:
    unit = unit_of(explanation)
    if unit == "not stated":
        yield Found("unit_not_stated", "low", "the unit is not stated")
    elif unit == "unknown":
        space = explanation.target.space if explanation.target else ""
        yield Found("unknown_unit", "medium", f"counts in {short(space)}, a unit that is not known here")


def _other_class(label: str, kind: str, facts: Facts) -> Iterator[Found]:
    if facts.predicted is None or label == facts.predicted:
        return
    text = f"explains {short(label)}, the model said {short(facts.predicted)}"
    # Of two classes one explains the other, with signs turned; explainers take the positive one whatever was predicted.
    # Where classes are explained one by one, those beside the predicted one are wanted.
    usual = (not facts.several and label == facts.positive) or facts.predicted in facts.explained(kind)
    yield Found("other_class", "low" if usual else "high", text)


def _labels_of_items(explanation: Explanation, facts: Facts, target: str | None) -> Iterator[Found]:
    """Labels inside a counterfactual or of examples that the task does not know."""
    if not facts.labels:
        return
    if isinstance(explanation, Counterfactual):
        found = [item.output.label for item in explanation.items[:_MOST_ITEMS] if item.output]
        severity, does = "high", "leads to"
    elif isinstance(explanation, Example):
        found = [item.label for item in explanation.items[:_MOST_ITEMS]]
        severity, does = "medium", "its cases are labelled"
    else:
        return
    unknown = [label for label in found if label is not None and label not in facts.labels and label != target]
    if unknown:
        many = len(set(unknown)) > 1
        text = f"{does} {names(unknown)}, which {'are no labels' if many else 'is no label'} of this task"
        yield Found("unknown_label", "high" if severity == "high" else "medium", text)
