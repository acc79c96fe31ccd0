"""Counterfactuals and examples: whether they lead where they say."""

from __future__ import annotations

from collections.abc import Iterator

from app.model.explanation import Counterfactual, CounterfactualItem, Example, Explanation
from app.model.explanation_checks.facts import Facts
from app.model.explanation_checks.folding import real_changes
from app.model.explanation_warning import Found

_MOST_ITEMS = 1_000


def check(explanation: Explanation, facts: Facts) -> Iterator[Found]:
    """The label the case already has; changes that change nothing; neighbours with the wrong label."""
    if isinstance(explanation, Counterfactual):
        if facts.predicted is not None and facts.predicted in leads_to(explanation):
            yield Found("same_label", "high", "explains how to reach the label the case already has")
        empty = sum(_changes_nothing(item, facts) for item in explanation.items[:_MOST_ITEMS])
        if empty:
            yield Found("changes_nothing", "medium", f"{empty:,} of {len(explanation.items):,} ways change nothing")
    elif isinstance(explanation, Example) and facts.predicted is not None:
        roles = [(item.role, item.label == facts.predicted) for item in explanation.items if item.label is not None]
        if ("nearest_same", False) in roles or ("nearest_other", True) in roles:
            yield Found("wrong_role", "medium", "a neighbour's label is not as its role says")


def leads_to(explanation: Counterfactual) -> set[str]:
    """Every label that the explanation says how to reach."""
    labels = {item.output.label for item in explanation.items if item.output}
    labels.add(explanation.target.label if explanation.target else None)
    return {label for label in labels if label is not None}


def _changes_nothing(item: CounterfactualItem, facts: Facts) -> bool:
    return bool(item.changes) and not real_changes(item.changes, facts.features)
